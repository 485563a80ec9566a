"""What somebody claims on the command line: approvals, earlier evidence, leave to go back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_tfpipeline.errors import UsageError
from pytest_tfpipeline.gate.approval import is_digest
from pytest_tfpipeline.given import is_file
from pytest_tfpipeline.model import EnvironmentRun, Run
from pytest_tfpipeline.terraform.bound import KEY_COMMAND, KEY_VARIABLE, digest_key

_MEND = f"make one with `{KEY_COMMAND}` and give it to both as {KEY_VARIABLE}"


@dataclass(frozen=True, slots=True)
class Claims:
    """Typed, never from an ini file. Nothing of it counts before it was verified.

    `approve` are digests, `approvals` files with a signed approval statement, `priors` files with evidence.
    """

    approve: tuple[str, ...] = ()
    approvals: tuple[Path, ...] = ()
    priors: tuple[Path, ...] = ()
    rollback: bool = False


def refuse_unusable(claims: Claims) -> None:
    """Raise UsageError, before anything is started, for a digest that is none and a file that is not there: mistyped,
    they would be found out when everything was planned."""
    for digest in claims.approve:
        if not is_digest(digest):
            shown = f"{digest[:80]}{'...' if len(digest) > 80 else ''}"
            text = f"{shown} is not a digest, which is sha256: and 64 hex digits, all of them"
            mend = "give the one that the waiting run named (`plan_set_digest` in its evidence.json)"
            raise UsageError(text, where="--approve", mend=mend)
    for path in claims.approvals:
        if not is_file(path):
            mend = "name the statement that was signed (approval-ENV.json), with its signatures beside it"
            raise UsageError(f"{path} is not there, or not a file", where="--approval", mend=mend)


def require_key(claims: Claims, environments: Iterable[EnvironmentRun], *, lasting: bool) -> None:
    """An approval that comes from another run is for a digest, and a digest under a key of this run alone is known to
    nobody else. Raises UsageError, before anything is started."""
    signed = [one.name for one in environments if one.approval == "signed"]
    if lasting or not (claims.approve or claims.approvals or signed):
        return
    why = "--approve" if claims.approve else "--approval" if claims.approvals else f"the approval of {signed[0]}"
    raise UsageError(
        f"{why} is for a digest that another run has made, which takes a key that both know",
        where=KEY_VARIABLE,
        mend=_MEND,
    )


def require_shared_key(environ: Mapping[str, str]) -> bytes:
    """The key of digests in an apply job. Raises UsageError without one: its plans could never be the check job's."""
    key, lasting = digest_key(environ)
    if not lasting:
        text = "an apply job compares its plans with those of the check job, which takes a key that both know"
        raise UsageError(text, where=KEY_VARIABLE, mend=_MEND)
    return key


def key_note(run: Run, environ: Mapping[str, str]) -> Iterator[str]:
    """Of a check job: that no apply job will be able to compare its plans."""
    if run.mode == "plan" and run.isolation == "jobs" and run.changed is None and not digest_key(environ)[1]:
        why = f'`isolation = "jobs"`, and {KEY_VARIABLE} is not set'
        yield f"no apply job can take this run for its check: {why}: {_MEND}"
