"""The typed plan, its unknown values, and the saved file itself."""

from __future__ import annotations

import copy
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.errors import PlanReadError, UnknownValue
from pytest_tfpipeline.model import Changes, PlanStatus, Target
from pytest_tfpipeline.terraform.plan import UNKNOWN, changes, destroys, parse_plan, read_plan
from pytest_tfpipeline.terraform.planfile import sha256_of_plan, state_of_plan
from pytest_tfpipeline.terraform.planning import ensure_plan
from pytest_tfpipeline.terraform.unknown import merge_unknown


@pytest.mark.parametrize(
    "use",
    [
        lambda value: value == 1,
        lambda value: value != 1,
        lambda value: value == UNKNOWN,
        lambda value: value > 1,
        lambda value: bool(value),
        lambda value: not value,
        lambda value: value == "a",
        lambda value: "a" in value,
        lambda value: value["a"],
        lambda value: len(value),
        lambda value: list(value),
        lambda value: value.startswith("arn:"),
        lambda value: value + "x",
        lambda value: {"a": value} == {"a": 1},
    ],
)
def test_an_unknown_value_cannot_be_judged(use: Callable[[Any], object]) -> None:
    with pytest.raises(UnknownValue, match="known only after apply"):
        use(UNKNOWN)


def test_an_unknown_value_can_be_asked_for_shown_and_carried() -> None:
    assert UNKNOWN is UNKNOWN
    assert repr({"a": UNKNOWN}) == "{'a': UNKNOWN}"
    assert copy.deepcopy(UNKNOWN) is UNKNOWN
    assert copy.copy(UNKNOWN) is UNKNOWN
    assert len({UNKNOWN, UNKNOWN}) == 1


def test_unknowns_are_merged_at_any_depth() -> None:
    after = {"name": "n", "tags": {"a": "1"}, "rules": [{"port": 1}, {"port": 2}], "empty": {}, "none": None}
    unknown = {"arn": True, "tags": {"b": True}, "rules": [{}, {"id": True}, True], "none": {}, "later": {"x": True}}
    merged: Any = merge_unknown(after, unknown)
    assert merged["name"] == "n"
    assert merged["arn"] is UNKNOWN
    assert merged["tags"]["a"] == "1"
    assert merged["tags"]["b"] is UNKNOWN
    assert merged["rules"][0] == {"port": 1}
    assert merged["rules"][1]["id"] is UNKNOWN
    assert merged["rules"][2] is UNKNOWN
    assert (merged["empty"], merged["none"]) == ({}, None)
    assert merged["later"]["x"] is UNKNOWN


def _change(name: str, *actions: str, mode: str = "managed", **change: object) -> dict[str, object]:
    known = {"actions": list(actions), "before": None, "after": None, **change}
    return {"address": f"t.{name}", "mode": mode, "type": "t", "name": name, "provider_name": "p", "change": known}


def test_changes_count_each_resource_by_what_happens_to_it() -> None:
    plan = parse_plan(
        {
            "format_version": "1.9",
            "resource_changes": [
                _change("a", "create"),
                _change("b", "update"),
                _change("c", "delete", "create"),
                _change("d", "create", "delete"),
                _change("e", "delete"),
                _change("f", "no-op", importing={"id": "i"}),
                _change("g", "forget"),
                _change("h", "read", mode="data"),
                _change("i", "no-op"),
                _change("j", "no-op") | {"previous_address": "t.k"},
            ],
            "output_changes": {"x": {"actions": ["update"]}, "y": {"actions": ["no-op"]}},
        }
    )
    assert changes(plan) == Changes(add=1, change=1, replace=2, destroy=1, import_=1, forget=1, move=1, outputs=("x",))
    assert [item.address for item in destroys(plan)] == ["t.c", "t.d", "t.e"]


@pytest.mark.parametrize("raw", [{}, {"format_version": "2.0"}, [], "x"])
def test_a_format_that_is_not_known_is_refused(raw: object) -> None:
    with pytest.raises(PlanReadError, match="is known"):
        parse_plan(raw)


def test_a_plan_that_cannot_be_read_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text("{")
    for read in (read_plan, state_of_plan):
        with pytest.raises(PlanReadError) as caught:
            read(tmp_path / "p.json")
        assert caught.value.where == str(tmp_path / "p.json")
    with pytest.raises(PlanReadError):
        sha256_of_plan(tmp_path / "none")


def test_an_empty_state_counts_as_none(tmp_path: Path) -> None:
    for name, state, exists in (
        ("none", {"lineage": "", "serial": 0}, False),
        ("empty", {"lineage": "l", "serial": 1, "outputs": {}, "resources": []}, False),
        ("full", {"lineage": "l", "serial": 7, "outputs": {"a": {}}}, True),
    ):
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            archive.writestr("tfstate", json.dumps(state))
        found = state_of_plan(tmp_path / name)
        assert (found.exists, found.serial) == (exists, state["serial"])


def test_a_real_plan_is_read_whole(playground: Any) -> None:
    playground.write(
        "root/main.tf",
        'variable "v" {\n  default = 1\n}\n'
        'resource "terraform_data" "a" {\n  input = { v = var.v, id = terraform_data.b.id }\n}\n'
        'resource "terraform_data" "b" {}\n'
        'output "id" {\n  value     = terraform_data.b.id\n  sensitive = true\n}\n'
        'check "c" {\n  assert {\n    condition     = var.v == 1\n    error_message = "no"\n  }\n}\n',
    )
    target = Target("root", "staging")
    result = ensure_plan(playground.open(target), target)
    assert result.status is PlanStatus.PLANNED
    plan = read_plan(str(result.json_path))
    first = next(item for item in plan.resources if item.name == "a")
    assert first.after is not None
    assert first.after["input"]["v"] == 1
    assert first.after["input"]["id"] is UNKNOWN
    assert (first.type, first.mode, first.actions, first.before) == ("terraform_data", "managed", ("create",), None)
    assert plan.outputs["id"].after is UNKNOWN
    assert plan.outputs["id"].sensitive
    assert (plan.applyable, plan.complete, plan.errored) == (True, True, False)
    assert plan.checks
