"""What stands beside the checks of an environment: what is asked, with what, and what each answer comes to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.context import open_context
from pytest_tfpipeline.errors import PipelineError, ProofError
from pytest_tfpipeline.gate.prior import Apply
from pytest_tfpipeline.gate.reasons import Code, Reason, Verdict
from pytest_tfpipeline.gate.result import EnvironmentResult, Proposal, RunResult, Source
from pytest_tfpipeline.gate.waves import Applied, Left, Result
from pytest_tfpipeline.model import Changes, Deciding, EnvironmentRun, PlanResult, PlanStatus, Repository, Run, Target
from pytest_tfpipeline.pipeline import admission
from pytest_tfpipeline.pipeline.admission import Admission, read_priors
from pytest_tfpipeline.pipeline.claims import Claims
from pytest_tfpipeline.pipeline.history import Kept
from pytest_tfpipeline.pipeline.judge import Reading
from pytest_tfpipeline.pipeline.source import TreeState
from pytest_tfpipeline.proof.document import Evidence, read_evidence
from pytest_tfpipeline.proof.ssh import Signature
from pytest_tfpipeline.proof.verify import Proof
from pytest_tfpipeline.reports.write import write_evidence

HERE, THERE = "a" * 40, "b" * 40
STAGING, PRODUCTION = EnvironmentRun("staging"), EnvironmentRun("production", after="staging")
TRIED = EnvironmentRun("staging", emulator="aws")
SOURCE = Source("acme/platform", HERE, "main", True)
CORE, ETL = Target("core", "staging", apply=True), Target("etl", "staging")
ANN = (Signature("ann", "SHA256:1"),)
DONE = Result((Applied("core", 1, "applied"),))


@pytest.fixture
def admit(tmp_path: Path) -> Callable[..., Admission]:
    """Makes one; its run began at HERE, with the targets CORE and ETL."""
    run = Run("r", "apply", Repository(str(tmp_path)), str(tmp_path), str(tmp_path), targets=(CORE, ETL), commit=HERE)
    ctx = open_context(run)

    def make(*proofs: Proof, **given: Any) -> Admission:
        made = Admission(ctx, tmp_path, SOURCE, Claims(), b"k", True, proofs)
        return replace(made, **given)

    return make


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Puts an answer in a function's place; gives the arguments of its calls."""

    def put(name: str, answer: Any) -> list[Any]:
        calls: list[Any] = []

        def stand_in(*args: Any, **kwargs: Any) -> Any:
            calls.append((*args, *kwargs.values()))
            if isinstance(answer, Exception):
                raise answer
            return answer(*args, **kwargs) if callable(answer) else answer

        monkeypatch.setattr(admission, name, stand_in)
        return calls

    return put


def told(path: Path, environment: EnvironmentRun = STAGING, result: Result = DONE, **given: Any) -> Evidence:
    """The evidence of a run there, kept under that directory."""
    one = EnvironmentResult(environment, verdict=Verdict(environment.name), result=result)
    values = {"started": "2030-01-01T00:00:00+00:00", "source": SOURCE, **given}
    run = RunResult(
        "20300101T000000-abcdef",
        "apply",
        seconds=1.0,
        command=(),
        workers=0,
        exit_code=0,
        environments=(one,),
        **values,
    )
    write_evidence(run, path, ())
    return read_evidence(path / "evidence.json")


def codes(reasons: Any) -> list[Code]:
    return [reason.code for reason in reasons]


