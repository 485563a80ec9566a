"""Show on the terminal and to pytest what happens at the gate and behind it, ask, and run the tests that belong there.

What is decided, and in which order, is the engine's: `pipeline.conduct`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from pytest_tfpipeline.gate.approval import Request
from pytest_tfpipeline.gate.identity import Answer
from pytest_tfpipeline.gate.reasons import Code, Reason, Verdict
from pytest_tfpipeline.gate.result import EnvironmentResult, Source
from pytest_tfpipeline.gate.waves import Applied, Left
from pytest_tfpipeline.model import EnvironmentRun, Outcome, PlanResult, Record, Target
from pytest_tfpipeline.pipeline.admission import Admission
from pytest_tfpipeline.pipeline.agreement import Agreement
from pytest_tfpipeline.pipeline.conduct import Conductor
from pytest_tfpipeline.pipeline.remaining import expected_apply, moves
from pytest_tfpipeline.pipeline.timings import apply_id
from pytest_tfpipeline.plugin.again import (
    in_the_way,
    run_output_tests,
    run_policy_tests,
    silent_output_tests,
    silent_tests,
)
from pytest_tfpipeline.plugin.ledger import Ledger
from pytest_tfpipeline.plugin.live import Announcement, announce
from pytest_tfpipeline.plugin.secrecy import known_secrets, redactor
from pytest_tfpipeline.plugin.state import State
from pytest_tfpipeline.plugin.terminal import ProgressLines
from pytest_tfpipeline.plugin.wishes import going_on
from pytest_tfpipeline.redact import Redactor
from pytest_tfpipeline.reports.text import verdict_text
from pytest_tfpipeline.terraform.applying import ApplyEvent


class Gatekeeper:
    """One per run that can apply, on the controller; the conductor's `Audience`."""

    def __init__(
        self, session: pytest.Session, state: State, ledger: Ledger, admission: Admission, agreement: Agreement
    ) -> None:
        self._session = session
        self._state = state
        self._ledger = ledger
        self._lock = threading.Lock()
        self._progress = ProgressLines(session.config)
        self._admission = admission
        self._conductor = Conductor(admission, agreement, self)
        self.write_down: Callable[[], None] = lambda: None
        self.waiting = ""
        self._refused: str | None = None

    @property
    def results(self) -> Sequence[EnvironmentResult]:
        """The environments that were judged so far."""
        return self._conductor.results

    @property
    def source(self) -> Source:
        """What is judged, as it was when the run began."""
        return self._admission.source

    def judge_and_apply(self) -> None:
        """Decide; behind an open gate, apply in waves. Every result is reported like an item."""
        try:
            self._conductor.lead()
        except Exception as error:
            self._ledger.note(Code.INTERNAL_ERROR, str(error))
            raise

    def close(self) -> None:
        """Say why of every environment that the run never came to judge."""
        self._conductor.close()

    def records(self) -> Sequence[Record]:
        """What the ledger has."""
        return self._ledger.records

    def objections(self) -> Sequence[Reason]:
        """What the ledger has."""
        return self._ledger.objections

    def identities(self, environment: str) -> tuple[Answer, ...]:
        """What was found out before anything was planned."""
        return self._state.identities.get(environment, ())

    def on_verdict(self, one: EnvironmentResult, verdict: Verdict) -> None:
        """The gate, reported like an item; one that only waits for an approval has not failed."""
        nodeid = f"tfpipeline::gate[{verdict.environment}]"
        waits = one.waits or any(before.waits for before in self.results)
        outcome = "passed" if verdict.open else "skipped" if waits else "failed"
        announce(self._session, Announcement(nodeid, outcome, text=verdict_text(verdict)))

    def on_begin(self, environment: EnvironmentRun, targets: Sequence[Target], plans: Mapping[str, PlanResult]) -> None:
        """Live progress begins."""
        anchors = {root.dir: root.anchor for root in self._state.run.repository.roots}
        ids = {target.root: apply_id(anchors[target.root], target.environment) for target in targets}
        moving = [each for each in targets if each.root not in plans or moves(plans[each.root])]
        seconds = expected_apply(moving, ids, self._state.run.timings)
        self._progress.begin(environment.name, len(targets), seconds)

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
        outcome = "failed" if applied.outcome == "failed" else "passed"
        with self._lock:
            self._announce_root(target.root, target.environment, outcome, applied.seconds, applied.error or "")

    def on_left(self, environment: EnvironmentRun, left: Left) -> None:
        """A root that was not applied; one that only waits for an approval has not failed."""
        outcome = "skipped" if left.waits else "failed"
        self._announce_root(left.root, environment.name, outcome, 0.0, left.why)

    def on_settled(self) -> None:
        """Evidence of what was applied must be there whatever becomes of this process."""
        self.write_down()

    def policy_tests(self, targets: Sequence[Target], wave: int) -> list[Record]:
        """The records of this wave; a test that was run before and that says nothing now has one that says so."""
        earlier = tuple(self._ledger.records)
        run_policy_tests(self._session, self._state, targets, wave)
        found = self._ledger.records[len(earlier) :]
        return [*found, *silent_tests(earlier, found, targets)]

    def output_tests(self, environment: EnvironmentRun, targets: Sequence[Target]) -> Sequence[Record]:
        """Those that stand in the way: they did not pass, or have no result at all."""
        earlier = len(self._ledger.records)
        try:
            run_output_tests(self._session, self._state, targets)
        finally:  # an interrupt leaves some without a result
            self._ledger.records += silent_output_tests(self._state, self._ledger.records[earlier:], targets)
        against = in_the_way(self._ledger.records[earlier:])
        quiet = [one for one in against if one.outcome in (Outcome.SKIPPED, Outcome.MISSING)]
        if quiet:  # no test reported these as a failure
            text = "\n".join(f"{one.check}: {one.outcome.value}: {one.summary}" for one in quiet)
            announce(self._session, Announcement(f"tfpipeline::outputs[{environment.name}]", "failed", text=text))
        return against

    def approve(self, request: Request, one: EnvironmentResult) -> bool | None:
        """Ask on the terminal, if there is one."""
        from pytest_tfpipeline.plugin.asking import ask

        answer = ask(self._session.config, self._showing(request, one, asked=True), request.environment)
        self._refused = request.digest if answer is False else None
        return answer

    def on_waiting(self, request: Request, one: EnvironmentResult) -> None:
        """Show what waits, and how to go on; not all of it once more to somebody who has just said no."""
        self._progress.tell(self._showing(request, one, asked=False, refused=self._refused == request.digest))

    def _showing(self, request: Request, one: EnvironmentResult, *, asked: bool, refused: bool = False) -> str:
        from pytest_tfpipeline.pipeline.showing import showing
        from pytest_tfpipeline.reports.approval import approval_markdown, approval_text

        checks = {record.check for record in self._ledger.records} | set(self._state.held)
        config = self._session.config
        told = showing(self._admission, request, one, self.results, checks, going_on(config), asked=asked)
        targets = [target for target in self._state.run.targets if target.environment == request.environment]
        masked = Redactor(known_secrets(self._state, targets)).text
        self.waiting = "" if asked else masked(approval_markdown(told))
        return masked(approval_text(replace(told, refused=refused), config.get_terminal_writer().fullwidth))

    def _announce_root(self, directory: str, environment: str, outcome: str, seconds: float, text: str) -> None:
        root = next(one for one in self._state.run.repository.roots if one.dir == directory)
        told = redactor(self._state, directory, environment).text(text)
        announce(self._session, Announcement(apply_id(root.anchor, environment), outcome, seconds, told))
