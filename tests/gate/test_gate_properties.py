"""`decide` over generated runs: whatever is done to a run, no gate opens by it that should stay closed."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from worlds import ENV, OTHER, World, dirs, kinds, outcomes, record, worlds

from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.gate.verdict import Rules, decide
from pytest_tfpipeline.model import Check, CheckKind, Outcome, Record

TESTS = (CheckKind.TEST, CheckKind.POLICY_TEST)

_shuffles = st.randoms(use_true_random=False)


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


@given(worlds())
@settings(deadline=None, max_examples=300)
def test_it_opens_exactly_where_everything_expected_is_there_and_let_through(world: World) -> None:
    counted = [one for one in world.records if one.environment in (None, ENV)]
    said: dict[str, set[Outcome]] = {}
    for one in counted:
        said.setdefault(one.check, set()).add(one.outcome)
    expected = {check.id for check in world.expected()}
    assert world.opens() == (
        expected <= said.keys()
        and all(one.check in expected or one.kind in TESTS for one in counted)
        and all(let_through(one, world.rules) for one in counted)
        and all(len(found) == 1 for found in said.values())
    )


@pytest.mark.parametrize(("kind", "outcome"), [*product(CheckKind, Outcome)])
def test_each_outcome_of_each_kind_is_let_through_or_not(kind: CheckKind, outcome: Outcome) -> None:
    check = Check("one", kind, "core", ENV)
    for deferred, skips_fail, skips in product((frozenset({"core"}), frozenset({"etl"})), (False, True), (False, True)):
        one, rules = record(check, outcome, skips=skips), Rules(deferred, skips_fail)
        assert World([check], [one], rules).opens() == let_through(one, rules)


@given(worlds(), st.data())
@settings(deadline=None)
def test_a_check_that_loses_its_records_closes(world: World, data: st.DataObject) -> None:
    gone = data.draw(st.sampled_from(world.expected())).id
    verdict = decide(ENV, world.checks, [one for one in world.records if one.check != gone], (), world.rules)
    assert (Code.CHECK_MISSING, gone) in [(reason.code, reason.check) for reason in verdict.reasons]


@given(worlds(), st.sampled_from([Outcome.FAILED, Outcome.ERROR, Outcome.MISSING]), st.data())
@settings(deadline=None)
def test_a_record_that_fails_closes(world: World, outcome: Outcome, data: st.DataObject) -> None:
    counted = [one for one in world.records if one.environment in (None, ENV)]
    assume(counted)
    failing = data.draw(st.sampled_from(counted))
    records = [replace(one, outcome=outcome) if one is failing else one for one in world.records]
    assert not replace(world, records=records).opens()


@given(worlds(), kinds, st.sampled_from([None, ENV]), dirs)
@settings(deadline=None)
def test_one_more_expected_check_closes(world: World, kind: CheckKind, environment: str | None, where: str) -> None:
    assert not replace(world, checks=[*world.checks, Check("new", kind, where, environment)]).opens()


@given(worlds(), kinds, outcomes, st.sampled_from([None, ENV]))
@settings(deadline=None)
def test_an_unknown_record_opens_nothing(world: World, kind: CheckKind, outcome: Outcome, where: str | None) -> None:
    stranger = Record("unknown", kind, outcome, "core", where)
    more = replace(world, records=[*world.records, stranger])
    assert not more.opens() if kind not in TESTS else more.opens() <= world.opens()


@given(worlds(), outcomes, st.data())
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


@given(worlds(), kinds, dirs, st.sampled_from([None, ENV, OTHER]), st.data())
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


@given(worlds(), kinds, st.data(), _shuffles)
@settings(deadline=None)
def test_two_checks_of_one_id_are_never_both_met_by_one_record(
    world: World, kind: CheckKind, data: st.DataObject, chance: random.Random
) -> None:
    check = data.draw(st.sampled_from(world.expected()))
    assume(kind is not check.kind)
    checks = [*world.checks, replace(check, kind=kind)]
    assert not replace(world, checks=chance.sample(checks, len(checks))).opens()


@given(worlds(), _shuffles)
@settings(deadline=None)
def test_order_changes_nothing_at_all(world: World, chance: random.Random) -> None:
    against = [Reason(Code.NARROWED, "-k was given"), Reason(Code.TREE_DIRTY, "a.tf")][: chance.randint(0, 2)]
    checks = chance.sample(list(world.checks), len(world.checks))
    records = chance.sample(list(world.records), len(world.records))
    first = decide(ENV, world.checks, world.records, against, world.rules)
    assert decide(ENV, checks, records, against[::-1], world.rules) == first


@given(worlds(), st.lists(st.tuples(kinds, outcomes), max_size=3))
@settings(deadline=None)
def test_other_environments_change_nothing(world: World, others: list[tuple[CheckKind, Outcome]]) -> None:
    checks = [Check(f"o{number}", kind, "core", OTHER) for number, (kind, _) in enumerate(others)]
    records = [record(check, outcome, skips=True) for check, (_, outcome) in zip(checks, others, strict=True)]
    more = decide(ENV, [*world.checks, *checks], [*world.records, *records], (), world.rules)
    assert more == decide(ENV, world.checks, world.records, (), world.rules)
    assert decide(ENV, world.checks, [*world.records, *records], (), world.rules) == more


@given(worlds(), st.sampled_from(list(Code)))
@settings(deadline=None)
def test_any_objection_closes_and_is_told(world: World, code: Code) -> None:
    objection = Reason(code, "because")
    assert not world.opens(objection)
    assert objection in decide(ENV, world.checks, world.records, [objection], world.rules).reasons


@given(worlds(), st.frozensets(dirs))
@settings(deadline=None)
def test_stricter_rules_open_nothing(world: World, deferred: frozenset[str]) -> None:
    fewer = Rules(world.rules.deferred & deferred, world.rules.skips_fail)
    assert replace(world, rules=fewer).opens() <= world.opens()
    assert replace(world, rules=replace(world.rules, skips_fail=True)).opens() <= world.opens()


def test_what_explains_others_is_told_first() -> None:
    checks = [Check("b", CheckKind.LINT, "core"), Check("a", CheckKind.LINT, "core")]
    against = [Reason(Code.INTERRUPTED, "next"), Reason(Code.WRONG_IDENTITY, "z"), Reason(Code.WRONG_IDENTITY, "y")]
    found = [(reason.code, reason.check or reason.text) for reason in decide(ENV, checks, (), against).reasons]
    assert found == [
        (Code.WRONG_IDENTITY, "y"),
        (Code.WRONG_IDENTITY, "z"),
        (Code.INTERRUPTED, "next"),
        (Code.CHECK_MISSING, "a"),
        (Code.CHECK_MISSING, "b"),
        (Code.NOTHING_TO_CHECK, f"no root is planned in {ENV}: nothing would be judged"),
    ]
