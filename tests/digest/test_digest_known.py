"""When an approval outlives a new plan: only values that were unknown have become known."""

from __future__ import annotations

from typing import Any

import pytest
from plan_json import RAW, change, edited, resource, stored

from pytest_tfpipeline.gate.digest import only_became_known
from pytest_tfpipeline.terraform.plan import parse_plan

APPROVED = parse_plan(RAW)
MADE, INNER, READ = 0, 7, 8


def now(raw: dict[str, Any]) -> bool:
    return only_became_known(APPROVED, parse_plan(raw))


def known(index: int, name: str, value: Any, raw: dict[str, Any] = RAW) -> dict[str, Any]:
    """The same plan with that attribute known."""
    raw = edited({}, "resource_changes", index, "change", "after_unknown", raw=raw)
    return edited(value, "resource_changes", index, "change", "after", name, raw=raw)


def test_the_same_plan_on_another_day_keeps_its_approval() -> None:
    assert now(edited("2026-01-01T00:00:00Z", "timestamp"))
    assert now({**RAW, "resource_changes": RAW["resource_changes"][::-1], "checks": RAW["checks"][::-1]})


@pytest.mark.parametrize("value", ["x", None, {"a": [1]}, 0, False])
def test_whatever_an_unknown_value_becomes_was_approved(value: Any) -> None:
    raw = known(MADE, "id", value)
    assert now(raw)
    assert not only_became_known(parse_plan(raw), APPROVED)


def test_an_output_and_a_check_may_become_known() -> None:
    raw = edited(False, "output_changes", "later", "after_unknown")
    assert now(edited("https://x", "output_changes", "later", "after", raw=raw))
    passed = edited("pass", "checks", 0, "status")
    assert now(edited("pass", "checks", 0, "instances", 1, "status", raw=passed))
    assert not now(edited("fail", "checks", 0, "status"))
    assert not only_became_known(parse_plan(passed), APPROVED)


def test_a_data_source_may_have_been_read() -> None:
    raw = {**RAW, "resource_changes": RAW["resource_changes"][:READ]}
    read = [*RAW["prior_state"]["values"]["root_module"]["resources"], stored("read", {"result": {}}, "data")]
    raw = edited(read, "prior_state", "values", "root_module", "resources", raw=raw)
    assert now(raw)
    assert not only_became_known(parse_plan(raw), APPROVED)


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ({"at": "elsewhere"}, ("resource_changes", MADE, "change", "after", "input")),
        (2.5, ("resource_changes", 1, "change", "after", "input")),
        (True, ("resource_changes", 1, "change", "before", "input")),
        (["delete", "create"], ("resource_changes", 1, "change", "actions")),
        (["no-op"], ("resource_changes", 1, "change", "actions")),
        ("aws", ("resource_changes", 1, "provider_name")),
        ("terraform_data.older", ("resource_changes", 4, "previous_address")),
        ("i-2", ("resource_changes", 5, "change", "importing", "id")),
        ("more", ("resource_changes", MADE, "change", "after", "more")),
        ({"input": True}, ("resource_changes", 1, "change", "after_unknown")),
        ("c", ("output_changes", "url", "after")),
        (["delete"], ("output_changes", "url", "actions")),
        ("a", ("output_changes", "later", "before")),
        ({"value": 4}, ("variables", "size")),
        (["bash"], ("configuration", "root_module", "resources", 0, "provisioners", 0, "expressions", "interpreter")),
        (False, ("complete",)),
        ([{"resource_change": resource("made", change(["create"], None, {}))}], ("deferred_changes",)),
        ("rm", ("prior_state", "values", "root_module", "resources", 0, "values", "output")),
    ],
)
def test_anything_else_stops_for_a_new_approval(value: Any, path: tuple[Any, ...]) -> None:
    assert not now(edited(value, *path))


