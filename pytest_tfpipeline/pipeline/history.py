"""What earlier runs in this output directory have applied, and what git says about how commits follow each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_tfpipeline.errors import ProofError
from pytest_tfpipeline.gate.prior import Apply, apply_of, last
from pytest_tfpipeline.process import Request, Runner
from pytest_tfpipeline.proof.document import Evidence, read_evidence

#: Where the output directory keeps the evidence of earlier runs.
KEPT = "evidence"

_TIMEOUT = 60.0
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
#: What could make git see another history than the one that was fetched.
_HISTORY_ENV = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_GRAFT_FILE": "/dev/null"}


@dataclass(frozen=True, slots=True)
class Kept:
    """The last apply of an environment that this output directory knows of. `unread` says, a file and why each, what
    could not be read of the runs since: nobody knows what they applied."""

    apply: Apply | None = None
    unread: tuple[str, ...] = ()


def last_kept(output: Path, environment: str, repository: str, emulated: bool) -> Kept:
    """Look through `<output>/evidence/`, newest run first, until one that applied something there."""
    unread: list[str] = []
    try:
        files = _files(output)
    except OSError as error:
        return Kept(None, (f"{output / KEPT}: {error.strerror}",))
    for path in files:
        try:
            found = apply_of(read_evidence(path), str(path), environment)
        except ProofError as error:
            unread.append(f"{path}: {error.what}")
            continue
        if found is not None and last([found], environment, repository, emulated) is not None:
            return Kept(found, tuple(unread))
    return Kept(None, tuple(unread))


def kept_evidence(output: Path) -> Iterator[Evidence]:
    """The evidence of earlier runs as far as it can be read, newest run first."""
    with suppress(OSError):
        for path in _files(output):
            with suppress(ProofError):
                yield read_evidence(path)


def _files(output: Path) -> list[Path]:
    """The evidence of earlier runs, newest run first: names begin with the time at which the run began."""
    try:
        found = [path for path in (output / KEPT).iterdir() if path.suffix == ".json"]
    except FileNotFoundError:
        return []
    return sorted(found, key=lambda path: path.name, reverse=True)


def is_ancestor(runner: Runner, top: Path, old: str | None, new: str | None) -> bool | None:
    """Whether `new` contains the commit `old`, or is it. None where git cannot tell: a commit is unknown here, or the
    history was cut off (a shallow clone)."""
    if not (old and new and _COMMIT.fullmatch(old) and _COMMIT.fullmatch(new)):
        return None
    code = _git(runner, top, "merge-base", "--is-ancestor", old, new)[0]
    if code == 0:
        return True
    if code == 1 and _git(runner, top, "rev-parse", "--is-shallow-repository") == (0, "false"):
        return False
    return None


def _git(runner: Runner, top: Path, *words: str) -> tuple[int | None, str]:
    done = runner.run(Request(("git", *words), top, env=_HISTORY_ENV, timeout=_TIMEOUT))
    return done.code, done.stdout.strip()
