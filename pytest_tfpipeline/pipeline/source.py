"""What git says about the tree that is judged: commit, ref, and what is not committed."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from pytest_tfpipeline.discover.files import GIT_VARIABLES
from pytest_tfpipeline.gate.result import Source
from pytest_tfpipeline.process import Outcome, Request, Runner

_TIMEOUT = 60.0

#: Read by pytest wherever it lies beside tests or above them; it may stand in the place of any fixture.
_READ_BY_PYTEST = "conftest.py"

#: Files that terraform reads by itself when they lie beside a root's own, by pattern.
READ_BY_TERRAFORM = (
    "*.auto.tfvars",
    "*.auto.tfvars.json",
    "terraform.tfvars",
    "terraform.tfvars.json",
    "override.tf",
    "override.tf.json",
    "*_override.tf",
    "*_override.tf.json",
)


@dataclass(frozen=True, slots=True)
class TreeState:
    """`dirty`: tracked or untracked files that differ from the commit, or why nobody knows. `ignored`: files that git
    ignores and that terraform or pytest would read. Both are relative to the repository."""

    dirty: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def read_source(runner: Runner, top: Path) -> Source:
    """Commit and ref; without git, or before the first commit, both are None."""
    ref = _git(runner, top, "symbolic-ref", "--quiet", "--short", "HEAD")
    url = _git(runner, top, "config", "--get", "remote.origin.url")
    status = _status(runner, top)
    clean = not (status.stdout or _overlooked(runner, top)) if status.ok else None
    return Source(_without_credentials(url) if url else top.name, read_commit(runner, top), ref or None, clean)


def read_commit(runner: Runner, top: Path) -> str | None:
    """What HEAD is; None without git or before the first commit."""
    return _git(runner, top, "rev-parse", "--verify", "--quiet", "HEAD") or None


def tracked(runner: Runner, top: Path, names: Iterable[str]) -> frozenset[str]:
    """Those of these files that git tracks, by their paths from `top`; also where a submodule is what tracks them."""
    words = ("ls-files", "-z", "--recurse-submodules", "--", *(f":(literal){name}" for name in names))
    return frozenset((_git(runner, top, *words) or "").split("\0")) - {""}


def read_tree_state(runner: Runner, top: Path, roots: tuple[str, ...]) -> TreeState:
    """What differs from the commit, and what git hides that terraform would read in these roots, or pytest."""
    asked = _status(runner, top)
    if not asked.ok:
        return TreeState((_unknown(asked),))
    hidden = _git(runner, top, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory") or ""
    dirty = (*(entry[3:] for entry in asked.stdout.split("\0") if entry), *_overlooked(runner, top))
    ignored = tuple(sorted(path for path in hidden.split("\0") if _would_be_read(path, roots)))
    return TreeState(dirty, ignored)


def _status(runner: Runner, top: Path) -> Outcome:
    words = ("--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=none")
    return _ask(runner, top, "status", *words)


def _overlooked(runner: Runner, top: Path) -> tuple[str, ...]:
    """Files of which `git status` was told to say nothing (`--assume-unchanged`, `--skip-worktree`): they may hold
    anything. Those that a sparse checkout leaves out are not there."""
    entries = (_git(runner, top, "ls-files", "-v", "-z") or "").split("\0")
    hidden = (entry[2:] for entry in entries if entry[:1] == "S" or entry[:1].islower())
    return tuple(f"{name} (git update-index hides what is in it)" for name in hidden if (top / name).exists())


def _would_be_read(path: str, roots: tuple[str, ...]) -> bool:
    folder, _, name = path.rpartition("/")
    if name == _READ_BY_PYTEST:
        return True
    return (folder or ".") in roots and any(fnmatch.fnmatchcase(name, pattern) for pattern in READ_BY_TERRAFORM)


def _unknown(asked: Outcome) -> str:
    """What stands for a tree of which nobody can say whether it is the commit."""
    said = asked.error or next(iter(asked.stderr.strip().splitlines()), f"git ended with {asked.code}")
    return f"everything, since git cannot say what is ({said})"


def _git(runner: Runner, top: Path, *words: str) -> str | None:
    outcome = _ask(runner, top, *words)
    return outcome.stdout.strip("\n") if outcome.ok else None


def _ask(runner: Runner, top: Path, *words: str) -> Outcome:
    argv = ("git", "-c", "core.fsmonitor=false", *words)
    return runner.run(Request(argv, top, timeout=_TIMEOUT, unset=GIT_VARIABLES))


def _without_credentials(url: str) -> str:
    """A remote's URL as it may be shown: a token in it is a secret."""
    parts = urlsplit(url)
    if not parts.hostname:
        return url
    host = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
    return urlunsplit((parts.scheme, host, parts.path, "", ""))
