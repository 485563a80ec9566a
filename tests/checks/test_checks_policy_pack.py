"""The shipped policy pack, and the views that users' policy tests get: pure, over plans in terraform's JSON form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.errors import DiscoveryError, UnknownValue
from pytest_tfpipeline.model import Module, PlanResult, PlanStatus, Repository, Root, Severity
from pytest_tfpipeline.policies import RULES, UNKNOWN, protected_destroys, review
from pytest_tfpipeline.policies.views import ConfigurationView, PlanView
from pytest_tfpipeline.terraform.plan import parse_plan

DOCUMENTED = Path(__file__).parents[2] / "docs" / "policies.md"


def change(address: str, *actions: str, **more: Any) -> dict[str, Any]:
    kind, name = address.split(".")[-2:]
    inner = {key: more.pop(key) for key in ("before", "after", "after_unknown") if key in more}
    data = {"address": address, "type": kind, "name": name, "mode": "managed", **more}
    return {**data, "change": {"actions": list(actions), **inner}}


def plan(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"format_version": "1.2", "resource_changes": list(changes), **more}


CHECK = {
    "address": {"kind": "check", "to_display": "check.health"},
    "status": "fail",
    "instances": [{"problems": [{"message": "it is down"}]}],
}

TAINTED = change("a.b", "delete", "create", action_reason="replace_because_tainted")


@pytest.mark.parametrize(
    ("rule", "address", "bad"),
    [
        ("TFP001", None, plan(errored=True)),
        ("TFP002", None, plan(complete=False)),
        ("TFP003", "check.health", plan(checks=[CHECK])),
        ("TFP004", "a.b", plan(TAINTED)),
        ("TFP005", "a.b", plan(change("a.b", "forget"))),
        ("TFP006", "a.b", plan(change("a.b", "delete", deposed="1a2b"))),
    ],
)
def test_each_rule_finds_what_it_is_for_and_nothing_else(rule: str, address: str | None, bad: dict[str, Any]) -> None:
    (finding,) = review(parse_plan(bad))
    assert (finding.rule, finding.address) == (rule, address)
    assert "\n-> " in finding.text


def test_an_ordinary_plan_is_left_alone() -> None:
    fine = {**CHECK, "status": "pass"}
    condition = {"address": {"kind": "resource", "to_display": "a.b"}, "status": "unknown"}
    actions = [("create",), ("update",), ("delete",), ("delete", "create"), ("no-op",), ("read",)]
    changes = [change(f"a.b{index}", *each) for index, each in enumerate(actions)]
    assert review(parse_plan(plan(*changes, checks=[fine, condition]))) == ()


def test_rules_are_unique_and_documented_with_their_severity() -> None:
    rows = [line for line in DOCUMENTED.read_text().splitlines() if line.startswith("| `TFP")]
    assert [row.split("|")[1:4] for row in rows] == [
        [f" `{rule.id}` ", f" {rule.title} ", f" {rule.severity} "] for rule in RULES
    ]
    assert {rule.severity for rule in RULES} == {Severity.ERROR, Severity.NOTICE}


def test_protected_destroys_are_deletes_and_replacements_of_those_types_in_any_module() -> None:
    read = parse_plan(
        plan(
            change("aws_s3_bucket.gone", "delete"),
            change("module.m.aws_s3_bucket.again", "create", "delete"),
            change("aws_s3_bucket.new", "create"),
            change("aws_s3_bucket.forgotten", "forget"),
            change("aws_sqs_queue.gone", "delete"),
        )
    )
    assert protected_destroys(read, ["aws_s3_bucket"]) == ("aws_s3_bucket.gone", "module.m.aws_s3_bucket.again")


@pytest.fixture
def view(tmp_path: Path) -> PlanView:
    path = tmp_path / "plan.json"
    made = plan(
        change("aws_s3_bucket.a", "create", after={"bucket": "x"}, after_unknown={"arn": True}),
        change("aws_s3_object.o", "delete", before={"key": "k"}),
        change("data.d", "read", mode="data"),
        output_changes={
            "arn": {"actions": ["create"], "after_unknown": True},
            "old": {"actions": ["delete"], "before": 1, "after": None},
        },
        variables={"environment": {"value": "staging"}},
    )
    path.write_text(json.dumps(made))
    return PlanView.read(PlanResult("core", "staging", PlanStatus.PLANNED, json_path=str(path)))


def test_tf_plan_selects_by_type_and_action(view: PlanView) -> None:
    assert (view.root, view.environment, view.variables) == ("core", "staging", {"environment": "staging"})
    assert [each.address for each in view.resources()] == ["aws_s3_bucket.a", "aws_s3_object.o"]
    assert [each.address for each in view.resources("aws_s3_*", "delete")] == ["aws_s3_object.o"]
    assert [each.name for each in view.resources(actions=["create", "update"])] == ["a"]
    assert view.resources("aws_s3_object")[0].after is None


def test_tf_plan_refuses_to_judge_what_is_unknown(view: PlanView) -> None:
    (bucket,) = view.resources("aws_s3_bucket")
    assert bucket.after is not None
    assert bucket.after["bucket"] == "x"
    assert bucket.after["arn"] is UNKNOWN
    assert list(view.outputs) == ["arn"]
    assert view.outputs["arn"] is UNKNOWN
    with pytest.raises(UnknownValue):
        assert bucket.after["arn"] == "arn:aws:s3:::x"


def test_tf_configuration_gives_blocks_with_their_place(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m/main.tf").write_text(
        'variable "a" {\n  type = string\n}\n\nresource "aws_s3_bucket" "b" {\n  bucket = "x"\n}\n'
    )
    (tmp_path / "m/more.tf.json").write_text('{"variable": {"j": {"type": "string"}}}')
    repository = Repository(
        str(tmp_path), roots=(Root("r", "r", "r/main.tf"),), modules=(Module("m", "m", "m/main.tf"),)
    )
    view = ConfigurationView.read(repository, "m")
    assert (view.root, view.kind) == ("m", "module")
    (bucket,) = view.blocks("resource", "aws_s3_*")
    assert (bucket.labels, bucket.body["bucket"], bucket.file, bucket.line) == (
        ("aws_s3_bucket", "b"),
        "x",
        "m/main.tf",
        5,
    )
    assert [each.labels for each in view.blocks("variable")] == [("a",), ("j",)]
    assert view.blocks("resource", name="other") == ()


def test_tf_configuration_names_the_file_that_cannot_be_parsed(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m/main.tf").write_text('resource "x" {\n')
    view = ConfigurationView.read(Repository(str(tmp_path)), "m")
    with pytest.raises(DiscoveryError, match=r"m/main.tf:\d+: cannot be parsed"):
        view.blocks("resource")
