"""The exit code that a run which can apply ends with. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_tfpipeline.gate.result import EnvironmentResult

OK, FAILED, BROKEN = 0, 1, 3
#: Everything so far passed, and the run waits for an approval, or for a job that may apply the next environment.
WAITING = 10
#: Something was applied, and something failed or is left.
PARTIAL = 11


def exit_code(results: Sequence[EnvironmentResult], wanted: int, said: int, *, elsewhere: bool = False) -> int:
    """`results` are of the environments that were judged, `wanted` is how many were asked for, `said` what pytest makes
    of the tests: 0 or 1. `elsewhere`: the next environment is left to a job that has its credentials.

    Nothing is well unless every environment was applied.
    """
    if any(one.broken_outputs or (one.result and not one.result.ended) for one in results):
        return PARTIAL
    done = sum(one.complete for one in results)
    stopped = next((one for one in results if not one.complete), None)
    if said == OK and (stopped.waits if stopped else elsewhere and done >= wanted):
        return WAITING
    if done < wanted:
        return PARTIAL if _begun(results) else FAILED
    return said


def unproved(results: Sequence[EnvironmentResult], code: int) -> int:
    """The exit code of a run that would have ended with `code`, and whose evidence could not be written or signed: what
    was applied has no proof."""
    if code not in (OK, WAITING):
        return code
    return PARTIAL if _begun(results) else BROKEN


def _begun(results: Sequence[EnvironmentResult]) -> bool:
    return any(each.outcome != "unchanged" for one in results if one.result for each in one.result.applied)
