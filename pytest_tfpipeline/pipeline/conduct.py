"""Lead the environments of a run through gate, approval and apply, one after the other.

The same for a run under pytest and for an apply in a job of its own: who shows what happens, asks a person and runs
tests comes in as an `Audience`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pytest_tfpipeline.context import Phase
from pytest_tfpipeline.errors import PipelineError
from pytest_tfpipeline.gate.approval import Approval, Request
from pytest_tfpipeline.gate.identity import Answer, to_identity, told
from pytest_tfpipeline.gate.reasons import Code, Reason, Verdict
from pytest_tfpipeline.gate.result import EnvironmentResult, Proposal
from pytest_tfpipeline.gate.waves import Left, Result, apply_in_waves
from pytest_tfpipeline.model import EnvironmentRun, PlanResult, Record, Target
from pytest_tfpipeline.pipeline import agreement
from pytest_tfpipeline.pipeline.admission import Admission
from pytest_tfpipeline.pipeline.agreement import Agreement
from pytest_tfpipeline.pipeline.identity import ask
from pytest_tfpipeline.pipeline.judge import Reading, judge, judge_cut_short, read_plans, to_tools
from pytest_tfpipeline.pipeline.steps import Listener, TerraformSteps
from pytest_tfpipeline.terraform.planning import was_applied

#: Stands for the tests of outputs until they have ended: whatever ends them early must not look like a pass.
_NOT_ENDED = "the tests of its outputs have not ended"


class Audience(Listener, Protocol):
    """Hears what happens, and is asked for what the engine cannot do by itself."""

    def records(self) -> Sequence[Record]:
        """The records of all checks so far."""

    def objections(self) -> Sequence[Reason]:
        """What stands against every apply of this run."""

    def identities(self, environment: str) -> tuple[Answer, ...]:
        """Whose the credentials of the plans were."""

    def approve(self, request: Request, one: EnvironmentResult) -> bool | None:
        """Show what would be applied and ask a person; None where there is nobody to ask."""

    def on_waiting(self, request: Request, one: EnvironmentResult) -> None:
        """There is no approval: show what for, and how to go on."""

    def on_verdict(self, one: EnvironmentResult, verdict: Verdict) -> None:
        """An environment was judged."""

    def on_begin(self, environment: EnvironmentRun, targets: Sequence[Target], plans: Mapping[str, PlanResult]) -> None:
        """The apply of an environment begins; `plans` are by root."""

    def on_left(self, environment: EnvironmentRun, left: Left) -> None:
        """A root was left."""

    def on_settled(self) -> None:
        """Something was applied: whatever happens next, that must be written down."""

    def policy_tests(self, targets: Sequence[Target], wave: int) -> Sequence[Record]:
        """Run the users' policy tests on the new plans of these roots."""

    def output_tests(self, environment: EnvironmentRun, targets: Sequence[Target]) -> Sequence[Record]:
        """Run the tests that use the outputs of these roots; those that stand in the way."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """The verdict on an environment but for its approval, and what it is about."""

    verdict: Verdict
    readings: Sequence[Reading]
    proposal: Proposal
    identity: str | None

    @property
    def plans(self) -> tuple[PlanResult, ...]:
        return tuple(reading.result for reading in self.readings)


class Conductor:
    """One per run that can apply. `results` grows, an entry for each environment that was judged."""

    def __init__(self, admission: Admission, agreement: Agreement, audience: Audience) -> None:
        self._admission = admission
        self._agreement = agreement
        self._audience = audience
        self._ctx = admission.ctx
        self._later: list[Approval] = []
        self.results: list[EnvironmentResult] = []

    def lead(self) -> None:
        """Environment by environment; after one that is not complete, the later ones stay as they are.

        Raises KeyboardInterrupt after an interrupt, and what broke the pipeline; `results` has everything.
        """
        for environment in self._ctx.run.environments:
            if not self._lead(environment).complete:
                return

    def close(self) -> None:
        """Say why of every environment that was never judged, because the run ended before."""
        judged = {one.environment.name for one in self.results}
        for environment in self._ctx.run.environments:
            if environment.name not in judged:
                answers = self._audience.identities(environment.name)
                against = [*self._audience.objections(), *to_identity(environment.name, answers)]
                against += self._admission.to_unfinished(self.results)
                verdict, plans = judge_cut_short(self._ctx, environment, self._audience.records(), against)
                one = EnvironmentResult(environment, plans, verdict, identity=told(answers))
                self._audience.on_verdict(one, verdict)
                self.results.append(one)

    def _lead(self, environment: EnvironmentRun) -> EnvironmentResult:
        targets = [one for one in self._ctx.run.targets if one.environment == environment.name]
        judged = self._judge(environment, targets)
        answer = self._agree(environment, judged) if judged.verdict.open else agreement.Answer()
        verdict = replace(judged.verdict, reasons=(*judged.verdict.reasons, *answer.reasons))
        one = replace(_result(environment, judged), verdict=verdict, approval=answer.approval, waits=answer.waits)
        self.results.append(one)
        self._audience.on_verdict(one, verdict)
        return self._carry_out(one, targets, judged) if verdict.open else one

    def _judge(self, environment: EnvironmentRun, targets: Sequence[Target]) -> _Judged:
        """What an apply would use is looked at last, and only where nothing else stands against one."""
        audience, answers = self._audience, self._audience.identities(environment.name)
        readings: Sequence[Reading] = read_plans(self._ctx, targets)
        against = [*audience.objections(), *to_identity(environment.name, answers)]
        against += self._admission.to_tree(environment)
        against += self._admission.to_order(environment, self.results)
        verdict = judge(self._ctx, environment, readings, audience.records(), against)
        if verdict.open:
            answers += ask(self._ctx, environment, Phase.APPLY)
            against += [*to_identity(environment.name, answers), *to_tools(self._ctx)]
            readings, moved = self._follow_states(environment, targets, readings)
            verdict = judge(self._ctx, environment, readings, audience.records(), [*against, *moved])
        proposal, broken = self._propose(environment, readings)
        differing = self._admission.to_proposal(environment, proposal, readings) if verdict.open else ()
        notes = (*verdict.notes, *self._admission.notes(environment))
        notes += self._admission.idle_notes(environment, proposal, readings) if verdict.open else ()
        verdict = replace(verdict, reasons=(*verdict.reasons, *broken, *differing), notes=notes)
        return _Judged(verdict, readings, proposal, told(answers))

    def _follow_states(
        self, environment: EnvironmentRun, targets: Sequence[Target], readings: Sequence[Reading]
    ) -> tuple[Sequence[Reading], list[Reason]]:
        """Plans of an environment that had to wait for an earlier one are made again where their state has moved
        meanwhile; for the first one that is a reason against it."""
        moved = self._admission.moved(environment, readings)
        if not moved or not self.results:
            return readings, list(moved.values())
        steps = self._steps(environment)
        again = [target for target in targets if target.root in moved]
        try:
            for target in again:
                steps.plan(target, 1)
            against = steps.police(again, 1)
        except PipelineError as error:
            return readings, [*moved.values(), Reason(Code.PLAN_CHANGED, f"it could not be planned again: {error}")]
        fresh = {reading.result.root: reading for reading in read_plans(self._ctx, again)}
        kept = tuple(fresh.get(reading.result.root, reading) for reading in readings)
        return kept, [reason for reasons in against.values() for reason in reasons]

    def _agree(self, environment: EnvironmentRun, judged: _Judged) -> agreement.Answer:
        answer = self._seek(_result(environment, judged), judged.proposal, 1)
        self._agreement.keep(environment, judged.readings)
        return self._still(environment, answer, judged.readings)

    def _still(
        self, environment: EnvironmentRun, answer: agreement.Answer, readings: Sequence[Reading]
    ) -> agreement.Answer:
        """The answer; while somebody thought about it, nothing may have moved."""
        if not answer.asked or answer.reasons:
            return answer
        against = [*self._admission.to_tree(environment), *to_tools(self._ctx)]
        against += to_identity(environment.name, ask(self._ctx, environment, Phase.APPLY))
        against += self._admission.moved(environment, readings).values()
        return replace(answer, reasons=tuple(against))

    def _seek(self, one: EnvironmentResult, proposal: Proposal, wave: int) -> agreement.Answer:
        answer = self._agreement.seek(
            one, proposal, wave, lambda request: self._audience.approve(request, one), lambda: self._to_come(one)
        )
        if answer.request is not None and answer.reasons:
            against = Verdict(one.environment.name, answer.reasons, one.verdict.notes if one.verdict else ())
            self._audience.on_waiting(answer.request, replace(one, verdict=against))
        return answer

    def _to_come(self, one: EnvironmentResult) -> dict[str, str | None]:
        """The digests over the plans of the environments that come after this one, as they are now."""
        run, found = self._ctx.run, {}
        for environment in run.environments[run.environments.index(one.environment) + 1 :]:
            readings = read_plans(self._ctx, [each for each in run.targets if each.environment == environment.name])
            found[environment.name] = self._propose(environment, readings)[0].digest or None
        return found

    def _carry_out(self, one: EnvironmentResult, targets: Sequence[Target], judged: _Judged) -> EnvironmentResult:
        environment, known = one.environment, {reading.result.root: reading for reading in judged.readings}
        plans = {plan.root: plan for plan in one.plans}
        self._audience.on_begin(environment, targets, plans)
        self._later.clear()
        result = apply_in_waves(targets, plans, self._steps(environment, one, known))
        proposal, _ = self._propose(environment, tuple(known.values()))
        one = replace(
            one,
            plans=_carried_out(one.plans, result),
            result=result,
            proposal=replace(proposal if proposal.digest else judged.proposal, digest=judged.proposal.digest),
            waits=self._agreement.waits,
            later_approvals=tuple(self._later),
        )
        self._settle(one)
        for left in result.left:
            self._audience.on_left(environment, left)
        if result.broken is not None:
            raise result.broken
        if result.interrupted:
            raise KeyboardInterrupt
        return self._test_outputs(one, targets) if one.complete else one

    def _test_outputs(self, one: EnvironmentResult, targets: Sequence[Target]) -> EnvironmentResult:
        self._settle(replace(one, broken_outputs=(_NOT_ENDED,)))
        failed = self._audience.output_tests(one.environment, [target for target in targets if target.apply])
        one = replace(one, broken_outputs=tuple(record.check for record in failed))
        self._settle(one)
        return one

    def _settle(self, one: EnvironmentResult) -> None:
        self.results[-1] = one
        self._audience.on_settled()

    def _steps(
        self,
        environment: EnvironmentRun,
        one: EnvironmentResult | None = None,
        known: dict[str, Reading] | None = None,
    ) -> TerraformSteps:
        def agree(targets: Sequence[Target], fresh: Mapping[str, Reading], wave: int) -> Mapping[str, Sequence[Reason]]:
            if one is None or known is None:
                return {}
            known.update(fresh)
            return self._agree_again(one, targets, known, wave)

        return TerraformSteps(self._ctx, environment, self._audience, self._audience.policy_tests, agree)

    def _agree_again(
        self, one: EnvironmentResult, targets: Sequence[Target], known: Mapping[str, Reading], wave: int
    ) -> Mapping[str, Sequence[Reason]]:
        """An approval is for what was seen. A new plan keeps it only where unknown values became known."""
        environment = one.environment
        new = self._agreement.not_agreed(environment, targets, known)
        if not new:
            return {}
        done = [root for root in known if was_applied(self._ctx, self._ctx.run.target(root, environment.name))]
        proposal, broken = self._propose(environment, tuple(known.values()), done)
        if broken:
            return dict.fromkeys(new, broken)
        answer = self._seek(
            _left_of(one, proposal, [known[root].result for root in known if root not in done]), proposal, wave
        )
        answer = self._still(environment, answer, [known[root] for root in new])
        if answer.approval is not None and not answer.reasons:
            self._later.append(answer.approval)
        if not answer.reasons:
            self._agreement.keep(environment, [known[root] for root in new])
        return dict.fromkeys(new, answer.reasons)

    def _propose(
        self, environment: EnvironmentRun, readings: Sequence[Reading], done: Sequence[str] = ()
    ) -> tuple[Proposal, tuple[Reason, ...]]:
        """What would be applied; where a plan cannot be read any more, nothing, and a reason against it."""
        # The account of the plan's credentials: those of an apply may not be where the same plans are made again.
        account = told(self._audience.identities(environment.name))
        try:
            return self._admission.propose(environment, readings, account, done), ()
        except PipelineError as error:
            return Proposal(""), (Reason(Code.PLAN_CHANGED, str(error)),)


def _result(environment: EnvironmentRun, judged: _Judged) -> EnvironmentResult:
    return EnvironmentResult(
        environment, judged.plans, judged.verdict, identity=judged.identity, proposal=judged.proposal
    )


def _left_of(one: EnvironmentResult, proposal: Proposal, plans: Sequence[PlanResult]) -> EnvironmentResult:
    """What is left to do, for whoever is asked about it: the rest is done, and was agreed to."""
    changes = {plan.root: proposal.changes[plan.root] for plan in plans if plan.root in proposal.changes}
    return replace(one, plans=tuple(plans), verdict=None, proposal=replace(proposal, changes=changes))


def _carried_out(plans: Sequence[PlanResult], result: Result) -> tuple[PlanResult, ...]:
    return tuple(replace(result.plans[plan.root], behind=plan.behind) for plan in plans)
