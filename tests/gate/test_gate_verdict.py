"""The decision, by table and by property: nothing that is taken away, broken or added may open a closed gate."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.gate.reasons import MEANING, Code, Reason
from pytest_tfpipeline.gate.verdict import Rules, decide, missing
from pytest_tfpipeline.model import CaseResult, Check, CheckKind, Outcome, Record

ENV = "staging"
CHECKS = (
    Check("core/main.tf::fmt", CheckKind.FMT, "core"),
    Check("core/main.tf::validate", CheckKind.VALIDATE, "core"),
    Check("core/main.tf::plan[staging]", CheckKind.PLAN, "core", ENV),
    Check("core/main.tf::policy[staging]", CheckKind.POLICY, "core", ENV),
    Check("core/main.tf::plan[production]", CheckKind.PLAN, "core", "production"),
    Check("lambdas/a/pyproject.toml::unit", CheckKind.UNIT, "lambdas/a"),
)


def record(check: Check, outcome: Outcome = Outcome.PASSED) -> Record:
    return Record(check.id, check.kind, outcome, check.dir, check.environment)


PASSING = tuple(record(check) for check in CHECKS if check.environment != "production")
TEST = Record("tests/test_a.py::test_a", CheckKind.TEST, Outcome.PASSED)
POLICY_TEST = Record("tests/test_p.py::test_p[core-staging]", CheckKind.POLICY_TEST, Outcome.PASSED, "core", ENV)


def codes(*records: Record, rules: Rules | None = None, objections: tuple[Reason, ...] = ()) -> list[Code]:
    return [reason.code for reason in decide(ENV, CHECKS, records, objections, rules).reasons]


def test_everything_passed_opens() -> None:
    verdict = decide(ENV, CHECKS, (*PASSING, TEST, POLICY_TEST))
    assert verdict.open
    assert verdict.reasons == ()


@pytest.mark.parametrize("index", range(len(PASSING)))
def test_each_missing_record_is_named(index: int) -> None:
    left = PASSING[:index] + PASSING[index + 1 :]
    reasons = decide(ENV, CHECKS, left).reasons
    assert [(reason.code, reason.check) for reason in reasons] == [(Code.CHECK_MISSING, PASSING[index].check)]


@pytest.mark.parametrize(
    ("outcome", "code"),
    [
        (Outcome.FAILED, Code.CHECK_FAILED),
        (Outcome.ERROR, Code.CHECK_ERROR),
        (Outcome.SKIPPED, Code.CHECK_SKIPPED),
        (Outcome.UNKNOWN, Code.CHECK_UNKNOWN),
        (Outcome.MISSING, Code.CHECK_MISSING),
        (Outcome.DEFERRED, Code.CHECK_UNEXPECTED),
    ],
)
@pytest.mark.parametrize("index", range(len(PASSING)))
def test_each_outcome_but_passed_closes(outcome: Outcome, code: Code, index: int) -> None:
    records = [replace(one, outcome=outcome) if i == index else one for i, one in enumerate(PASSING)]
    assert codes(*records) == [code]


def test_a_deferred_root_is_let_through_only_where_the_controller_found_it_deferred() -> None:
    records = [
        replace(one, outcome=Outcome.DEFERRED, summary="deferred behind net")
        if one.kind in (CheckKind.PLAN, CheckKind.POLICY)
        else one
        for one in PASSING
    ]
    verdict = decide(ENV, CHECKS, records, rules=Rules(deferred=frozenset({"core"})))
    assert verdict.open
    assert verdict.notes == ("not seen yet: core (deferred behind net)",)
    assert codes(*records, rules=Rules(deferred=frozenset({"etl"}))) == [Code.CHECK_UNEXPECTED] * 2


def test_a_static_check_can_never_be_deferred() -> None:
    records = [replace(PASSING[0], outcome=Outcome.DEFERRED), *PASSING[1:]]
    assert codes(*records, rules=Rules(deferred=frozenset({"core"}))) == [Code.CHECK_UNEXPECTED]


def test_other_environments_do_not_count() -> None:
    broken = record(CHECKS[4], Outcome.FAILED)
    assert codes(*PASSING, broken) == []


def test_a_failing_ordinary_test_closes_and_a_skipped_one_is_reported() -> None:
    assert codes(*PASSING, replace(TEST, outcome=Outcome.FAILED)) == [Code.CHECK_FAILED]
    skipped = replace(TEST, outcome=Outcome.SKIPPED)
    assert decide(ENV, CHECKS, (*PASSING, skipped)).notes == ("skipped: tests/test_a.py::test_a",)
    assert codes(*PASSING, skipped, rules=Rules(skips_fail=True)) == [Code.SUITE_SKIPPED]


def test_a_skipped_policy_test_closes() -> None:
    assert codes(*PASSING, replace(POLICY_TEST, outcome=Outcome.SKIPPED)) == [Code.CHECK_SKIPPED]


def test_a_policy_test_that_cannot_know_is_reported() -> None:
    verdict = decide(ENV, CHECKS, (*PASSING, replace(POLICY_TEST, outcome=Outcome.UNKNOWN)))
    assert verdict.open
    assert verdict.notes == (f"not known before apply: {POLICY_TEST.check}",)


def test_a_skip_inside_a_suite_is_counted_and_closes_where_configured() -> None:
    cases = (CaseResult("a", Outcome.PASSED), CaseResult("b", Outcome.SKIPPED))
    records = (*PASSING[:-1], replace(PASSING[-1], cases=cases))
    assert decide(ENV, CHECKS, records).notes == ("1 skipped inside lambdas/a/pyproject.toml::unit",)
    assert codes(*records, rules=Rules(skips_fail=True)) == [Code.SUITE_SKIPPED]


def test_a_duplicate_that_disagrees_closes_and_one_that_agrees_does_not() -> None:
    assert codes(*PASSING, PASSING[0]) == []
    assert Code.RECORDS_DISAGREE in codes(*PASSING, replace(PASSING[0], outcome=Outcome.SKIPPED))


def test_a_record_under_another_checks_id_closes() -> None:
    stolen = replace(PASSING[0], kind=CheckKind.LINT)
    assert codes(stolen, *PASSING[1:]) == [Code.CHECK_UNEXPECTED]


def test_a_record_of_a_check_that_nobody_expects_closes() -> None:
    assert codes(*PASSING, Record("x.tf::plan[staging]", CheckKind.PLAN, Outcome.PASSED, "x", ENV)) == [
        Code.CHECK_UNEXPECTED
    ]


def test_nothing_to_plan_closes() -> None:
    assert [reason.code for reason in decide("dev", CHECKS, PASSING).reasons] == [Code.NOTHING_TO_CHECK]
    assert not decide(ENV, (), ()).open


def test_any_objection_closes() -> None:
    objection = Reason(Code.NARROWED, "-k was given")
    assert decide(ENV, CHECKS, PASSING, [objection]).reasons == (objection,)


def test_every_code_has_a_meaning() -> None:
    assert set(MEANING) == set(Code)


def test_missing_keeps_the_order() -> None:
    assert missing(CHECKS, PASSING[2:]) == (CHECKS[0].id, CHECKS[1].id, CHECKS[4].id)


_records = st.builds(
    lambda check, outcome: record(check, outcome), st.sampled_from(CHECKS), st.sampled_from(list(Outcome))
)
_strangers = st.builds(
    lambda kind, outcome, env: Record("y.tf::y", kind, outcome, "y", env),
    st.sampled_from(list(CheckKind)),
    st.sampled_from(list(Outcome)),
    st.sampled_from([ENV, None]),
)
_rules = st.builds(Rules, deferred=st.sampled_from([frozenset(), frozenset({"core"})]), skips_fail=st.booleans())


@given(st.lists(_records), _strangers, _rules)
@settings(deadline=None)
def test_adding_a_record_never_opens_unless_it_was_missing(
    records: list[Record], stranger: Record, rules: Rules
) -> None:
    if not decide(ENV, CHECKS, records, rules=rules).open:
        assert not decide(ENV, CHECKS, [*records, stranger], rules=rules).open


@given(st.lists(_records, min_size=1), st.data(), _rules)
@settings(deadline=None)
def test_removing_or_failing_a_record_never_opens(records: list[Record], data: st.DataObject, rules: Rules) -> None:
    index = data.draw(st.integers(0, len(records) - 1))
    distinct = {one.check: one for one in records}
    unique = list(distinct.values())
    if not decide(ENV, CHECKS, unique, rules=rules).open:
        assert not decide(ENV, CHECKS, unique[: index % len(unique)], rules=rules).open
    failed = [replace(one, outcome=Outcome.FAILED) if i == index else one for i, one in enumerate(records)]
    if records[index].environment in (None, ENV):
        assert not decide(ENV, CHECKS, failed, rules=rules).open


@given(st.lists(_records), st.sampled_from(list(CheckKind)), _rules)
@settings(deadline=None)
def test_expecting_more_never_opens(records: list[Record], kind: CheckKind, rules: Rules) -> None:
    more = (*CHECKS, Check("z.tf::z", kind, "z", ENV))
    assert not decide(ENV, more, records, rules=rules).open


@given(st.lists(_records), st.randoms(use_true_random=False), _rules)
@settings(deadline=None)
def test_order_never_matters(records: list[Record], chance: random.Random, rules: Rules) -> None:
    shuffled, checks = list(records), list(CHECKS)
    chance.shuffle(shuffled)
    chance.shuffle(checks)
    first, second = decide(ENV, CHECKS, records, rules=rules), decide(ENV, checks, shuffled, rules=rules)
    assert first.open == second.open
    assert {reason.code for reason in first.reasons} == {reason.code for reason in second.reasons}
