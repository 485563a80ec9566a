"""How long the rest of a run takes: from what is known of earlier runs and of this one, and nothing where that is too
little."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_tfpipeline.gate.result import EnvironmentResult
from pytest_tfpipeline.gate.waves import Applied, Result
from pytest_tfpipeline.model import (
    Changes,
    CheckKind,
    EnvironmentRun,
    Outcome,
    PlanResult,
    PlanStatus,
    Record,
    Repository,
    Root,
    Target,
)
from pytest_tfpipeline.pipeline.remaining import Expectation, Rest, expected_apply, moves, pace_of, remaining
from pytest_tfpipeline.pipeline.timings import read_timings, seconds_of_applies, seconds_of_checks, write_timings

A, B, C = "infra/a/main.tf", "infra/b/main.tf", "infra/c/main.tf"


def rest(*checks: str, workers: int = 1, **running: float) -> Rest:
    """Each check belongs to the group of its file."""
    return Rest({check: check.split("::", maxsplit=1)[0] for check in checks}, running, workers)


def test_checks_in_a_row_add_up() -> None:
    known = {f"{A}::fmt": 1.0, f"{A}::plan[dev]": 30.0}
    assert remaining(rest(*known), Expectation(known)) == 31.0


def test_workers_share_the_groups_evenly() -> None:
    known = {f"{A}::plan[dev]": 10.0, f"{B}::plan[dev]": 20.0, f"{C}::plan[dev]": 30.0}
    assert remaining(rest(*known, workers=2), Expectation(known)) == 30.0
    assert remaining(rest(*known, workers=1), Expectation(known)) == 60.0


def test_the_longest_group_cannot_be_shared() -> None:
    known = {f"{A}::validate": 20.0, f"{A}::plan[dev]": 30.0, f"{B}::plan[dev]": 10.0}
    assert remaining(rest(*known, workers=4), Expectation(known)) == 50.0


def test_what_is_going_on_counts_for_what_is_left_of_it() -> None:
    check = f"{A}::plan[dev]"
    expectation = Expectation({check: 30.0})
    assert remaining(Rest({check: A}, {check: 12.0}), expectation) == 18.0
    assert remaining(Rest({check: A}, {check: 90.0}), expectation) == 0.0


def test_a_new_directory_takes_what_others_take() -> None:
    known = {f"{A}::plan[dev]": 10.0, f"{B}::plan[dev]": 12.0, f"{A}::fmt": 1.0, f"{A}::policy": 3.0}
    expectation = Expectation(known)
    assert expectation.of(f"{C}::plan[staging]") == 11.0
    assert expectation.of(f"{C}::fmt") == 1.0
    assert expectation.of(f"{C}::policy[dev]") is None, "checkov on a plan is not checkov on the code"


def test_a_new_test_takes_what_others_of_its_file_take() -> None:
    expectation = Expectation({"tests/test_a.py::test_one": 4.0, "tests/test_b.py::test_x[core]": 2.0})
    assert expectation.of("tests/test_a.py::test_two") == 4.0
    assert expectation.of("tests/test_c.py::test_it") is None, "most tests are quick, and few take all the time"
    assert expectation.of(f"{A}::validate") is None


def test_many_quick_ones_do_not_hide_a_slow_one() -> None:
    known = {f"tests/test_a.py::test_{number}": 0.0 for number in range(9)} | {"tests/test_a.py::test_slow": 50.0}
    assert remaining(rest(*(f"tests/test_a.py::test_x[{number}]" for number in range(4))), Expectation(known)) == 20.0


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (PlanResult("a", "dev", PlanStatus.PLANNED), False),
        (PlanResult("a", "dev", PlanStatus.PLANNED, changes=Changes(add=1)), True),
        (PlanResult("a", "dev", PlanStatus.DEFERRED), True),
    ],
)
def test_a_plan_without_changes_moves_nothing_and_one_that_is_not_there_yet_may(
    plan: PlanResult, expected: bool
) -> None:
    assert moves(plan) is expected


@pytest.mark.parametrize("known", [{}, {f"{A}::fmt": 1.0}])
def test_where_nothing_like_it_is_known_nothing_is_said(known: dict[str, float]) -> None:
    assert remaining(rest(f"{B}::plan[dev]", f"{C}::plan[dev]"), Expectation(known)) is None


def test_a_little_that_is_unknown_hides_nothing() -> None:
    known = {f"{A}::fmt": 1.0}
    checks = [f"infra/{number}/main.tf::fmt" for number in range(4)]
    assert remaining(rest(*checks, f"{A}::validate"), Expectation(known)) == 4.0
    assert remaining(rest(*checks, f"{A}::validate", f"{B}::validate"), Expectation(known)) is None


def test_nothing_left_has_no_time() -> None:
    assert remaining(rest(), Expectation({f"{A}::fmt": 1.0})) is None


def test_a_slower_machine_makes_the_rest_longer_once_that_shows() -> None:
    earlier = {f"{A}::plan[dev]": 10.0, f"{B}::plan[dev]": 20.0}
    assert Expectation(earlier, {f"{A}::plan[dev]": 15.0}).of(f"{B}::plan[dev]") == 30.0
    assert pace_of({f"{A}::fmt": 0.1}, {f"{A}::fmt": 0.4}) == 1.0, "too little to tell"
    assert pace_of(earlier, {f"{A}::plan[dev]": 900.0}) == 4.0, "one that hung is not the pace of all"


def test_what_this_run_found_counts_where_no_earlier_one_has_been_once_it_is_enough() -> None:
    now = {f"infra/{number}/main.tf::plan[dev]": 9.0 for number in range(5)}
    assert Expectation({}, now).of(f"{B}::plan[dev]") == 9.0
    first = dict(list(now.items())[:4])
    assert Expectation({}, first).of(f"{B}::plan[dev]") is None, "the heaviest go first"
    assert Expectation({f"{A}::plan[dev]": 9.0}, first).of(f"{B}::plan[dev]") == 9.0


def test_an_apply_takes_as_long_as_its_longest_way_through_the_dependencies() -> None:
    ids = {root: f"{root}::apply[dev]" for root in "abc"}
    known = {ids["a"]: 10.0, ids["b"]: 20.0, ids["c"]: 25.0}
    targets = [Target("b", "dev", after=("a",)), Target("a", "dev"), Target("c", "dev", after=("elsewhere",))]
    assert expected_apply(targets, ids, known) == 30.0
    assert expected_apply(targets, ids, {}) is None


def test_what_came_to_an_end_is_kept_and_what_broke_is_not() -> None:
    records = [
        Record(f"{A}::{outcome}", CheckKind.PLAN, outcome, seconds=2.0004)
        for outcome in (Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, Outcome.SKIPPED, Outcome.DEFERRED)
    ]
    assert seconds_of_checks(records) == {f"{A}::passed": 2.0, f"{A}::failed": 2.0}


def test_an_apply_is_kept_under_the_id_that_it_is_reported_under() -> None:
    repository = Repository("/x", roots=(Root("infra/a", "a", A),))
    done = Result((Applied("infra/a", 1, "applied", 7.5),))
    unchanged = Result((Applied("infra/a", 1, "unchanged", 0.1),))
    results = [EnvironmentResult(EnvironmentRun(name), result=found) for name, found in (("x", done), ("y", unchanged))]
    assert seconds_of_applies(repository, results) == {f"{A}::apply[x]": 7.5}


def test_timings_of_files_that_are_gone_are_dropped_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "infra/a").mkdir(parents=True)
    (tmp_path / A).touch()
    earlier = {f"{A}::fmt": 1.0, f"{A}::plan[dev]": 8.0, f"{B}::fmt": 1.0}
    write_timings(tmp_path, tmp_path, earlier, {f"{A}::fmt": 2.0})
    assert read_timings(tmp_path) == {f"{A}::fmt": 2.0, f"{A}::plan[dev]": 8.0}


@pytest.mark.parametrize(
    "text", ['{"infra/a::fmt": null}', "[]", "{", '{"infra/a": 3.0}', '{"a::fmt": NaN, "b::fmt": -1, "c::fmt": 1e999}']
)
def test_timings_that_are_none_are_not_believed(text: str, tmp_path: Path) -> None:
    (tmp_path / "timings.json").write_text(text)
    assert read_timings(tmp_path) == {}
    write_timings(tmp_path, tmp_path, read_timings(tmp_path), {"a::fmt": 1.0})
    assert json.loads((tmp_path / "timings.json").read_text()) == {"a::fmt": 1.0}
