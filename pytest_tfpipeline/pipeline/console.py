"""The audience of an apply without pytest: says what happens, line by line, asks nobody and runs no tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_tfpipeline.gate.approval import Request
from pytest_tfpipeline.gate.identity import Answer
from pytest_tfpipeline.gate.known import known_note
from pytest_tfpipeline.gate.reasons import Reason, Verdict
from pytest_tfpipeline.gate.result import EnvironmentResult
from pytest_tfpipeline.gate.waves import Applied, Left
from pytest_tfpipeline.model import EnvironmentRun, Outcome, PlanResult, Record, Target
from pytest_tfpipeline.reports.progress import ApplyProgress, beginning
from pytest_tfpipeline.reports.text import verdict_text
from pytest_tfpipeline.terraform.applying import ApplyEvent

_QUIET = (Outcome.PASSED, Outcome.DEFERRED)


@dataclass
class Console:
    """`say` takes one line or more, `note_progress` a line about a resource, which names an address and nothing else;
    `show` gives what is shown before an approval; `settled` is called whenever something was applied."""

    say: Callable[[str], None]
    note_progress: Callable[[str], None]
    show: Callable[[Request, EnvironmentResult], str]
    settled: Callable[[], None]
    answers: Mapping[str, tuple[Answer, ...]] = field(default_factory=dict)
    found: list[Record] = field(default_factory=list)
    against: list[Reason] = field(default_factory=list)
    _progress: ApplyProgress = field(default_factory=ApplyProgress)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def records(self) -> Sequence[Record]:
        """The check job's, and those made here."""
        return self.found

    def objections(self) -> Sequence[Reason]:
        """What stands against the check job's word."""
        return self.against

    def identities(self, environment: str) -> tuple[Answer, ...]:
        """What was found out before anything was planned."""
        return self.answers.get(environment, ())

    def approve(self, request: Request, one: EnvironmentResult) -> bool | None:
        """Nobody is asked here: the approval is given with the command."""
        return None

    def on_waiting(self, request: Request, one: EnvironmentResult) -> None:
        """Show what would be applied, and how to go on."""
        self.say(self.show(request, one))

    def on_verdict(self, one: EnvironmentResult, verdict: Verdict) -> None:
        """Why the gate is closed; and what it let through, open or not."""
        if verdict.known:
            self.say(f"{one.environment.name}: {known_note(verdict.known)}")
        if not verdict.open and not one.waits:
            self.say(verdict_text(verdict))

    def on_begin(self, environment: EnvironmentRun, targets: Sequence[Target], plans: Mapping[str, PlanResult]) -> None:
        """The apply begins."""
        self.say(beginning(environment.name, len(targets)))

    def on_record(self, record: Record, wave: int) -> None:
        """Keep it; say what did not pass."""
        self.found.append(record)
        if record.outcome not in _QUIET:
            self.say(f"{record.check}: {record.outcome.value} in wave {wave}\n{record.text or record.summary}")

    def on_start(self, target: Target, plan: PlanResult) -> None:
        """From here on, so many resources are expected."""
        with self._lock:
            self._progress.expect(target.root, plan.changes)

    def on_event(self, target: Target, event: ApplyEvent) -> None:
        """Live progress of one resource."""
        with self._lock:
            line = self._progress.line(target.root, event)
            if line is not None:
                self.note_progress(line)

    def on_applied(self, target: Target, applied: Applied) -> None:
        """Why a root failed."""
        if applied.error:
            self.say(f"{target.root} failed: {applied.error}")

    def on_left(self, environment: EnvironmentRun, left: Left) -> None:
        """Why a root was left."""
        self.say(f"{left.root} was left: {left.why}")

    def on_settled(self) -> None:
        """Something was applied."""
        self.settled()

    def policy_tests(self, targets: Sequence[Target], wave: int) -> Sequence[Record]:
        """None: they are code of the repository's."""
        return ()

    def output_tests(self, environment: EnvironmentRun, targets: Sequence[Target]) -> Sequence[Record]:
        """None: they are code of the repository's."""
        return ()
