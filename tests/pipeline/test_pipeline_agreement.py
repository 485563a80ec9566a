"""Seeking an approval, what it was for, and what of later plans it still covers."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from plan_json import BOUND, KEY, RAW, edited

from pytest_tfpipeline.context import Context, open_context
from pytest_tfpipeline.gate.approval import Request
from pytest_tfpipeline.gate.digest import address_changes, plan_digest, set_digest
from pytest_tfpipeline.gate.reasons import Code
from pytest_tfpipeline.gate.result import EnvironmentResult, Proposal, Source
from pytest_tfpipeline.model import Changes, EnvironmentRun, PlanResult, PlanStatus, Repository, Run, Target
from pytest_tfpipeline.pipeline import agreement
from pytest_tfpipeline.pipeline.agreement import Agreement, Answer
from pytest_tfpipeline.pipeline.claims import Claims
from pytest_tfpipeline.pipeline.judge import Reading
from pytest_tfpipeline.pipeline.proposal import needs_apply, propose
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.proof.approval import SignedApproval, Statement, read_approval, request_path
from pytest_tfpipeline.proof.ssh import Signature
from pytest_tfpipeline.terraform.plan import Plan, parse_plan

ENV = EnvironmentRun("production", approval="manual")
SIGNED = replace(ENV, approval="signed", signatures=1)
SOURCE = Source("acme/platform", "c" * 40, "main", True)
DIGEST, SECOND = "sha256:" + "a" * 64, "sha256:" + "b" * 64
CORE, ETL = Target("core", ENV.name, apply=True), Target("etl", ENV.name, after=("core",), apply=True)
CHANGED = PlanResult("core", ENV.name, PlanStatus.PLANNED, changes=Changes(add=1), state_exists=True)
SAME = replace(CHANGED, changes=Changes())
DEFERRED = PlanResult("etl", ENV.name, PlanStatus.DEFERRED, behind=("core",))
PLAN = parse_plan(RAW)
OTHER = parse_plan(edited("x", "resource_changes", 1, "change", "after", "input"))


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    (tmp_path / "out").mkdir()
    (tmp_path / "files").write_text("{}")
    run = Run("r", "apply", Repository(str(tmp_path)), str(tmp_path / "out"), str(tmp_path), targets=(CORE, ETL))
    return open_context(replace(run, files_path=str(tmp_path / "files")))


def result(*plans: PlanResult, environment: EnvironmentRun = ENV) -> EnvironmentResult:
    return EnvironmentResult(environment, plans or (CHANGED,))


class Person:
    """Answers what it was told to, and remembers what it was asked."""

    def __init__(self, said: bool | None) -> None:
        self.said = said
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> bool | None:
        self.asked.append(request)
        return self.said


def seek(
    ctx: Context, *typed: str, said: bool | None = None, one: EnvironmentResult | None = None
) -> tuple[Answer, Person]:
    person = Person(said)
    made = Agreement(ctx, SOURCE, Claims(approve=typed), None)
    return made.seek(one or result(), Proposal(DIGEST), 1, person), person


def codes(answer: Answer) -> list[Code]:
    return [reason.code for reason in answer.reasons]


def test_what_needs_none_seeks_none(ctx: Context) -> None:
    for one in (result(environment=replace(ENV, approval="none")), result(SAME)):
        answer, person = seek(ctx, one=one)
        assert (answer, person.asked) == (Answer(), [])


@pytest.mark.parametrize("plans", [(CHANGED,), (SAME, DEFERRED), (replace(SAME, state_exists=False),)])
def test_whatever_would_do_something_needs_one(ctx: Context, plans: Sequence[PlanResult]) -> None:
    answer, _ = seek(ctx, one=result(*plans))
    assert (codes(answer), answer.waits, answer.asked) == ([Code.APPROVAL_MISSING], DIGEST, False)


def test_a_yes_on_the_terminal_approves_what_was_shown(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "ann")
    answer, person = seek(ctx, said=True, one=result(CHANGED, DEFERRED))
    expected = Request("acme/platform", ENV.name, "c" * 40, DIGEST, 1, "manual", ENV.signatures, ("etl",))
    assert person.asked == [expected]
    assert answer.approval is not None
    assert (answer.approval.digest, answer.approval.by) == (DIGEST, ("ann, on the terminal",))
    assert (answer.reasons, answer.waits, answer.asked, answer.request) == ((), None, True, expected)
    assert not request_path(Path(ctx.run.output_path), ENV.name).exists()


@pytest.mark.parametrize("error", [OSError("no entry"), KeyError("getpwuid(): uid not found: 1000")])
def test_somebody_whom_the_system_does_not_know_may_answer(
    ctx: Context, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def unknown() -> str:
        raise error

    monkeypatch.setattr(getpass, "getuser", unknown)
    answer, _ = seek(ctx, said=True)
    assert answer.approval is not None
    assert answer.approval.by == ("somebody, on the terminal",)


def test_a_no_is_told_as_such_and_waits(ctx: Context) -> None:
    answer, _ = seek(ctx, said=False)
    assert (answer.approval, codes(answer), answer.waits) == (None, [Code.APPROVAL_MISSING], DIGEST)
    assert answer.reasons[0].text == "the apply to production was not agreed to"
    assert answer.request is not None


def test_nobody_to_ask_leaves_the_statement_to_sign(ctx: Context) -> None:
    answer, person = seek(ctx)
    assert (len(person.asked), answer.approval, answer.waits) == (1, None, DIGEST)
    assert answer.request == person.asked[0]
    assert answer.reasons[0].text == f"production waits for an approval of {DIGEST}"
    statement = read_approval(request_path(Path(ctx.run.output_path), ENV.name))
    assert (statement.plan_set_digest, statement.commit) == (DIGEST, "c" * 40)


def test_a_typed_digest_approves_and_another_is_not_asked_about(ctx: Context) -> None:
    answer, person = seek(ctx, DIGEST, said=False)
    assert answer.approval is not None
    assert (person.asked, answer.asked) == ([], False)
    wrong, person = seek(ctx, SECOND, said=True)
    assert (wrong.approval, codes(wrong), wrong.waits, person.asked) == (None, [Code.APPROVAL_INVALID], None, [])
    assert wrong.request is not None
    assert wrong.request.digest == DIGEST


def test_a_digest_typed_for_another_environment_of_the_run_is_left_for_its_turn(ctx: Context) -> None:
    """It approves nothing here, and is no wrong approval either."""
    chain = replace(ctx, run=replace(ctx.run, environments=(ENV, replace(ENV, name="later"))))
    made, person = Agreement(chain, SOURCE, Claims(approve=(SECOND,)), None), Person(None)
    answer = made.seek(result(), Proposal(DIGEST), 1, person, lambda: {"later": SECOND})
    assert (codes(answer), answer.waits, len(person.asked)) == ([Code.APPROVAL_MISSING], DIGEST, 1)
    wrong = made.seek(result(), Proposal(DIGEST), 1, person, lambda: {"later": None})
    assert (codes(wrong), wrong.waits, len(person.asked)) == ([Code.APPROVAL_INVALID], None, 1)
    assert made.seek(result(), Proposal(SECOND), 1, person, dict).approval is not None


def test_what_comes_later_is_not_looked_at_where_all_that_was_typed_is_for_this(ctx: Context) -> None:
    chain = replace(ctx, run=replace(ctx.run, environments=(ENV, replace(ENV, name="later"))))

    def never() -> dict[str, str | None]:
        raise AssertionError("it reads plans")

    made = Agreement(chain, SOURCE, Claims(approve=(DIGEST,)), None)
    assert made.seek(result(), Proposal(DIGEST), 1, Person(None), never).approval is not None


def test_a_signed_one_is_never_asked_for(ctx: Context) -> None:
    answer, person = seek(ctx, said=True, one=result(environment=SIGNED))
    assert (answer.approval, codes(answer), person.asked) == (None, [Code.APPROVAL_MISSING], [])


def test_a_digest_approves_once(ctx: Context) -> None:
    made = Agreement(ctx, SOURCE, Claims(approve=(DIGEST,)), None)
    assert made.seek(result(), Proposal(DIGEST), 1, Person(None)).approval is not None
    again = made.seek(result(), Proposal(DIGEST), 2, Person(None))
    assert (again.approval, codes(again), again.waits, made.waits) == (None, [Code.APPROVAL_MISSING], DIGEST, DIGEST)


@pytest.mark.parametrize("wave", [1, 2])
def test_only_a_later_wave_that_waits_is_remembered(ctx: Context, wave: int) -> None:
    made = Agreement(ctx, SOURCE, Claims(), None)
    assert made.waits is None
    made.seek(result(), Proposal(DIGEST), wave, Person(None))
    assert made.waits == (DIGEST if wave > 1 else None)


def signed_by(monkeypatch: pytest.MonkeyPatch, *digests: str) -> tuple[Path, ...]:
    """Files whose statements are for these digests; "" is one that cannot be read."""
    until = datetime.now(UTC) + timedelta(hours=1)

    def verify(runner: Runner, path: Path, signers: Path | None, now: datetime) -> SignedApproval:
        assert (signers, now.tzinfo) == (Path("signers"), UTC)
        if not path.name:
            return SignedApproval("bad", None, problems=("is no approval",))
        statement = Statement(SOURCE.repository, ENV.name, str(SOURCE.commit), path.name, until)
        return SignedApproval("good", statement, (Signature("ann", "SHA256:1"),))

    monkeypatch.setattr(agreement, "verify_approval", verify)
    return tuple(map(Path, digests))


def test_a_signed_statement_approves_once(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Agreement(ctx, SOURCE, Claims(approvals=signed_by(monkeypatch, DIGEST)), Path("signers"))
    one = result(environment=SIGNED)
    first = made.seek(one, Proposal(DIGEST), 1, Person(None))
    assert first.approval is not None
    assert first.approval.by == ("ann (SHA256:1)",)
    assert codes(made.seek(one, Proposal(SECOND), 2, Person(None))) == [Code.APPROVAL_MISSING]


def test_a_statement_that_cannot_be_read_is_told(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Agreement(ctx, SOURCE, Claims(approvals=signed_by(monkeypatch, "")), Path("signers"))
    answer = made.seek(result(environment=SIGNED), Proposal(DIGEST), 1, Person(None))
    assert Code.APPROVAL_INVALID in codes(answer)
    assert (answer.waits, "bad: is no approval" in answer.reasons[0].text) == (None, True)


def test_later_plans_are_covered_only_as_far_as_they_were_seen(ctx: Context) -> None:
    made = Agreement(ctx, SOURCE, Claims(), None)
    made.keep(ENV, [Reading(CHANGED, PLAN), Reading(DEFERRED, None)])
    fresh = replace(DEFERRED, status=PlanStatus.PLANNED)

    def new(core: Reading, etl: Reading, environment: EnvironmentRun = ENV) -> tuple[str, ...]:
        return made.not_agreed(environment, (CORE, ETL), {"core": core, "etl": etl})

    assert new(Reading(CHANGED, PLAN), Reading(fresh, PLAN)) == ("etl",)
    assert new(Reading(CHANGED, OTHER), Reading(fresh, PLAN)) == ("core", "etl")
    assert new(Reading(SAME, OTHER), Reading(replace(fresh, state_exists=True), PLAN)) == ()
    assert new(Reading(CHANGED, None), Reading(DEFERRED, None)) == ()
    assert new(Reading(CHANGED, OTHER), Reading(fresh, PLAN), replace(ENV, approval="none")) == ()
    assert new(Reading(CHANGED, PLAN), Reading(fresh, PLAN), replace(ENV, name="staging")) == ("core", "etl")


@pytest.mark.parametrize(
    "moved", [{"state_serial": 8}, {"state_lineage": "other"}], ids=lambda moved: next(iter(moved))
)
def test_a_state_that_moved_meanwhile_ends_what_was_agreed(ctx: Context, moved: dict[str, Any]) -> None:
    made, stood = Agreement(ctx, SOURCE, Claims(), None), replace(CHANGED, state_lineage="one", state_serial=7)
    made.keep(ENV, [Reading(stood, PLAN)])
    assert made.not_agreed(ENV, (CORE,), {"core": Reading(stood, PLAN)}) == ()
    assert made.not_agreed(ENV, (CORE,), {"core": Reading(replace(stood, **moved), PLAN)}) == ("core",)


def test_files_that_changed_meanwhile_end_what_was_agreed_unless_the_plan_names_a_new_one(ctx: Context) -> None:
    named = parse_plan(edited("built.zip", "resource_changes", 1, "change", "after", "input"))
    folder = ctx.workspace.tree(ENV.name) / "core"
    folder.mkdir(parents=True)
    (folder / "built.zip").touch()
    made = Agreement(ctx, SOURCE, Claims(), None)

    def read(**files: str) -> None:
        ctx.workspace.put("inputs/production/core", {f"core/{name}.zip": digest for name, digest in files.items()})

    def new(plan: Plan) -> bool:
        return bool(made.not_agreed(ENV, (CORE,), {"core": Reading(CHANGED, plan)}))

    read(script="1")
    for plan in (PLAN, named):
        made.keep(ENV, [Reading(CHANGED, plan)])
        assert not new(plan)
    read(script="1", built="1")
    assert not new(named)
    read(script="1", other="1")
    assert new(named)
    read(script="2", built="1")
    assert new(named)
    read(built="1")
    assert new(named)
    made.keep(ENV, [Reading(CHANGED, named)])
    read(built="2")
    assert new(named)
    read(built="1", script="1")
    made.keep(ENV, [Reading(CHANGED, PLAN)])
    read(built="1")
    assert new(PLAN)


@pytest.mark.parametrize(
    ("target", "plan", "expected"),
    [
        (CORE, CHANGED, True),
        (CORE, SAME, False),
        (CORE, replace(SAME, state_exists=False), True),
        (replace(CORE, after_apply=(("run",),)), SAME, True),
        (replace(CORE, apply=False), CHANGED, False),
        (CORE, replace(CHANGED, status=PlanStatus.DEFERRED), False),
        (CORE, replace(CHANGED, status=PlanStatus.FAILED), False),
    ],
)
def test_what_carrying_a_plan_out_would_do(target: Target, plan: PlanResult, expected: bool) -> None:
    assert needs_apply(target, plan) is expected


@pytest.fixture
def proposed(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Proposal]:
    def bound_of(ctx: Context, target: Target, plan: PlanResult, account: str | None, repository: str) -> Any:
        assert (account, repository, plan.root) == ("1", "acme/platform", target.root)
        return replace(BOUND, root=target.root)

    monkeypatch.setattr("pytest_tfpipeline.pipeline.proposal.bound_of", bound_of)

    def make(*readings: Reading, done: Sequence[str] = (), targets: tuple[Target, ...] = (CORE, ETL)) -> Proposal:
        there = replace(ctx, run=replace(ctx.run, targets=targets))
        return propose(there, ENV.name, readings, account="1", repository="acme/platform", key=KEY, done=done)

    return make


def test_the_set_says_of_each_root_what_would_be_applied(proposed: Callable[..., Proposal]) -> None:
    core = plan_digest(PLAN, replace(BOUND, root="core"), KEY)
    waiting = replace(DEFERRED, behind=("net", "core"))
    made = proposed(Reading(CHANGED, PLAN), Reading(waiting, None))
    assert made == Proposal(
        set_digest(ENV.name, {"core": core, "etl": "deferred:core,net"}),
        {"core": core},
        {"core": address_changes(PLAN, BOUND.tree, KEY)},
    )


def test_roots_without_changes_or_done_already_are_unchanged_in_it(proposed: Callable[..., Proposal]) -> None:
    unchanged = set_digest(ENV.name, {"core": "unchanged"})
    assert proposed(Reading(SAME, PLAN)).digest == unchanged
    assert proposed(Reading(CHANGED, PLAN), done=["core"]).digest == unchanged
    assert proposed(Reading(CHANGED, PLAN)).digest != unchanged
    assert proposed(Reading(CHANGED, None)).digest == set_digest(ENV.name, {"core": "unknown"})


def test_what_is_never_applied_is_not_in_it(proposed: Callable[..., Proposal]) -> None:
    made = proposed(Reading(CHANGED, PLAN), targets=(replace(CORE, apply=False),))
    assert made.digest == set_digest(ENV.name, {})
    assert made.plans.keys() == made.changes.keys() == {"core"}
