"""What a closed gate says, word by word: somebody has to know from it what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from plan_json import RAW, edited

from pytest_tfpipeline.gate import objections
from pytest_tfpipeline.gate.claim import to_code, to_plans
from pytest_tfpipeline.gate.identity import Answer, to_identity
from pytest_tfpipeline.gate.prior import to_after, to_unread
from pytest_tfpipeline.gate.reasons import Code, Reason, Verdict
from pytest_tfpipeline.gate.verdict import Rules, decide
from pytest_tfpipeline.gate.waivers import to_notes, to_waivers, used
from pytest_tfpipeline.model import (
    CaseResult,
    Check,
    CheckKind,
    Deciding,
    EnvironmentRun,
    Finding,
    Outcome,
    PlanResult,
    PlanStatus,
    Record,
    Repository,
    Run,
    Severity,
    Waiver,
)
from pytest_tfpipeline.terraform.plan import parse_plan

PRODUCTION = EnvironmentRun("production", after="staging")
WAIVER = Waiver("CKV_1", "tf//a.b", "ann", "a log", "2030-01-14", place="w.toml: waiver[0]")
NAMED = "w.toml: waiver[0]: the waiver of CKV_1 for tf//a.b"
PLAN, LINT = Check("p", CheckKind.PLAN, "core", "production"), Check("l", CheckKind.LINT, "core")


def record(check: Check, outcome: Outcome = Outcome.PASSED, **more: Any) -> Record:
    return Record(check.id, check.kind, outcome, check.dir, check.environment, **more)


def judged(*records: Record) -> Verdict:
    return decide("production", [PLAN, LINT], records)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer("AWS account", "plan", "1", "2"), "AWS account 2, but `identity` expects 1"),
        (
            Answer("AWS account", "plan", "1", None, "no keys"),
            "AWS account could not be found out (`identity` expects 1): no keys",
        ),
        (Answer("`id` says", "plan", "1", None, "exit 1"), "`id` says nothing (`identity` expects 1): exit 1"),
    ],
)
def test_of_credentials(answer: Answer, said: str) -> None:
    expected = Reason(Code.WRONG_IDENTITY, f"the plan credentials for production: {said}")
    assert list(to_identity("production", [answer])) == [expected]


def test_of_waivers() -> None:
    today = date(2030, 1, 15)

    def said(waiver: Waiver, *, covers: bool) -> list[Reason]:
        return list(to_waivers([waiver], [waiver] if covers else [], [waiver], today))

    ended = f"{NAMED} expired: its last day was 2030-01-14; "
    assert said(WAIVER, covers=True) == [
        Reason(Code.WAIVER_EXPIRED, f"{ended}mend what it waives, or have it renewed (owner: ann)")
    ]
    assert said(WAIVER, covers=False) == [Reason(Code.WAIVER_EXPIRED, f"{ended}take it out (owner: ann)")]
    holding = replace(WAIVER, expires="2030-01-15", environment="staging")
    text = f"{NAMED} in staging waives nothing; take it out (owner: ann)"
    assert said(holding, covers=False) == [Reason(Code.WAIVER_UNUSED, text)]
    assert said(holding, covers=True) == []
    assert list(to_notes([WAIVER, holding, replace(WAIVER, expires="2030-01-30")], today)) == [
        f"{NAMED} has expired: its last day was 2030-01-14 (owner: ann)",
        f"{NAMED} in staging expires today (owner: ann; a log)",
    ]


def test_only_records_of_policies_use_a_waiver() -> None:
    finding = Finding("CKV_1", Severity.ERROR, "x", "a.b")
    record = Record("one", CheckKind.POLICY, Outcome.PASSED, "tf", findings=(finding,))
    assert used([WAIVER], [record]) == {WAIVER}
    assert used([WAIVER], [replace(record, kind=CheckKind.LINT)]) == frozenset()
    anywhere = replace(WAIVER, address="*//a.b")
    assert used([anywhere], [replace(record, dir=None)]) == frozenset()


def test_of_evidence_that_is_not_there() -> None:
    missing = "production comes after staging, and there is no evidence of staging: give it with --tf-prior=FILE"
    assert list(to_after(PRODUCTION, (), "c", "r", False)) == [Reason(Code.PRIOR_MISSING, missing)]
    others: Any = [SimpleNamespace(file=name, evidence=SimpleNamespace(environment={}.get)) for name in ("a", "b")]
    (reason,) = to_after(PRODUCTION, others, "c", "r", False)
    assert "no evidence of staging; a, b says nothing about it: give it" in reason.text


def test_of_kept_evidence_that_cannot_be_read() -> None:
    (reason,) = to_unread(PRODUCTION, ["a.json: is not JSON", "a.json: is not JSON"], False)
    assert reason == Reason(
        Code.ROLLBACK,
        "which commit was applied to production last is not known: kept evidence cannot be read: a.json: is not JSON; "
        "if that run applied nothing newer, move it away, else give --tf-rollback",
    )
    assert list(to_unread(PRODUCTION, ["a.json: is not JSON"], True)) == []


def test_of_a_command_of_the_tree_and_of_a_key_that_is_missing() -> None:
    asks = replace(PRODUCTION, identity={"command": ("sh", "-c", "id -u"), "expect": "1"})
    run = Run("r", "apply", Repository("/r"), "/o", "/w", environments=(asks,))
    text = (
        "the `identity` of production is a command, sh -c 'id -u', which only the operator file can name for an apply "
        "in a job of its own"
    )
    assert list(to_code(run, asks, ())) == [Reason(Code.ISOLATION, text)]
    assert list(to_code(run, asks, ("production",))) == []
    text = "digests of two jobs can only be compared with a key that both know: set TFPIPELINE_DIGEST_KEY in both"
    assert list(to_plans("production", None, "d", lasting=False)) == [Reason(Code.PLANS_DIFFER, text)]


@pytest.mark.parametrize(("member", "value"), [("errored", True), ("complete", False)])
def test_of_a_plan_that_is_not_whole(member: str, value: Any) -> None:
    plan = PlanResult("core", "production", PlanStatus.PLANNED)
    text = "the saved plan is incomplete: it was made with -target or errored"
    read = parse_plan(edited(value, member, raw=RAW))
    assert list(objections.to_plan(plan, read, "", "one")) == [Reason(Code.PLAN_INCOMPLETE, text, "one")]


def test_of_files_that_decide_and_are_not_in_the_commit() -> None:
    text = "not in the commit: x.toml, which waives findings; commit it, or do without it"
    found = [Deciding("x.toml", "waives findings"), Deciding("y", "z")]
    assert list(objections.to_deciding(found[:1], PRODUCTION)) == [Reason(Code.IGNORED_INPUT, text)]
    assert [one.code for one in objections.to_deciding(found, PRODUCTION)] == [Code.IGNORED_INPUT] * 2
    assert list(objections.to_deciding([], PRODUCTION)) == []
    assert list(objections.to_deciding(found, replace(PRODUCTION, emulator="aws"))) == []


def test_of_locks_that_are_not_in_the_commit() -> None:
    text = "not in the commit: a/x; so init chose the providers: run `terraform init` and commit it"
    assert list(objections.to_locks(["a/x"], PRODUCTION)) == [Reason(Code.IGNORED_INPUT, text)]
    assert list(objections.to_locks([], PRODUCTION)) == []
    assert list(objections.to_locks(["a/x"], replace(PRODUCTION, emulator="aws"))) == []


def test_of_checks_that_have_no_result_or_two() -> None:
    missing = Reason(Code.CHECK_MISSING, "no result: it was deselected, dropped or not run", "l")
    assert judged(record(PLAN)) == Verdict("production", (missing,))
    assert judged(record(PLAN), record(LINT), record(LINT, Outcome.SKIPPED, summary="no tflint")).reasons == (
        Reason(Code.CHECK_SKIPPED, "no tflint", "l"),
        Reason(Code.RECORDS_DISAGREE, "records of one check say different things: passed, skipped", "l"),
    )


def test_of_records_that_stand_for_nothing() -> None:
    unknown = "a record of a check that this run does not expect"
    expected = Reason(Code.CHECK_UNEXPECTED, unknown, "x")
    assert judged(record(PLAN), record(LINT), record(replace(LINT, id="x"))).reasons == (expected,)
    another = "the record belongs to another check than its id says"
    stolen = replace(record(PLAN), check="l")
    assert judged(record(PLAN), stolen).reasons == (Reason(Code.CHECK_UNEXPECTED, another, "l"),)


@pytest.mark.parametrize(
    ("outcome", "more", "said"),
    [
        (Outcome.FAILED, {"summary": "2 problems", "text": "more"}, "2 problems"),
        (Outcome.FAILED, {"findings": (Finding("r", Severity.ERROR, "\n \n  a\nb"),), "text": "more"}, "  a"),
        (Outcome.ERROR, {"text": "\nit broke\n"}, "it broke"),
        (Outcome.ERROR, {}, "see the check's own output"),
        (Outcome.DEFERRED, {"summary": "waits"}, "deferred, but nothing that it waits for is left to apply"),
    ],
)
def test_of_a_check_that_did_not_pass(outcome: Outcome, more: dict[str, Any], said: str) -> None:
    (reason,) = judged(record(PLAN), record(LINT, outcome, **more)).reasons
    assert (reason.text, reason.check) == (said, "l")


def test_of_what_does_not_close() -> None:
    """Skips are counted, and findings that the baseline lets through."""
    cases = (CaseResult("a", Outcome.SKIPPED), CaseResult("b", Outcome.SKIPPED), CaseResult("c", Outcome.PASSED))
    known = tuple(Finding("r", Severity.ERROR, "x", known=True) for _ in range(1200))
    verdict = judged(record(PLAN), record(LINT, cases=cases, findings=known))
    told = ("1,200 known findings were let through: the baseline has them", "2 skipped inside l")
    assert verdict == Verdict("production", (), told, 1200)
    assert judged(record(PLAN), record(LINT, findings=known[:1])).notes == (
        "1 known finding was let through: the baseline has them",
    )


def test_of_what_is_not_seen_yet_and_of_nothing_else() -> None:
    policy = Check("q", CheckKind.POLICY, "core", "production")
    waits = [record(PLAN, Outcome.DEFERRED, summary="behind net"), record(policy, Outcome.DEFERRED, summary="no plan")]
    test = Record("t", CheckKind.TEST, Outcome.PASSED)
    for deferred, notes in (({"core"}, ("not seen yet: core (behind net)",)), ({"etl"}, ())):
        verdict = decide("production", [PLAN, policy], [*waits, test], rules=Rules(frozenset(deferred)))
        assert verdict.notes == notes
    seen = [record(PLAN), record(policy), replace(test, outcome=Outcome.SKIPPED)]
    assert decide("production", [PLAN, policy], seen, rules=Rules(frozenset({"core"}))).notes == ("skipped: t",)