def test_the_tree_is_held_against_what_the_run_was_described_from(
    admit: Callable[..., Admission], asked: Callable[..., list[Any]], tmp_path: Path
) -> None:
    made, calls = admit(), {}
    sound = {"changed_since": (), "read_commit": HERE, "read_tree_state": TreeState(), "unlocked": ()}
    sound |= {"changed_deciding": (), "not_committed": ()}
    for name, answer in sound.items():
        calls[name] = asked(name, answer)
    runner, ctx = made.ctx.runner, made.ctx

    assert list(made.to_tree(STAGING)) == []
    assert calls == {
        "changed_since": [(ctx.run,)],
        "read_commit": [(runner, tmp_path)],
        "read_tree_state": [(runner, tmp_path, ("core", "etl"))],
        "unlocked": [(ctx, "staging")],
        "changed_deciding": [(ctx.run,)],
        "not_committed": [(runner, ctx.run)],
    }
    for name, answer, code in (
        ("changed_since", ("x",), Code.TREE_CHANGED),
        ("read_commit", THERE, Code.TREE_CHANGED),
        ("read_tree_state", TreeState(dirty=("x",)), Code.TREE_DIRTY),
        ("read_tree_state", TreeState(ignored=("x",)), Code.IGNORED_INPUT),
        ("unlocked", ("x",), Code.IGNORED_INPUT),
        ("changed_deciding", ("x",), Code.TREE_CHANGED),
        ("not_committed", (Deciding("x", "waives findings"),), Code.IGNORED_INPUT),
    ):
        asked(name, answer)
        assert codes(made.to_tree(STAGING)) == [code]
        assert codes(made.to_tree(TRIED)) == ([code] if code is Code.TREE_CHANGED else [])
        asked(name, sound[name])


def test_the_environment_before_is_proved_by_this_run_or_by_evidence(
    admit: Callable[..., Admission], asked: Callable[..., list[Any]], tmp_path: Path
) -> None:
    made = admit()
    assert codes(made.to_order(STAGING, [])) == []
    assert codes(made.to_order(PRODUCTION, [])) == [Code.PRIOR_MISSING]
    assert codes(made.to_order(PRODUCTION, [EnvironmentResult(STAGING)])) == []
    (reason,) = made.to_order(PRODUCTION, [EnvironmentResult(TRIED)])
    assert reason == Reason(Code.PRIOR_INVALID, "staging is emulated, which says nothing about production")
    tried = replace(PRODUCTION, emulator="aws")
    assert codes(made.to_order(tried, [EnvironmentResult(TRIED)])) == []

    calls = asked("to_after", [])
    known = Apply("staging", "r", "acme/platform", HERE, 1.0, False, True, "f")
    asked("last_kept", Kept(known))
    asked("is_ancestor", True)
    assert list(made.to_order(PRODUCTION, [])) == []
    assert calls == [(PRODUCTION, (), HERE, "acme/platform", False, [known])]
    asked("last_kept", Kept())
    assert list(made.to_order(tried, [])) == []
    assert calls[1:] == [(tried, (), HERE, "acme/platform", True, [])]


def test_the_last_apply_is_what_is_kept_or_signed_and_a_later_claim_only_stands_against_it(
    admit: Callable[..., Admission], asked: Callable[..., list[Any]], tmp_path: Path
) -> None:
    later = {"started": "2030-02-01T00:00:00+00:00", "source": replace(SOURCE, commit=THERE)}
    kept = told(tmp_path)
    claim = Proof("claim", told(tmp_path / "other", **later))
    signed = replace(claim, signed_by=ANN)
    git = asked("is_ancestor", lambda runner, top, old, new: old == HERE)

    assert codes(admit().to_order(STAGING, [])) == []
    made = admit()
    assert git == [(made.ctx.runner, tmp_path, HERE, HERE)]
    assert codes(admit(claim).to_order(STAGING, [])) == [Code.ROLLBACK]
    assert [call[2] for call in git[1:]] == [HERE, THERE]
    assert codes(admit(signed).to_order(STAGING, [])) == [Code.ROLLBACK]
    assert [call[2] for call in git[3:]] == [THERE]
    assert codes(admit(signed, claims=Claims(rollback=True)).to_order(STAGING, [])) == []
    assert codes(admit(signed).to_order(TRIED, [])) == []
    assert codes(admit(signed, source=replace(SOURCE, repository="else")).to_order(STAGING, [])) == []

    assert admit().last_evidence(STAGING) == (kept, False)
    assert admit(signed).last_evidence(STAGING) == (signed.evidence, True)
    assert admit(claim).last_evidence(STAGING) == (kept, False)
    assert admit().last_evidence(TRIED) is None
    asked("read_evidence", ProofError("gone"))
    assert admit().last_evidence(STAGING) is None


