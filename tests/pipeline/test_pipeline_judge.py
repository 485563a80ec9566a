"""What the controller makes of plans by itself, and what the waves make of theirs, without terraform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from plan_json import RAW, edited

from pytest_tfpipeline.context import Context, open_context
from pytest_tfpipeline.errors import PlanReadError, WorkspaceError
from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.model import (
    Changes,
    Check,
    CheckKind,
    EnvironmentRun,
    Finding,
    Outcome,
    PlanResult,
    PlanStatus,
    Record,
    Repository,
    Root,
    Run,
    Severity,
    Target,
)
from pytest_tfpipeline.pipeline import judge, steps
from pytest_tfpipeline.pipeline.judge import Reading, deferred, judge_cut_short, read_plans
from pytest_tfpipeline.pipeline.steps import TerraformSteps
from pytest_tfpipeline.terraform.applying import ApplyResult
from pytest_tfpipeline.terraform.plan import parse_plan

ENV = EnvironmentRun("staging", protect=("terraform_data",))
CORE, ETL = Target("core", "staging", apply=True), Target("etl", "staging", apply=True)
ROOTS = tuple(Root(name, name, f"{name}/main.tf") for name in ("core", "etl"))
CHECKS = tuple(
    Check(f"{root.anchor}::{kind.value}[staging]", kind, root.dir, "staging")
    for root in ROOTS
    for kind in (CheckKind.PLAN, CheckKind.POLICY)
)
PLANNED = PlanResult("core", "staging", PlanStatus.PLANNED, changes=Changes(add=9), state_exists=True)
BEHIND = PlanResult("etl", "staging", PlanStatus.DEFERRED, behind=("core",))
PLAN = parse_plan(RAW)
SETTINGS = {"allow_destroy": (), "skips": "report"}


def passed(check: Check, outcome: Outcome = Outcome.PASSED) -> Record:
    return Record(check.id, check.kind, outcome, check.dir, check.environment)


def run_of(path: Path, **given: Any) -> Run:
    values = {"targets": (CORE, ETL), "checks": CHECKS, "environments": (ENV,), "settings": SETTINGS, **given}
    return Run("r", "apply", Repository(str(path), roots=ROOTS), str(path), str(path), **values)


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return open_context(run_of(tmp_path))


@pytest.mark.parametrize(
    ("plan", "targets", "expected"),
    [
        (BEHIND, (CORE, ETL), {"etl"}),
        (replace(BEHIND, behind=()), (CORE, ETL), set()),
        (replace(BEHIND, behind=("core", "net")), (CORE, ETL), set()),
        (BEHIND, (replace(CORE, apply=False), ETL), set()),
        (BEHIND, (replace(CORE, environment="production"), ETL), set()),
        (replace(BEHIND, status=PlanStatus.FAILED), (CORE, ETL), set()),
    ],
)
def test_a_root_waits_only_for_what_this_run_applies(
    tmp_path: Path, plan: PlanResult, targets: Sequence[Target], expected: set[str]
) -> None:
    run = run_of(tmp_path, targets=tuple(targets))
    assert deferred(run, [Reading(PLANNED, PLAN), Reading(plan, None)]) == expected


def test_a_run_that_was_cut_short_is_never_open(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "kept_plan", lambda _, target: replace(PLANNED, root=target.root))
    verdict, plans = judge_cut_short(ctx, ENV, map(passed, CHECKS), ())
    assert [reason.code for reason in verdict.reasons] == [Code.INTERRUPTED]
    assert [plan.root for plan in plans] == ["core", "etl"]
    objected = Reason(Code.INTERNAL_ERROR, "it broke")
    assert judge_cut_short(ctx, ENV, map(passed, CHECKS), [objected])[0].reasons == (objected,)


def test_what_a_plan_changes_is_read_and_not_believed(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "kept_plan", lambda *_: PLANNED)
    monkeypatch.setattr(judge, "read_saved", lambda *_: PLAN)
    (reading,) = read_plans(ctx, [CORE])
    assert (reading.plan, reading.result.changes.add, reading.result.changes.destroy) == (PLAN, 1, 1)


def answers(monkeypatch: pytest.MonkeyPatch, kept: PlanResult | None, read: Any, changed: Sequence[str] = ()) -> None:
    def saved(*_: Any) -> Any:
        if isinstance(read, Exception):
            raise read
        return read

    monkeypatch.setattr(judge, "kept_plan", lambda _, target: kept and replace(kept, root=target.root))
    monkeypatch.setattr(judge, "read_saved", saved)
    monkeypatch.setattr(judge, "changed_inputs", lambda *_: tuple(changed))


@pytest.mark.parametrize(
    ("kept", "read", "changed", "code"),
    [
        (PLANNED, PlanReadError("is not the plan that was recorded"), (), Code.PLAN_CHANGED),
        (PLANNED, parse_plan(edited(False, "complete", raw=RAW)), (), Code.PLAN_INCOMPLETE),
        (PLANNED, PLAN, ("core/main.tf",), Code.TREE_CHANGED),
        (PLANNED, PLAN, (), Code.PROTECTED_DESTROY),
        (replace(PLANNED, status=PlanStatus.FAILED), None, (), Code.PLAN_CHANGED),
        (None, None, (), Code.PLAN_CHANGED),
    ],
)
def test_passing_records_do_not_stand_for_a_plan(
    ctx: Context, monkeypatch: pytest.MonkeyPatch, kept: PlanResult | None, read: Any, changed: Any, code: Code
) -> None:
    """A worker's word that a plan is made and clean opens nothing by itself."""
    answers(monkeypatch, kept, read, changed)
    readings = read_plans(ctx, [CORE, ETL])
    reasons = judge.judge(ctx, ENV, readings, map(passed, CHECKS), ()).reasons
    plans = {check.id for check in CHECKS if check.kind is CheckKind.PLAN}
    assert {reason.check for reason in reasons if reason.code is code} == plans


