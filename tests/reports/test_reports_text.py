"""The lines for people: what the last one of an environment says must be what happened."""

from __future__ import annotations

import pytest

from pytest_tfpipeline.gate.result import EnvironmentResult
from pytest_tfpipeline.gate.waves import Applied, Result
from pytest_tfpipeline.model import Changes, EnvironmentRun, Finding, PlanResult, PlanStatus, Severity
from pytest_tfpipeline.reports.text import changes_table, closing_line

STAGING = EnvironmentRun("staging")
WRONG = Finding("terraform-plan", Severity.ERROR, "no")


def planned(root: str, add: int = 0) -> PlanResult:
    return PlanResult(root, "staging", PlanStatus.PLANNED, changes=Changes(add=add))


def failed(root: str, *findings: Finding) -> PlanResult:
    return PlanResult(root, "staging", PlanStatus.FAILED, findings=findings)


def of_apply(*roots: tuple[str, str, int]) -> EnvironmentResult:
    """(root, outcome, additions) of each."""
    plans = tuple(planned(root, add) for root, _, add in roots)
    applied = tuple(Applied(root, 1, outcome) for root, outcome, _ in roots)  # type: ignore[arg-type]
    return EnvironmentResult(STAGING, plans, result=Result(applied, (), {plan.root: plan for plan in plans}))


@pytest.mark.parametrize(
    ("plans", "said"),
    [
        ((planned("a", 1), planned("b")), "staging: planned, nothing was applied"),
        ((planned("a", 1), failed("b", WRONG)), "staging: b could not be planned, nothing was applied"),
        (
            tuple(failed(root, WRONG) for root in "abcde"),
            "staging: a, b, c and 2 others could not be planned, nothing was applied",
        ),
        ((), "staging: nothing was planned or applied"),
    ],
)
def test_a_run_that_only_plans_says_what_was_planned(plans: tuple[PlanResult, ...], said: str) -> None:
    assert closing_line(EnvironmentResult(STAGING, plans), can_apply=False) == said


@pytest.mark.parametrize(
    ("roots", "said"),
    [
        ((("a", "applied", 1), ("b", "applied", 2)), "staging: applied, 2 roots changed"),
        ((("a", "applied", 1), ("b", "applied", 0)), "staging: applied, 1 root changed"),
        ((("a", "applied", 0), ("b", "unchanged", 0)), "staging: applied, nothing to change"),
        ((("a", "unchanged", 0),), "staging: nothing to change"),
    ],
)
def test_only_roots_with_changes_count_as_changed(roots: tuple[tuple[str, str, int], ...], said: str) -> None:
    """A root without any is carried out all the same where it has `after_apply` commands."""
    assert closing_line(of_apply(*roots), can_apply=True) == said


def test_a_plan_that_nobody_asked_for_did_not_fail() -> None:
    rows = changes_table([EnvironmentResult(STAGING, (failed("a"), failed("b", WRONG)))])
    assert rows[1].endswith("not planned")
    assert rows[2].endswith("could not be planned")


def test_a_run_that_was_interrupted_does_not_say_that_it_planned() -> None:
    said = closing_line(EnvironmentResult(STAGING, (planned("a", 1),)), can_apply=False, interrupted=True)
    assert said == "staging: interrupted, nothing was applied"