def test_what_cannot_be_read_of_runs_since_closes_unless_a_rollback_is_meant(
    admit: Callable[..., Admission], asked: Callable[..., list[Any]]
) -> None:
    calls = asked("last_kept", lambda output, name, *rest: Kept(None, (f"{name}.json: is not JSON",)))
    asked("to_after", [])
    made, meant = admit(), admit(claims=Claims(rollback=True))
    output = Path(made.ctx.run.output_path)

    found = list(made.to_order(PRODUCTION, []))
    assert codes(found) == [Code.ROLLBACK] * 2
    assert ["production.json" in found[0].text, "staging.json" in found[1].text] == [True, True]
    assert {call[1:] for call in calls} == {
        ("staging", "acme/platform", False),
        ("production", "acme/platform", False),
    }
    assert {call[0] for call in calls} == {output}
    assert len(codes(made.to_order(PRODUCTION, [EnvironmentResult(STAGING)]))) == 1
    assert codes(made.to_order(STAGING, [])) == [Code.ROLLBACK]
    assert codes(meant.to_order(PRODUCTION, [])) == []
    assert codes(made.to_order(TRIED, [])) == []

    assert made.notes(PRODUCTION) == ()
    note = "kept evidence was not counted: staging.json: is not JSON"
    assert meant.notes(STAGING) == (note,)
    calls.clear()
    assert made.notes(TRIED) == (note,)
    assert calls == [(output, "staging", "acme/platform", True)]


def test_plans_are_held_against_those_of_the_check_job_where_there_is_one(
    admit: Callable[..., Admission], asked: Callable[..., list[Any]], tmp_path: Path
) -> None:
    changed = [reading(changes=Changes(add=1), state_exists=True)]
    assert list(admit().to_proposal(STAGING, Proposal("d"), changed)) == []
    claimed = told(tmp_path)
    calls = asked("to_plans", [Reason(Code.PLANS_DIFFER, "x")])
    made = admit(claimed=claimed)
    assert codes(made.to_proposal(STAGING, Proposal("d"), changed)) == [Code.PLANS_DIFFER]
    assert codes(replace(made, lasting=False).to_proposal(PRODUCTION, Proposal("e"), ())) == [Code.PLANS_DIFFER]
    assert [call[1:] for call in calls] == [
        (claimed.environment("staging"), "d", True, False),
        (None, "e", False, True),
    ]


def reading(plan: Any = "a plan", *, status: PlanStatus = PlanStatus.PLANNED, **given: Any) -> Reading:
    """Of the root that staging applies."""
    return Reading(PlanResult("core", "staging", status, **given), plan)


def test_plans_are_not_held_against_others_only_where_all_are_there_and_none_does_anything(
    admit: Callable[..., Admission], tmp_path: Path
) -> None:
    made = admit(claimed=told(tmp_path))
    idle = reading(state_exists=True)
    assert list(made.to_proposal(STAGING, Proposal("d"), [idle])) == []
    assert "nothing is left to change" in made.idle_notes(STAGING, Proposal("d"), [idle])[0]
    assert admit().idle_notes(STAGING, Proposal("d"), [idle]) == ()
    for one in (
        reading(state_exists=False),
        reading(changes=Changes(add=1), state_exists=True),
        reading(changes=Changes(outputs=("value",)), state_exists=True),
        reading(None, state_exists=True),
        reading(None, status=PlanStatus.DEFERRED, behind=("etl",)),
        reading(None, status=PlanStatus.FAILED),
    ):
        assert codes(made.to_proposal(STAGING, Proposal("d"), [one])) == [Code.PLANS_DIFFER]
        assert made.idle_notes(STAGING, Proposal("d"), [one]) == ()


def test_an_environment_behind_one_that_is_not_complete_says_so(admit: Callable[..., Admission]) -> None:
    whole, half = (
        EnvironmentResult(STAGING, result=DONE),
        EnvironmentResult(PRODUCTION, result=Result((), (Left("a", ""),))),
    )
    text = "production, which comes before, was not completed"
    assert list(admit().to_unfinished([whole, half])) == [Reason(Code.PRIOR_MISSING, text)]


