"""`decide` over generated runs, and over what a check job says of them: whatever is done to a run, no gate opens by it
that should stay closed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.gate.claim import claimed_records, to_claim, to_plans
from pytest_tfpipeline.gate.evidence import evidence
from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.gate.result import EnvironmentResult, Proposal, RunResult, Source
from pytest_tfpipeline.gate.verdict import Rules, decide, missing
from pytest_tfpipeline.model import CaseResult, Check, CheckKind, EnvironmentRun, Outcome, Record
from pytest_tfpipeline.proof.document import Evidence, evidence_of

ENV, OTHER = "staging", "production"
STAGING = EnvironmentRun(ENV)
COMMIT, REPOSITORY = "1" * 40, "https://example.org/lake.git"
TESTS = (CheckKind.TEST, CheckKind.POLICY_TEST)
SKIPPED_INSIDE = (CaseResult("a", Outcome.PASSED), CaseResult("b", Outcome.SKIPPED))

_outcomes = st.one_of(st.just(Outcome.PASSED), st.sampled_from(list(Outcome)))
_kinds = st.sampled_from(list(CheckKind))
_dirs = st.sampled_from(["core", "etl"])
_rules = st.builds(Rules, deferred=st.frozensets(_dirs), skips_fail=st.booleans())
_shuffles = st.randoms(use_true_random=False)


@dataclass(frozen=True)
class World:
    """What `decide` is given, but for the environment and the objections."""

    checks: Sequence[Check]
    records: Sequence[Record]
    rules: Rules

    def opens(self, *objections: Reason) -> bool:
        """Whether the gate of ENV is open."""
        return decide(ENV, self.checks, self.records, objections, self.rules).open

    def expected(self) -> list[Check]:
        """The checks that count in ENV."""
        return [check for check in self.checks if check.environment in (None, ENV)]


def record(check: Check, outcome: Outcome, *, skips: bool = False) -> Record:
    cases = SKIPPED_INSIDE if skips else ()
    return Record(check.id, check.kind, outcome, check.dir, check.environment, summary="said", cases=cases)


@st.composite
def _worlds(draw: st.DrawFn) -> World:
    """Mostly passing checks of two environments and shared ones; some without a record, some with two; strangers."""
    environments = st.sampled_from([None, ENV, ENV, OTHER])
    checks = [
        Check(f"c{number}", draw(_kinds), draw(_dirs), draw(environments)) for number in range(draw(st.integers(0, 4)))
    ]
    checks.append(PLAN)
    strangers = [
        Check(f"s{number}", draw(_kinds), draw(_dirs), draw(environments)) for number in range(draw(st.integers(0, 1)))
    ]
    everyone = st.sampled_from([*checks, *strangers])
    about = [check for check in (*checks, *strangers) if draw(st.integers(0, 15))]
    about += draw(st.lists(everyone, max_size=1))
    records = [record(check, draw(_outcomes), skips=not draw(st.integers(0, 7))) for check in about]
    return World(checks, records, draw(_rules))


PLAN = Check("plan", CheckKind.PLAN, "core", ENV)
PASSING = World([PLAN], [record(PLAN, Outcome.PASSED)], Rules())


def let_through(one: Record, rules: Rules) -> bool:
    """What the documentation says may stand beside an open gate, written down once more."""
    if one.outcome is Outcome.PASSED:
        return not (rules.skips_fail and one.cases)
    if one.outcome is Outcome.SKIPPED:
        return one.kind is CheckKind.TEST and not rules.skips_fail
    if one.outcome is Outcome.UNKNOWN:
        return one.kind is CheckKind.POLICY_TEST
    deferrable = (CheckKind.PLAN, CheckKind.POLICY, CheckKind.POLICY_TEST)
    return one.outcome is Outcome.DEFERRED and one.kind in deferrable and one.dir in rules.deferred


@given(_worlds())
@settings(deadline=None, max_examples=300)
def test_it_opens_exactly_where_everything_expected_is_there_and_let_through(world: World) -> None:
    counted = [one for one in world.records if one.environment in (None, ENV)]
    outcomes: dict[str, set[Outcome]] = {}
    for one in counted:
        outcomes.setdefault(one.check, set()).add(one.outcome)
    expected = {check.id for check in world.expected()}
    assert world.opens() == (
        expected <= outcomes.keys()
        and all(one.check in expected or one.kind in TESTS for one in counted)
        and all(let_through(one, world.rules) for one in counted)
        and all(len(found) == 1 for found in outcomes.values())
    )


@given(_worlds(), st.data())
@settings(deadline=None)
def test_a_check_that_loses_its_records_closes(world: World, data: st.DataObject) -> None:
    gone = data.draw(st.sampled_from(world.expected())).id
    verdict = decide(ENV, world.checks, [one for one in world.records if one.check != gone], (), world.rules)
    assert (Code.CHECK_MISSING, gone) in [(reason.code, reason.check) for reason in verdict.reasons]


@given(_worlds(), st.sampled_from([Outcome.FAILED, Outcome.ERROR, Outcome.MISSING]), st.data())
@settings(deadline=None)
def test_a_record_that_fails_closes(world: World, outcome: Outcome, data: st.DataObject) -> None:
    counted = [one for one in world.records if one.environment in (None, ENV)]
    assume(counted)
    failing = data.draw(st.sampled_from(counted))
    records = [replace(one, outcome=outcome) if one is failing else one for one in world.records]
    assert not replace(world, records=records).opens()


@given(_worlds(), _kinds, st.sampled_from([None, ENV]), _dirs)
@settings(deadline=None)
def test_one_more_expected_check_closes(world: World, kind: CheckKind, environment: str | None, where: str) -> None:
    assert not replace(world, checks=[*world.checks, Check("new", kind, where, environment)]).opens()


@given(_worlds(), _kinds, _outcomes, st.sampled_from([None, ENV]))
@settings(deadline=None)
def test_an_unknown_record_opens_nothing(world: World, kind: CheckKind, outcome: Outcome, where: str | None) -> None:
    stranger = Record("unknown", kind, outcome, "core", where)
    more = replace(world, records=[*world.records, stranger])
    assert not more.opens() if kind not in TESTS else more.opens() <= world.opens()


@given(_worlds(), _outcomes, st.data())
@settings(deadline=None)
def test_a_second_record_opens_nothing_and_a_copy_changes_nothing(
    world: World, outcome: Outcome, data: st.DataObject
) -> None:
    assume(world.records)
    again = data.draw(st.sampled_from(list(world.records)))
    other = replace(world, records=[*world.records, replace(again, outcome=outcome)])
    assert other.opens() <= world.opens()
    twice = [*world.records, *world.records]
    assert decide(ENV, world.checks, twice, (), world.rules) == decide(
        ENV, world.checks, world.records, (), world.rules
    )


@given(_worlds(), _kinds, _dirs, st.sampled_from([None, ENV, OTHER]), st.data())
@settings(deadline=None)
def test_a_record_under_anothers_id_never_stands_for_it(
    world: World, kind: CheckKind, where: str, environment: str | None, data: st.DataObject
) -> None:
    check = data.draw(st.sampled_from(world.expected()))
    stolen = Record(check.id, kind, Outcome.PASSED, where, environment)
    assume((kind, where, environment) != (check.kind, check.dir, check.environment))
    others = [one for one in world.records if one.check != check.id]
    assert not replace(world, records=[*others, stolen]).opens()
    assert not replace(world, records=[*world.records, stolen]).opens()


@given(_worlds(), _kinds, st.data(), _shuffles)
@settings(deadline=None)
def test_two_checks_of_one_id_are_never_both_met_by_one_record(
    world: World, kind: CheckKind, data: st.DataObject, chance: random.Random
) -> None:
    check = data.draw(st.sampled_from(world.expected()))
    assume(kind is not check.kind)
    checks = [*world.checks, replace(check, kind=kind)]
    assert not replace(world, checks=chance.sample(checks, len(checks))).opens()


@given(_worlds(), _shuffles)
@settings(deadline=None)
def test_order_changes_nothing_at_all(world: World, chance: random.Random) -> None:
    against = [Reason(Code.NARROWED, "-k was given"), Reason(Code.TREE_DIRTY, "a.tf")][: chance.randint(0, 2)]
    checks = chance.sample(list(world.checks), len(world.checks))
    records = chance.sample(list(world.records), len(world.records))
    first = decide(ENV, world.checks, world.records, against, world.rules)
    assert decide(ENV, checks, records, against[::-1], world.rules) == first


@given(_worlds(), st.lists(st.tuples(_kinds, _outcomes), max_size=3))
@settings(deadline=None)
def test_other_environments_change_nothing(world: World, others: list[tuple[CheckKind, Outcome]]) -> None:
    checks = [Check(f"o{number}", kind, "core", OTHER) for number, (kind, _) in enumerate(others)]
    records = [record(check, outcome, skips=True) for check, (_, outcome) in zip(checks, others, strict=True)]
    more = decide(ENV, [*world.checks, *checks], [*world.records, *records], (), world.rules)
    assert more == decide(ENV, world.checks, world.records, (), world.rules)
    assert decide(ENV, world.checks, [*world.records, *records], (), world.rules) == more


@given(_worlds(), st.sampled_from(list(Code)))
@settings(deadline=None)
def test_any_objection_closes_and_is_told(world: World, code: Code) -> None:
    objection = Reason(code, "because")
    assert not world.opens(objection)
    assert objection in decide(ENV, world.checks, world.records, [objection], world.rules).reasons


@given(_worlds(), st.frozensets(_dirs))
@settings(deadline=None)
def test_stricter_rules_open_nothing(world: World, deferred: frozenset[str]) -> None:
    fewer = Rules(world.rules.deferred & deferred, world.rules.skips_fail)
    assert replace(world, rules=fewer).opens() <= world.opens()
    assert replace(world, rules=replace(world.rules, skips_fail=True)).opens() <= world.opens()


def test_what_explains_others_is_told_first() -> None:
    checks = [Check("b", CheckKind.LINT, "core"), Check("a", CheckKind.LINT, "core")]
    against = [Reason(Code.INTERRUPTED, "at last"), Reason(Code.WRONG_IDENTITY, "z"), Reason(Code.WRONG_IDENTITY, "y")]
    found = [(reason.code, reason.check or reason.text) for reason in decide(ENV, checks, (), against).reasons]
    assert found == [
        (Code.WRONG_IDENTITY, "y"),
        (Code.WRONG_IDENTITY, "z"),
        (Code.CHECK_MISSING, "a"),
        (Code.CHECK_MISSING, "b"),
        (Code.NOTHING_TO_CHECK, f"no root is planned in {ENV}: nothing would be judged"),
        (Code.INTERRUPTED, "at last"),
    ]


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


@given(_worlds())
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
    assert list(claimed_records(claim, ENV)) == [replace(one, summary="") for one in records[:2]]


def test_every_reason_of_the_check_job_is_told_with_its_check() -> None:
    failed = record(PLAN, Outcome.FAILED)
    text = "the check job says check-failed: said"
    assert against(claim_of(World([PLAN], [failed], Rules())))[-1] == Reason(Code.ISOLATION, text, "plan")


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


def test_an_emulated_environment_takes_the_claim_of_an_emulated_one_from_a_dirty_tree() -> None:
    emulated = EnvironmentRun(ENV, "aws")
    assert against(claim_of(PASSING, clean=False, environment=emulated), emulated) == []
    (reason,) = against(claim_of(PASSING), emulated)
    assert f"there {ENV} was real" in reason.text


def test_plans_count_only_where_both_jobs_saw_the_same_ones_under_one_key() -> None:
    digest, other = "sha256:" + "a" * 64, "sha256:" + "b" * 64
    part = claim_of(PASSING, proposal=Proposal(digest)).environment(ENV)
    assert list(to_plans(ENV, part, digest, lasting=True)) == []
    (differ,) = to_plans(ENV, part, other, lasting=True)
    assert (differ.code, digest in differ.text, other in differ.text) == (Code.PLANS_DIFFER, True, True)
    (unknown,) = to_plans(ENV, part, digest, lasting=False)
    assert (unknown.code, "TFPIPELINE_DIGEST_KEY" in unknown.text) == (Code.PLANS_DIFFER, True)
    assert [one.code for one in to_plans(ENV, None, digest, lasting=True)] == [Code.PLANS_DIFFER]
    assert [one.code for one in to_plans(ENV, None, "", lasting=True)] == [Code.PLANS_DIFFER]