def test_resources_and_outputs_must_be_the_same_ones() -> None:
    for index in range(READ):
        rest = RAW["resource_changes"][:index] + RAW["resource_changes"][index + 1 :]
        assert not now({**RAW, "resource_changes": rest})
    for more in (resource("new", change(["no-op"], {}, {})), resource("new", change(["read"], None, {}), "data")):
        assert not now({**RAW, "resource_changes": [*RAW["resource_changes"], more]})
    twice = [*RAW["resource_changes"], RAW["resource_changes"][1]]
    assert not now({**RAW, "resource_changes": twice})
    assert not now({**RAW, "output_changes": {"url": RAW["output_changes"]["url"]}})


def test_a_resource_with_nothing_to_do_may_drift() -> None:
    for values in ("before", "after", "before_sensitive", "after_sensitive"):
        assert now(edited({"input": "drifted"}, "resource_changes", 3, "change", values))
    assert now(edited("replace_because_tainted", "resource_changes", 3, "action_reason"))
    assert not now(edited({"input": "drifted"}, "resource_changes", 4, "change", "before"))


def test_what_is_sensitive_may_become_known() -> None:
    assert now(edited({"id": True}, "resource_changes", MADE, "change", "after_sensitive"))


def test_checks_with_instances_of_one_name_are_told_apart() -> None:
    raw = RAW
    for index in (0, 1):
        raw = edited({"to_display": "same"}, "checks", index, "instances", 0, "address", raw=raw)
    for index in (0, 1):
        failed = edited("fail", "checks", index, "instances", 0, "status", raw=raw)
        assert not only_became_known(parse_plan(raw), parse_plan(failed))


@pytest.mark.parametrize(
    "place", [("resource_changes", 1), ("resource_changes", 1, "change"), ("output_changes", "url")]
)
def test_what_a_newer_terraform_says_of_a_change_must_be_the_same(place: tuple[Any, ...]) -> None:
    assert not now(edited("new", *place, "something_new"))
    said = edited("old", *place, "something_new")
    assert only_became_known(parse_plan(said), parse_plan(said))
    assert not only_became_known(parse_plan(said), APPROVED)


def test_a_deposed_object_is_looked_at_beside_its_successor() -> None:
    both = [RAW["resource_changes"][1], {**RAW["resource_changes"][1], "deposed": "1f"}]
    approved = parse_plan({**RAW, "resource_changes": both})
    assert only_became_known(approved, parse_plan({**RAW, "resource_changes": both[::-1]}))
    for index in (0, 1):
        more = edited("new", index, "change", "something_new", raw=both)  # type: ignore[arg-type]
        assert not only_became_known(approved, parse_plan({**RAW, "resource_changes": more}))


@pytest.mark.parametrize("nothing", [{}, {"output_changes": None, "resource_changes": None}])
def test_a_plan_without_any_change_stays_what_it_is(nothing: dict[str, Any]) -> None:
    empty = parse_plan({"format_version": "1.2", **nothing})
    assert only_became_known(empty, empty)


def test_another_identity_to_import_is_another_approval() -> None:
    place = ("resource_changes", 5, "change", "importing")
    one, other = (edited({"identity": {"name": name}}, *place) for name in "ab")
    assert not only_became_known(parse_plan(one), parse_plan(other))


def test_a_list_may_not_grow_or_shrink() -> None:
    one = parse_plan(edited([1, 2], "resource_changes", 1, "change", "after", "input"))
    for other in ([1], [1, 2, 3]):
        changed = parse_plan(edited(other, "resource_changes", 1, "change", "after", "input"))
        assert not only_became_known(one, changed)


def test_each_instance_of_a_check_counts_and_what_was_null_is_no_other_value() -> None:
    assert not now(edited("fail", "checks", 0, "instances", 1, "status"))
    assert not now(edited("fail", "checks", 0, "instances", 0, "status"))
    assert not now(edited("terraform_data.other", "checks", 0, "instances", 0, "address", "to_display"))
    place = ("resource_changes", 1, "change", "after", "input")
    for one, other in (("x", None), (None, "x"), (["a"], "a"), ("a", ["a"]), ({}, []), (1.5, None), (1, True)):
        assert not only_became_known(parse_plan(edited(one, *place)), parse_plan(edited(other, *place)))
    for same in (1.5, None, True, "x", ["a"]):
        assert only_became_known(parse_plan(edited(same, *place)), parse_plan(edited(same, *place)))