def test_what_the_earlier_environment_was_changed_by_is_given_first_and_of_this_commit(
    admit: Callable[..., Admission], tmp_path: Path
) -> None:
    kept = told(tmp_path)
    part = kept.environment("staging")
    assert admit().last_changed("staging", emulated=False) == (part, False)
    assert admit().last_changed("staging", emulated=True) is None
    assert admit().last_changed("production", emulated=False) is None
    assert admit(source=replace(SOURCE, commit=THERE)).last_changed("staging", emulated=False) is None
    assert admit(source=replace(SOURCE, repository="else")).last_changed("staging", emulated=False) is None
    given = told(tmp_path / "given", result=Result((Applied("etl", 1, "applied"), Applied("core", 1, "unchanged"))))
    expected = given.environment("staging")
    proof = Proof("given", given)
    assert admit(proof).last_changed("staging", emulated=False) == (expected, False)
    assert admit(replace(proof, signed_by=ANN)).last_changed("staging", emulated=False) == (expected, True)
    idle = Proof("idle", told(tmp_path / "idle", result=Result((Applied("core", 1, "unchanged"),))), ANN)
    assert admit(idle).last_changed("staging", emulated=False) == (part, False)
    other = Proof("other", told(tmp_path / "other", source=replace(SOURCE, commit=THERE)), ANN)
    assert admit(other, idle, proof).last_changed("staging", emulated=False) == (expected, False)


def test_states_are_read_again_of_what_was_planned_to_be_applied(
    admit: Callable[..., Admission], asked: Callable[..., list[Any]]
) -> None:
    made, plan = admit(), PlanResult("core", "staging", PlanStatus.PLANNED, state_lineage="l", state_serial=3)
    kept = made.ctx.run.repository
    checks = asked("plan_check_id", "the check")
    calls = asked("current_state", ("l", 3))
    threads = asked("in_parallel", lambda work, items, *rest: tuple(map(work, items)))
    readings = [
        Reading(plan, None),
        Reading(replace(plan, root="etl", state_serial=9), None),
        Reading(replace(plan, status=PlanStatus.DEFERRED, state_serial=9), None),
    ]
    assert made.moved(STAGING, readings) == {}
    assert (calls, checks) == ([(made.ctx, CORE)], [(kept, "core", "staging")])
    assert [call[2:] for call in threads] == [(4, made.ctx.runner.interrupt)]
    asked("current_state", ("l", 4))
    text = "its state has serial 4, and the plan was made on 3: somebody applied or changed it meanwhile; run again"
    assert made.moved(STAGING, readings) == {"core": Reason(Code.STATE_MOVED, text, "the check")}
    asked("current_state", ("other", 3))
    assert list(made.moved(STAGING, readings)) == ["core"]
    asked("current_state", PipelineError("cannot be read"))
    assert made.moved(STAGING, readings) == {"core": Reason(Code.STATE_MOVED, "cannot be read", "the check")}


def test_the_proposal_is_over_the_repository_the_account_and_the_key(
    admit: Callable[..., Admission], asked: Callable[..., list[Any]]
) -> None:
    calls, made = asked("propose", Proposal("d")), admit()
    assert made.propose(STAGING, (), "123", ["core"]) == Proposal("d")
    assert calls == [(made.ctx, "staging", (), "123", "acme/platform", b"k", ["core"])]
    made.propose(STAGING, (), None)
    assert calls[1][-1] == ()


def test_every_evidence_that_was_given_is_verified(
    admit: Callable[..., Admission], asked: Callable[..., list[Any]]
) -> None:
    calls, made = asked("verify_evidence", "proof"), admit()
    assert read_priors(made.ctx, Claims(priors=(Path("a"), Path("b"))), Path("s")) == ("proof", "proof")
    assert calls == [(made.ctx.runner, Path("a"), Path("s")), (made.ctx.runner, Path("b"), Path("s"))]
