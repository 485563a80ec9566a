"""What a check job says, held against what an apply job knows: it opens nothing by itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from worlds import ENV, OTHER, PLAN, World, record, worlds

from pytest_tfpipeline.gate.claim import claimed_records, to_claim, to_plans, to_unsaid
from pytest_tfpipeline.gate.evidence import evidence
from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.gate.result import EnvironmentResult, Proposal, RunResult, Source
from pytest_tfpipeline.gate.verdict import Rules, decide, missing
from pytest_tfpipeline.model import Check, CheckKind, EnvironmentRun, Outcome
from pytest_tfpipeline.proof.document import Evidence, evidence_of

STAGING = EnvironmentRun(ENV)
COMMIT, REPOSITORY = "1" * 40, "https://example.org/lake.git"
PASSING = World([PLAN], [record(PLAN, Outcome.PASSED)], Rules())


def claim_of(
    world: World,
    *,
    code: int = 0,
    commit: str | None = COMMIT,
    clean: bool = True,
    repository: str = REPOSITORY,
    judged: bool = True,
    environment: EnvironmentRun = STAGING,
    proposal: Proposal | None = None,
) -> Evidence:
    """What a check job writes about that world."""
    verdict = decide(ENV, world.checks, world.records, (), world.rules) if judged else None
    result = RunResult(
        "run",
        "plan",
        "2026-01-01T00:00:00+00:00",
        1.0,
        Source(repository, commit, None, clean),
        ("pytest",),
        2,
        code,
        environments=(EnvironmentResult(environment, claim=verdict, proposal=proposal),),
        records=tuple(world.records),
        missing=missing(world.checks, world.records),
    )
    return evidence_of(evidence(result), "evidence.json")


def against(claim: Evidence, environment: EnvironmentRun = STAGING) -> list[Reason]:
    return list(to_claim(claim, environment, COMMIT, REPOSITORY))


@given(worlds())
@settings(deadline=None)
def test_a_claim_opens_exactly_what_the_records_behind_it_open(world: World) -> None:
    claim = claim_of(world)
    verdict = decide(ENV, world.checks, claimed_records(claim, ENV), against(claim), world.rules)
    assert verdict.open == world.opens()
    assert decide(ENV, world.checks, claimed_records(claim, ENV), (), world.rules).open >= verdict.open


def test_a_claim_hands_on_records_as_they_are_and_no_absent_one() -> None:
    fmt, plan = Check("f", CheckKind.FMT, "core"), Check("p", CheckKind.PLAN, "core", ENV)
    theirs, absent = Check("o", CheckKind.PLAN, "core", OTHER), Check("m", CheckKind.LINT, "core")
    records = [record(fmt, Outcome.SKIPPED), record(plan, Outcome.PASSED), record(theirs, Outcome.PASSED)]
    claim = claim_of(World([fmt, plan, theirs, absent], records, Rules()))
    assert list(claimed_records(claim, ENV)) == [replace(one, summary="", reused=True) for one in records[:2]]


def test_every_reason_of_the_check_job_is_told_with_its_check() -> None:
    failed = record(PLAN, Outcome.FAILED)
    text = "the check job says check-failed: said"
    assert against(claim_of(World([PLAN], [failed], Rules())))[-1] == Reason(Code.ISOLATION, text, "plan")


def test_a_check_that_the_check_job_left_out_is_missed_whatever_is_made_here() -> None:
    policy, shared = Check("policy", CheckKind.POLICY, "core", ENV), Check("fmt", CheckKind.FMT, "core")
    theirs, expected = Check("other", CheckKind.PLAN, "core", OTHER), [PLAN, policy, shared]
    claim = claimed_records(claim_of(World([PLAN], [record(PLAN, Outcome.PASSED)], Rules())), ENV)
    (reason,) = to_unsaid([*expected, theirs], claim, ENV)
    assert reason.code is Code.ISOLATION
    assert reason.text.endswith("it has no result of policy and 1 more")
    whole = [record(check, Outcome.PASSED) for check in expected]
    assert list(to_unsaid([*expected, theirs], whole, ENV)) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"code": 1}, "its run ended with exit code 1"),
        ({"code": 10}, "its run ended with exit code 10"),
        ({"commit": "2" * 40}, f"it is of another commit ({'2' * 40}; this is {COMMIT})"),
        ({"commit": None}, f"it is of another commit (None; this is {COMMIT})"),
        ({"clean": False}, "its work tree was not clean"),
        ({"repository": "other"}, f"it is of another repository (other; this is {REPOSITORY})"),
        ({"judged": False}, "not every check passed"),
        ({"environment": EnvironmentRun("other")}, f"it says nothing about {ENV}"),
        ({"environment": EnvironmentRun(ENV, "aws")}, f"there {ENV} was emulated, and here it is not"),
    ],
)
def test_a_claim_that_is_about_something_else_counts_for_nothing(wrong: dict[str, Any], said: str) -> None:
    assert against(claim_of(PASSING)) == []
    reasons = against(claim_of(PASSING, **wrong))
    assert {reason.code for reason in reasons} == {Code.ISOLATION}
    assert f"the check job's evidence does not count: {said}" in "\n".join(reason.text for reason in reasons)


def test_a_claim_with_results_of_earlier_runs_counts_for_nothing() -> None:
    reused = World(PASSING.checks, [replace(one, reused=True) for one in PASSING.records], PASSING.rules)
    (reason,) = against(claim_of(reused))
    assert reason.code is Code.ISOLATION
    assert "give the check job TFPIPELINE_CACHE=off" in reason.text


def test_an_emulated_environment_takes_the_claim_of_an_emulated_one_from_a_dirty_tree() -> None:
    emulated = EnvironmentRun(ENV, "aws")
    assert against(claim_of(PASSING, clean=False, environment=emulated), emulated) == []
    (reason,) = against(claim_of(PASSING), emulated)
    assert f"there {ENV} was real" in reason.text


def test_plans_count_only_where_both_jobs_saw_the_same_ones_under_one_key() -> None:
    digest, other = "sha256:" + "a" * 64, "sha256:" + "b" * 64
    part = claim_of(PASSING, proposal=Proposal(digest)).environment(ENV)
    assert list(to_plans(ENV, part, digest, lasting=True)) == []
    (differing,) = to_plans(ENV, part, other, lasting=True)
    assert (differing.code, digest in differing.text, other in differing.text) == (Code.PLANS_DIFFER, True, True)
    (unknown,) = to_plans(ENV, part, digest, lasting=False)
    assert (unknown.code, "TFPIPELINE_DIGEST_KEY" in unknown.text) == (Code.PLANS_DIFFER, True)
    assert [one.code for one in to_plans(ENV, None, digest, lasting=True)] == [Code.PLANS_DIFFER]
    assert [one.code for one in to_plans(ENV, None, "", lasting=True)] == [Code.PLANS_DIFFER]
    assert "the jobs have different TFPIPELINE_DIGEST_KEYs" in differing.text
    assert list(to_plans(ENV, part, other, lasting=True, idle=True)) == []
    assert [one.code for one in to_plans(ENV, part, other, lasting=False, idle=True)] == [Code.PLANS_DIFFER]
