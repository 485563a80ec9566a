"""Plan, police and apply one root for the waves, with the real terraform, and say what happens as it happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from pytest_tfpipeline.checks import perform
from pytest_tfpipeline.context import Context
from pytest_tfpipeline.errors import PipelineError
from pytest_tfpipeline.gate.reasons import Reason
from pytest_tfpipeline.gate.verdict import decide
from pytest_tfpipeline.gate.waves import Applied
from pytest_tfpipeline.model import CheckKind, EnvironmentRun, Finding, PlanResult, Record, Target
from pytest_tfpipeline.parallel import in_parallel
from pytest_tfpipeline.pipeline.judge import Reading, object_to, read_plans
from pytest_tfpipeline.pipeline.proposal import needs_apply
from pytest_tfpipeline.pipeline.secrets import secrets_of
from pytest_tfpipeline.redact import Redactor
from pytest_tfpipeline.terraform.applying import ApplyEvent, apply_plan
from pytest_tfpipeline.terraform.planning import make_plan

_PARALLEL = 2


class Listener(Protocol):
    """Hears what happens during the waves; called from several threads."""

    def on_record(self, record: Record, wave: int) -> None:
        """A check was performed again."""

    def on_start(self, target: Target, plan: PlanResult) -> None:
        """A root's saved plan is about to be carried out."""

    def on_event(self, target: Target, event: ApplyEvent) -> None:
        """A resource of the target started, goes on or is done."""

    def on_applied(self, target: Target, applied: Applied) -> None:
        """A root is done."""


#: Runs the users' policy tests for these roots and gives their records; comes from whoever can run tests.
PolicyTests = Callable[[Sequence[Target], int], Sequence[Record]]
#: Says what stands against new plans of a wave because nobody has agreed to them, by root.
Agree = Callable[[Sequence[Target], Mapping[str, Reading], int], Mapping[str, Sequence[Reason]]]


class TerraformSteps:
    """`gate.waves.Steps` with terraform."""

    def __init__(
        self, ctx: Context, environment: EnvironmentRun, listener: Listener, policy_tests: PolicyTests, agree: Agree
    ) -> None:
        self._ctx = ctx
        self._environment = environment
        self._listener = listener
        self._policy_tests = policy_tests
        self._agree = agree

    def plan(self, target: Target, wave: int) -> PlanResult:
        """Plan again, in the same private copy, and report it like the first time."""
        result = make_plan(self._ctx, target)
        for record in self._perform(CheckKind.PLAN, [target]):
            self._listener.on_record(record, wave)
        return result

    def police(self, targets: Sequence[Target], wave: int) -> Mapping[str, Sequence[Reason]]:
        """The same checks as the first time: checkov and the shipped rules, the users' tests, destroy protection."""
        records = list(self._perform(CheckKind.POLICY, targets))
        for record in records:
            self._listener.on_record(record, wave)
        records += self._policy_tests(targets, wave)
        readings = {one.result.root: one for one in read_plans(self._ctx, targets)}
        against = {
            target.root: self._against(target, records, object_to(self._ctx, self._environment, readings[target.root]))
            for target in targets
        }
        judged = [target for target in targets if not against[target.root]]
        return {**against, **self._agree(judged, readings, wave)}

    def apply(self, target: Target, plan: PlanResult, wave: int) -> Applied:
        """Carry out the saved plan; a plan without changes is not touched."""
        self._listener.on_start(target, plan)
        applied = self._apply(target, plan, wave)
        self._listener.on_applied(target, applied)
        return applied

    def interrupt(self) -> None:
        """One SIGINT to each terraform."""
        self._ctx.runner.interrupt()

    def _apply(self, target: Target, plan: PlanResult, wave: int) -> Applied:
        if not needs_apply(target, plan):
            return Applied(target.root, wave, "unchanged")
        # A value that is a key of for_each stands in the address.
        mask = Redactor(secrets_of(self._ctx, [target], self._ctx.runner.environ)).text

        def hear(event: ApplyEvent) -> None:
            self._listener.on_event(target, replace(event, address=mask(event.address)))

        try:
            done = apply_plan(self._ctx, target, plan, hear)
        except KeyboardInterrupt:
            return Applied(target.root, wave, "failed", error="interrupted; terraform was asked to stop and to unlock")
        except PipelineError as error:
            return Applied(target.root, wave, "failed", error=str(error))
        error_text = mask("\n".join(map(_told, done.findings)))
        return Applied(target.root, wave, "applied" if done.ok else "failed", done.seconds, error_text or None)

    def _perform(self, kind: CheckKind, targets: Sequence[Target]) -> tuple[Record, ...]:
        wanted = {(target.root, target.environment) for target in targets}
        checks = [one for one in self._ctx.run.checks if one.kind is kind and (one.dir, one.environment) in wanted]
        return in_parallel(lambda check: perform(self._ctx, check), checks, _PARALLEL, self.interrupt)

    def _against(self, target: Target, records: Sequence[Record], objected: Sequence[Reason]) -> Sequence[Reason]:
        expected = [
            check
            for check in self._ctx.run.checks
            if check.kind is CheckKind.POLICY and (check.dir, check.environment) == (target.root, target.environment)
        ]
        own = [record for record in records if (record.dir, record.environment) == (target.root, target.environment)]
        return decide(target.environment, expected, own, objected).reasons


def _told(finding: Finding) -> str:
    """What came of an apply, with the resource it came of: others may have gone well."""
    where = f"{finding.address}: " if finding.address and finding.address not in finding.text else ""
    return f"{where}{finding.text}"
