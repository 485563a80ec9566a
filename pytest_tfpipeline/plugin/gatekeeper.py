"""Lead an environment through gate and apply, and show both as they happen."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from pytest_tfpipeline.context import Phase
from pytest_tfpipeline.gate import objections
from pytest_tfpipeline.gate.identity import to_identity, told
from pytest_tfpipeline.gate.reasons import Code, Verdict
from pytest_tfpipeline.gate.result import EnvironmentResult
from pytest_tfpipeline.gate.waves import Applied, Result, apply_in_waves
from pytest_tfpipeline.model import EnvironmentRun, Outcome, PlanResult, Record, Target
from pytest_tfpipeline.pipeline.build import changed_since
from pytest_tfpipeline.pipeline.identity import ask
from pytest_tfpipeline.pipeline.judge import Reading, judge, judge_cut_short, read_plans, to_tools
from pytest_tfpipeline.pipeline.source import read_commit, read_tree_state
from pytest_tfpipeline.pipeline.steps import TerraformSteps
from pytest_tfpipeline.plugin.again import (
    in_the_way,
    run_output_tests,
    run_policy_tests,
    silent_output_tests,
    silent_tests,
)
from pytest_tfpipeline.plugin.ledger import Ledger
from pytest_tfpipeline.plugin.live import Announcement, announce
from pytest_tfpipeline.plugin.narrowing import narrowing
from pytest_tfpipeline.plugin.secrecy import redactor
from pytest_tfpipeline.plugin.state import State
from pytest_tfpipeline.plugin.terminal import ProgressLines
from pytest_tfpipeline.reports.text import verdict_text
from pytest_tfpipeline.terraform.applying import ApplyEvent

#: Exit code for an apply that was begun and not completed.
PARTIAL = 11


class Gatekeeper:
    """One per run that can apply, on the controller."""

    def __init__(self, session: pytest.Session, state: State, ledger: Ledger) -> None:
        self._session = session
        self._state = state
        self._ledger = ledger
        self._lock = threading.Lock()
        self._progress = ProgressLines(session.config)
        self.environments: list[EnvironmentResult] = []
        self._in_the_way: list[Record] = []
        ledger.objections.extend(objections.to_narrowing(narrowing(session.config)))

    def judge_and_apply(self) -> None:
        """Decide; if the gate is open, apply in waves. Every result is reported like an item."""
        for environment in self._state.run.environments:
            targets = [one for one in self._state.run.targets if one.environment == environment.name]
            self._object_to_tree(environment)
            readings = read_plans(self._state.context, targets)
            verdict, identity = self._judge(environment, readings)
            plans = tuple(reading.result for reading in readings)
            self._announce_verdict(verdict)
            self.environments.append(EnvironmentResult(environment, plans, verdict, identity=identity))
            if verdict.open:
                result = self._apply(environment, targets, {plan.root: plan for plan in plans})
                carried_out = tuple(replace(result.plans[plan.root], behind=plan.behind) for plan in plans)
                self.environments[-1] = EnvironmentResult(environment, carried_out, verdict, result, identity)
                self._announce_left(environment, result)
                if result.complete:
                    self._run_output_tests(environment, targets)
                if result.broken is not None:
                    self._ledger.note(Code.INTERNAL_ERROR, str(result.broken))
                    raise result.broken
                if result.interrupted:
                    raise KeyboardInterrupt

    def close(self) -> None:
        """Say why of every environment that the run never came to judge, because it ended before."""
        judged = {one.environment.name for one in self.environments}
        for environment in self._state.run.environments:
            if environment.name not in judged:
                answers = self._state.identities.get(environment.name, ())
                against = [*self._ledger.objections, *to_identity(environment.name, answers)]
                verdict, plans = judge_cut_short(self._state.context, environment, self._ledger.records, against)
                self._announce_verdict(verdict)
                self.environments.append(EnvironmentResult(environment, plans, verdict, identity=told(answers)))

    def _judge(self, environment: EnvironmentRun, readings: Sequence[Reading]) -> tuple[Verdict, str | None]:
        """The verdict, and whose the credentials are. What an apply would use is looked at last, and only where nothing
        else stands against one."""
        context, answers = self._state.context, self._state.identities.get(environment.name, ())
        against = [*self._ledger.objections, *to_identity(environment.name, answers)]
        verdict = judge(context, environment, readings, self._ledger.records, against)
        if verdict.open:
            answers += ask(context, environment, Phase.APPLY)
            against += [*to_identity(environment.name, answers), *to_tools(context)]
            verdict = judge(context, environment, readings, self._ledger.records, against)
        return verdict, told(answers)

    def exit_code(self, exitstatus: int) -> int:
        """11 where an apply was begun and something failed or is left, or a test of outputs did not pass; else what
        pytest says, but never that all is well unless every environment was applied."""
        results = [one.result for one in self.environments if one.result is not None]
        if self._in_the_way or any(not result.complete for result in results):
            return PARTIAL
        if len(results) < len(self._state.run.environments):
            return exitstatus or pytest.ExitCode.TESTS_FAILED
        return exitstatus

    def on_record(self, record: Record, wave: int) -> None:
        """A check of a later wave, under its own id."""
        passed = record.outcome in (Outcome.PASSED, Outcome.DEFERRED)
        text = f"in wave {wave}: {record.text or record.summary}"
        announce(
            self._session,
            Announcement(record.check, "passed" if passed else "failed", record.seconds, text, record),
        )

    def on_start(self, target: Target, plan: PlanResult) -> None:
        """From here on, so many resources are expected."""
        with self._lock:
            self._progress.expect(target.root, plan.changes)

    def on_event(self, target: Target, event: ApplyEvent) -> None:
        """Live progress of one resource."""
        with self._lock:
            self._progress.show(target.root, event)

    def on_applied(self, target: Target, applied: Applied) -> None:
        """A root is done. Called while the main thread waits, one at a time."""
        root = next(one for one in self._state.run.repository.roots if one.dir == target.root)
        nodeid = f"{root.anchor}::apply[{target.environment}]"
        outcome = "failed" if applied.outcome == "failed" else "passed"
        error = redactor(self._state, target.root, target.environment).text(applied.error or "")
        with self._lock:
            announce(self._session, Announcement(nodeid, outcome, applied.seconds, error))

    def _apply(self, environment: EnvironmentRun, targets: list[Target], plans: dict[str, PlanResult]) -> Result:
        steps = TerraformSteps(self._state.context, environment, self, self._run_policy_tests)
        self._progress.begin(environment.name, len(targets))
        return apply_in_waves(targets, plans, steps)

    def _announce_left(self, environment: EnvironmentRun, result: Result) -> None:
        for left in result.left:
            root = next(one for one in self._state.run.repository.roots if one.dir == left.root)
            why = redactor(self._state, left.root, environment.name).text(left.why)
            announce(self._session, Announcement(f"{root.anchor}::apply[{environment.name}]", "failed", 0.0, why))

    def _run_policy_tests(self, targets: Sequence[Target], wave: int) -> list[Record]:
        """The records of this wave; a test that was run before and that says nothing now has one that says so."""
        earlier = tuple(self._ledger.records)
        run_policy_tests(self._session, self._state, targets, wave)
        found = self._ledger.records[len(earlier) :]
        return [*found, *silent_tests(earlier, found, targets)]

    def _run_output_tests(self, environment: EnvironmentRun, targets: Sequence[Target]) -> None:
        """What stands in the way to the next environment is kept; what no test reported as a failure is said here."""
        earlier = len(self._ledger.records)
        try:
            run_output_tests(self._session, self._state, targets)
        finally:  # an interrupt leaves some without a result, and `pytest.exit` may ask for any exit code
            self._ledger.records += silent_output_tests(self._state, self._ledger.records[earlier:], targets)
            against = in_the_way(self._ledger.records[earlier:])
            self._in_the_way += against
        quiet = [one for one in against if one.outcome in (Outcome.SKIPPED, Outcome.MISSING)]
        if quiet:
            text = "\n".join(f"{one.check}: {one.outcome.value}: {one.summary}" for one in quiet)
            announce(self._session, Announcement(f"tfpipeline::outputs[{environment.name}]", "failed", text=text))

    def _announce_verdict(self, verdict: Verdict) -> None:
        nodeid = f"tfpipeline::gate[{verdict.environment}]"
        announce(
            self._session, Announcement(nodeid, "passed" if verdict.open else "failed", text=verdict_text(verdict))
        )

    def _object_to_tree(self, environment: EnvironmentRun) -> None:
        run, context = self._state.run, self._state.context
        self._ledger.objections.extend(objections.to_changes_of_tree(changed_since(run)))
        now = read_commit(context.runner, self._state.top)
        self._ledger.objections.extend(objections.to_moved_commit(run.commit, now))
        roots = tuple(target.root for target in run.targets)
        tree = read_tree_state(context.runner, self._state.top, roots)
        self._ledger.objections.extend(objections.to_tree(tree.dirty, tree.ignored, environment))
