"""What the controller saw, as reasons: each fact closes with its own code, and nothing else does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from pytest_tfpipeline.gate.identity import Answer, to_identity, told
from pytest_tfpipeline.gate.objections import (
    to_changed_inputs,
    to_changed_tools,
    to_changes_of_tree,
    to_destroys,
    to_moved_commit,
    to_narrowing,
    to_plan,
    to_tree,
    to_unused_allowances,
)
from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.model import EnvironmentRun, PlanResult, PlanStatus, Tool
from pytest_tfpipeline.terraform.plan import Plan, parse_plan

REAL, EMULATED = EnvironmentRun("production", protect=("aws_s3_bucket",)), EnvironmentRun("staging", "aws")
PLANNED = PlanResult("core", "production", PlanStatus.PLANNED)
CHECK = "core/main.tf::plan[production]"
SEVEN = [f"{number}.tf" for number in range(1, 8)]


def read(*changes: tuple[str, Sequence[str]], kind: str = "aws_s3_bucket", reason: str = "", **more: Any) -> Plan:
    resources = [
        {
            "address": f"{kind}.{name}",
            "type": kind,
            "name": name,
            "mode": "managed",
            "change": {"actions": list(actions), "before": {}, "after": None},
            "action_reason": reason,
        }
        for name, actions in changes
    ]
    return parse_plan({"format_version": "1.2", "resource_changes": resources, **more})


def test_each_narrowing_option_is_named() -> None:
    assert list(to_narrowing(["-k", "--lf"])) == [
        Reason(Code.NARROWED, "-k was given: run without it to apply"),
        Reason(Code.NARROWED, "--lf was given: run without it to apply"),
    ]


def test_a_tree_that_is_not_the_commit_closes_a_real_environment_only() -> None:
    dirty, ignored = to_tree(["a.tf"], ["x.auto.tfvars"], REAL)
    assert dirty == Reason(Code.TREE_DIRTY, "not committed: a.tf; commit or stash, then run again")
    assert (ignored.code, "x.auto.tfvars" in ignored.text) == (Code.IGNORED_INPUT, True)
    assert [one.code for one in to_tree([], ["x"], REAL)] == [Code.IGNORED_INPUT]
    assert [one.code for one in to_tree(["x"], [], REAL)] == [Code.TREE_DIRTY]
    assert list(to_tree([], [], REAL)) == list(to_tree(["a.tf"], ["x"], EMULATED)) == []


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (SEVEN[:1], "1.tf"),
        (SEVEN[:5], "1.tf, 2.tf, 3.tf, 4.tf, 5.tf"),
        (SEVEN[:6], "1.tf, 2.tf, 3.tf, 4.tf, 5.tf and 1 more"),
        (SEVEN, "1.tf, 2.tf, 3.tf, 4.tf, 5.tf and 2 more"),
    ],
)
def test_a_tree_that_changed_closes_and_names_the_first_files(names: list[str], said: str) -> None:
    assert list(to_changes_of_tree(names)) == [Reason(Code.TREE_CHANGED, f"changed while the run was going on: {said}")]
    assert list(to_changed_inputs(names, CHECK)) == [
        Reason(Code.TREE_CHANGED, f"changed since the plan was made: {said}", CHECK)
    ]


def test_nothing_changed_is_no_reason() -> None:
    assert not [*to_changes_of_tree([]), *to_changed_inputs([], CHECK), *to_narrowing([])]
    assert list(to_moved_commit("1" * 40, "1" * 40)) == list(to_moved_commit(None, None)) == []


@pytest.mark.parametrize(
    ("began", "now", "said"),
    [
        ("1" * 40, "2" * 40, f"HEAD is {'2' * 12} and was {'1' * 12} when"),
        ("1" * 40, None, f"HEAD is no commit and was {'1' * 12} when"),
        (None, "2" * 40, f"HEAD is {'2' * 12} and was no commit when"),
    ],
)
def test_another_commit_closes(began: str | None, now: str | None, said: str) -> None:
    (reason,) = to_moved_commit(began, now)
    assert reason.code is Code.TREE_CHANGED
    assert said in reason.text


def test_each_tool_that_changed_closes() -> None:
    tools = [Tool("terraform", "1", "/bin/terraform", "aa"), Tool("tflint", "1", "/bin/tflint", "bb")]
    assert list(to_changed_tools(tools, {"/bin/terraform": "aa", "/bin/tflint": "bb"})) == []
    for now in ({"/bin/terraform": "", "/bin/tflint": "bb"}, {"/bin/terraform": "bb", "/bin/tflint": "bb"}):
        assert [(one.code, "/bin/terraform" in one.text) for one in to_changed_tools(tools, now)] == [
            (Code.TOOL_CHANGED, True)
        ]


def test_a_plan_that_is_not_whole_closes() -> None:
    whole = read(("a", ["create"]))
    assert list(to_plan(PLANNED, whole, "", CHECK)) == []
    assert list(to_plan(PLANNED, None, "another hash", CHECK)) == [Reason(Code.PLAN_CHANGED, "another hash", CHECK)]
    for broken in (replace(whole, errored=True), replace(whole, complete=False), replace(whole, deferred=("a.b",))):
        (reason,) = to_plan(PLANNED, broken, "", CHECK)
        assert (reason.code, reason.check) == (Code.PLAN_INCOMPLETE, CHECK)


@pytest.mark.parametrize("status", [PlanStatus.DEFERRED, PlanStatus.FAILED])
def test_what_was_not_planned_has_no_plan_to_object_to(status: PlanStatus) -> None:
    assert list(to_plan(replace(PLANNED, status=status), None, "no plan was made", CHECK)) == []


@pytest.mark.parametrize(
    ("actions", "verb"),
    [(["delete"], "deletes"), (["delete", "create"], "replaces"), (["create", "delete"], "replaces")],
)
def test_a_protected_resource_is_neither_deleted_nor_replaced(actions: list[str], verb: str) -> None:
    plan = read(("logs", actions))
    (reason,) = to_destroys(PLANNED, plan, REAL, (), CHECK)
    assert (reason.code, reason.check) == (Code.PROTECTED_DESTROY, CHECK)
    assert reason.text == (
        f"the plan {verb} aws_s3_bucket.logs; if that is meant: --allow-destroy 'core//aws_s3_bucket.logs'"
    )
    assert list(to_destroys(PLANNED, plan, REAL, ["core//aws_s3_bucket.logs"], CHECK)) == []


@pytest.mark.parametrize(
    "allowed", ["aws_s3_bucket.logs", "core//aws_s3_bucket.log", "core//aws_s3_bucket.logs2", "etl//aws_s3_bucket.logs"]
)
def test_only_the_whole_name_allows(allowed: str) -> None:
    assert len(list(to_destroys(PLANNED, read(("logs", ["delete"])), REAL, [allowed], CHECK))) == 1


def test_each_protected_resource_is_named_and_a_broken_creation_told() -> None:
    plan = read(("a", ["delete"]), ("b", ["delete", "create"]), ("c", ["update"]), reason="replace_because_tainted")
    first, second = to_destroys(PLANNED, plan, REAL, (), CHECK)
    assert "aws_s3_bucket.a (its creation did not finish);" in first.text
    assert "aws_s3_bucket.b (its creation did not finish);" in second.text
    assert list(to_destroys(PLANNED, plan, REAL, ["core//aws_s3_bucket.a"], CHECK)) == [second]


def test_what_is_not_protected_may_go() -> None:
    assert list(to_destroys(PLANNED, read(("a", ["delete"]), kind="aws_iam_role"), REAL, (), CHECK)) == []
    assert list(to_destroys(PLANNED, read(("a", ["create"]), ("b", ["forget"])), REAL, (), CHECK)) == []


def test_an_allowance_of_nothing_is_told() -> None:
    assert list(to_unused_allowances(["core//a", "core//b"], ["core//b", "core//c"], ["core//c"])) == [
        "--allow-destroy core//a names nothing that a plan deletes or replaces"
    ]
    assert list(to_unused_allowances([], iter(["core//b"]), ["core//d", "core//c", "core//b"])) == [
        f"the allowed deletion of core//{name} is not used: no plan deletes or replaces it; take it out of the file"
        for name in "cd"
    ]


def answer(found: str | None, expected: str = "2", problem: str = "") -> Answer:
    return Answer("AWS account", "plan", expected, found, problem)


@pytest.mark.parametrize(
    ("found", "said"), [("1", "AWS account 1, but `identity` expects 2"), (None, "`identity` expects 2): expired")]
)
def test_credentials_of_another_or_of_nobody_close(found: str | None, said: str) -> None:
    wrong = answer(found, problem="expired")
    assert (answer("2").right, wrong.right) == (True, False)
    for answers in ([wrong], [answer("2"), wrong], [wrong, answer("2")]):
        (reason,) = to_identity("production", answers)
        assert reason.code is Code.WRONG_IDENTITY
        assert reason.text.startswith("the plan credentials for production: ")
        assert said in reason.text


def test_who_it_was_is_told_once_each_and_in_order() -> None:
    assert told([answer("2"), answer("1"), answer("2"), answer(None)]) == "1, 2"
    assert told([answer(None)]) is told([]) is None
