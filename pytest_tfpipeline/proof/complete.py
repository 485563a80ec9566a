"""What evidence lacks, to be that of a complete apply. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tfpipeline.model import Outcome
from pytest_tfpipeline.proof.document import CheckPart, EnvironmentPart, Evidence

#: Exit codes of runs that were carried out to their end, whatever came of their other environments.
_CARRIED_OUT = frozenset({0, 1, 10, 11})
#: Outcomes that no check of an environment has behind an open gate, but for a test of its outputs after the apply.
_NOT_PASSED = frozenset({Outcome.FAILED, Outcome.ERROR, Outcome.SKIPPED, Outcome.MISSING})
_NAMES_SHOWN = 5


def shortcomings(evidence: Evidence, environment: str) -> Iterator[str]:
    """Why this is no evidence of a complete apply of the environment, each a clause; none if it is."""
    part = evidence.environment(environment)
    if part is None:
        yield f"it says nothing about {environment}"
        return
    yield from _closed(part)
    if evidence.run.group is not None:
        yield f"only the group {evidence.run.group} was applied"
    yield from narrowed(evidence)
    if not part.applied:
        yield "nothing was applied"
    if failed := [one.root for one in part.applied if one.outcome == "failed"]:
        yield f"the apply failed in {_some(failed)}"
    if part.left:
        yield f"{_some([one.root for one in part.left])} was left, not applied"
    if part.verdict is not None and part.verdict.open:
        yield from _not_passed(evidence, environment)
    if evidence.run.exit_code not in _CARRIED_OUT:
        yield f"the run broke off (exit code {evidence.run.exit_code})"


def narrowed(evidence: Evidence) -> Iterator[str]:
    """Whether only a part was judged, as a clause; whoever left things out was not allowed to apply."""
    if evidence.run.changed_since is not None:
        yield f"only what changed since {evidence.run.changed_since[:12]} was judged (--tf-changed)"


def uncommitted(evidence: Evidence) -> Iterator[str]:
    """Why nobody can say which commit it is about, each a clause."""
    if evidence.run.commit is None:
        yield "it names no commit"
    elif evidence.run.tree_clean is not True:
        yield "its work tree was not clean, so what was judged is not the commit"


def _closed(part: EnvironmentPart) -> Iterator[str]:
    if part.verdict is None:
        yield "it was not judged"
    elif part.verdict.reasons:
        first = part.verdict.reasons[0]
        yield f"the gate was closed ({first.code}: {first.text})"
    elif not part.verdict.open:
        yield "the gate was closed"


def _not_passed(evidence: Evidence, environment: str) -> Iterator[str]:
    """Behind an open gate, these can only be the tests of its outputs."""
    against = [check.id for check in evidence.checks if _stands_against(check, environment)]
    if against:
        yield f"tests after the apply did not pass: {_some(against)}"


def _stands_against(check: CheckPart, environment: str) -> bool:
    """A check without any record names no environment, so that it may be one of this."""
    nowhere = check.outcome is Outcome.MISSING and check.environment is None
    return check.outcome in _NOT_PASSED and (check.environment == environment or nowhere)


def _some(names: list[str]) -> str:
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" and {more} more" if more > 0 else "")