def test_a_plan_that_failed_says_so_once(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, replace(PLANNED, status=PlanStatus.FAILED), None)
    records = [passed(check, Outcome.FAILED if check.kind is CheckKind.PLAN else Outcome.PASSED) for check in CHECKS]
    reasons = judge.judge(ctx, ENV, read_plans(ctx, [CORE, ETL]), records, ()).reasons
    assert [reason.code for reason in reasons] == [Code.CHECK_FAILED] * 2


class Silence:
    """Hears nothing, and remembers the records and what was applied."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def on_record(self, record: Record, wave: int) -> None:
        self.heard.append((record.check, wave))

    def on_start(self, target: Target, plan: PlanResult) -> None:
        self.heard.append((target.root, "begins"))

    def on_event(self, target: Target, event: Any) -> None:
        raise AssertionError("nothing was applied")

    def on_applied(self, target: Target, applied: Any) -> None:
        self.heard.append((target.root, applied.outcome))


Said = Mapping[str, Sequence[Reason]]


def police(
    ctx: Context,
    monkeypatch: pytest.MonkeyPatch,
    *,
    policy: Outcome = Outcome.PASSED,
    tests: Sequence[Record] = (),
    objected: Sequence[Reason] = (),
    agreed: Said | None = None,
) -> tuple[dict[str, list[Code]], list[str]]:
    """The codes against CORE and ETL in wave 2, and the roots that somebody was asked to agree to. Whatever is given is
    about CORE alone."""
    asked: list[str] = []

    def agree(targets: Sequence[Target], readings: Any, wave: int) -> Said:
        asked.extend(target.root for target in targets)
        return {target.root: () for target in targets} if agreed is None else agreed

    def performed(_: Context, check: Check) -> Record:
        return passed(check, policy if check.dir == "core" else Outcome.PASSED)

    monkeypatch.setattr(steps, "perform", performed)
    monkeypatch.setattr(
        steps,
        "read_plans",
        lambda _, targets: [Reading(PlanResult(one.root, "staging", PlanStatus.PLANNED), PLAN) for one in targets],
    )
    monkeypatch.setattr(steps, "object_to", lambda _c, _e, one: list(objected) if one.result.root == "core" else [])
    made = TerraformSteps(ctx, ENV, Silence(), lambda *_: tests, agree)
    against = made.police([CORE, ETL], 2)
    return {root: [reason.code for reason in reasons] for root, reasons in against.items()}, asked


POLICY_TEST = Record("t.py::t", CheckKind.POLICY_TEST, Outcome.FAILED, "core", "staging")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"policy": Outcome.FAILED}, Code.CHECK_FAILED),
        ({"policy": Outcome.DEFERRED}, Code.CHECK_UNEXPECTED),
        ({"tests": [POLICY_TEST]}, Code.CHECK_FAILED),
        ({"tests": [replace(POLICY_TEST, outcome=Outcome.SKIPPED)]}, Code.CHECK_SKIPPED),
        ({"objected": [Reason(Code.PROTECTED_DESTROY, "deletes")]}, Code.PROTECTED_DESTROY),
    ],
)
def test_a_new_plan_is_judged_like_the_first_and_only_then_agreed_to(
    ctx: Context, monkeypatch: pytest.MonkeyPatch, given: dict[str, Any], code: Code
) -> None:
    assert police(ctx, monkeypatch, **given) == ({"core": [code], "etl": []}, ["etl"])


def test_nobody_having_agreed_stands_against_a_new_plan(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = Reason(Code.APPROVAL_MISSING, "waits")
    against, asked = police(ctx, monkeypatch, agreed={"core": [waits], "etl": ()})
    assert (against, asked) == ({"core": [Code.APPROVAL_MISSING], "etl": []}, ["core", "etl"])


@pytest.mark.parametrize(
    ("done", "outcome", "error"),
    [
        (ApplyResult(True), "applied", None),
        (ApplyResult(False, (Finding("x", Severity.ERROR, "quota", "a.b"),)), "failed", "a.b: quota"),
        (WorkspaceError("the disk is full"), "failed", "the disk is full"),
        (KeyboardInterrupt(), "failed", "interrupted; terraform was asked to stop and to unlock"),
    ],
)
def test_only_what_was_applied_is_called_so(
    ctx: Context, monkeypatch: pytest.MonkeyPatch, done: Any, outcome: str, error: str | None
) -> None:
    def apply(*_: Any) -> ApplyResult:
        if isinstance(done, BaseException):
            raise done
        assert isinstance(done, ApplyResult)
        return done

    monkeypatch.setattr(steps, "apply_plan", apply)
    listener = Silence()
    made = TerraformSteps(ctx, ENV, listener, lambda *_: (), lambda *_: {})
    applied = made.apply(CORE, PLANNED, 1)
    assert (applied.root, applied.wave, applied.outcome, applied.error) == ("core", 1, outcome, error)
    assert listener.heard == [("core", "begins"), ("core", outcome)]
