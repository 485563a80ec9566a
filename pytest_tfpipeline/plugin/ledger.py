"""What the controller has seen so far: records, objections, and what workers say they collected."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from pytest_tfpipeline import codec
from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.model import Check, CheckKind, Outcome, Record
from pytest_tfpipeline.plugin.live import is_announced
from pytest_tfpipeline.plugin.reporting import record_of
from pytest_tfpipeline.plugin.state import WIRE_KEY, State
from pytest_tfpipeline.redact import clean


class Ledger:
    """Grows while the run goes on; nothing is ever taken out of it."""

    def __init__(self, config: pytest.Config, state: State) -> None:
        self._config = config
        self._state = state
        self.records: list[Record] = []
        self.objections: list[Reason] = []
        self.unplanned: set[str] = set()
        self.unapplied: set[str] = set()
        self.usage: str | None = None
        self._expected = frozenset(check.id for check in state.run.checks)

    def take(self, report: pytest.TestReport) -> Record | None:
        """Note a report; gives its record if it has one."""
        record = record_of(report)
        if record is None and report.failed and not is_announced(report):
            record = self._crash(report)
        if record is not None:
            self.records.append(record)
        return record

    def note(self, code: Code, text: str, check: str | None = None) -> None:
        """Note something that stands against an apply."""
        self.objections.append(Reason(code, text, check))

    def hear(self, output: Mapping[str, object]) -> None:
        """Note what a process says about its collection."""
        usage = output.get(f"{WIRE_KEY}_usage")
        self.usage = self.usage or (str(usage) if usage else None)
        text = output.get(WIRE_KEY)
        answer: dict[str, list[str]] = json.loads(text) if isinstance(text, str) else {}
        self.unplanned |= set(answer.get("unplanned", ()))
        self.unapplied |= set(answer.get("unapplied", ()))
        held = (codec.loads(Check, each) for each in answer.get("held", ()))
        self._state.held |= {check.id: check for check in held}
        for nodeid in answer.get("skipped", ()):
            self.note(Code.CHECK_SKIPPED, "the whole module was skipped", self._state.key(self._config, nodeid))
        for nodeid in answer.get("dropped", ()):
            key = self._state.key(self._config, nodeid)
            if key in self._expected:  # `decide` misses it by itself
                continue
            self.note(Code.CHECK_MISSING, "collected, then left out of the run", key)

    def _crash(self, report: pytest.TestReport) -> Record:
        """A failure that no item of ours reported: pytest-xdist's word about the item a worker died in."""
        key = self._state.key(self._config, report.nodeid)
        lines = [line for line in report.longreprtext.splitlines() if line.strip()]
        text = clean(lines[-1]) if lines else "it crashed"
        for check in (*self._state.run.checks, *self._state.held.values()):
            if check.id == key:
                return Record(key, check.kind, Outcome.ERROR, check.dir, check.environment, summary=text, text=text)
        return Record(key, CheckKind.TEST, Outcome.ERROR, summary=text)
