"""Results of earlier runs in place of checks whose inputs have not changed: nothing is started for those."""

from __future__ import annotations

import os
from collections.abc import Iterable

import pytest

from pytest_tfpipeline.model import Check
from pytest_tfpipeline.plugin.items import CheckItem
from pytest_tfpipeline.plugin.refusal import refusing
from pytest_tfpipeline.plugin.reporting import record_of
from pytest_tfpipeline.plugin.state import State
from pytest_tfpipeline.reuse import STATIC, may_be_check_job
from pytest_tfpipeline.reuse.memory import Memory
from pytest_tfpipeline.reuse.place import CACHE_VARIABLE, OFF, find_place

_NO_CHECK_JOB = (
    "where another job is to apply with this run's evidence, check with "
    f"{CACHE_VARIABLE}={OFF}: it takes none that has reused results"
)


class Reusing:
    """Registered on the controller of a run that may reuse; with pytest-xdist it hands what it found to the workers."""

    def __init__(self, config: pytest.Config, state: State) -> None:
        self._config, self._state = config, state
        with refusing(config, state.top):
            place = find_place(os.environ)
        self._memory = None if place is None else Memory(place)
        self._static = {check.id: check for check in state.run.checks if check.kind in STATIC}
        self._made = self._taken = 0

    def pytest_report_header(self) -> str | None:
        """A directory that was named and cannot be used is not passed over in silence."""
        named = os.environ.get(CACHE_VARIABLE, "")
        if self._memory is not None or named.lower() in ("", OFF):
            return None
        return f"tfpipeline: nothing is reused: {named} is no directory that this user alone can write to"

    def pytest_sessionstart(self) -> None:
        """Before workers start, whoever will collect: all that the run may have to check."""
        if self._distributed and not self._config.option.collectonly:
            self._look_up(self._static.values())

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without workers: what was selected."""
        if not self._distributed and not self._config.option.collectonly:
            self._look_up(item.check for item in session.items if isinstance(item, CheckItem))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what was made now."""
        check = self._static.get(self._state.key(self._config, report.nodeid))
        if self._memory is None or check is None or report.when != "call":
            return
        if check.id in self._state.reused:
            self._taken += 1
            return
        self._made += 1
        record = record_of(report)
        if record is not None:
            self._memory.keep(self._state.context, check, record)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """How much of what was asked for stands from earlier runs."""
        if self._taken:
            count = f"{self._taken:,} of {self._taken + self._made:,} static checks"
            terminalreporter.write_line(f"tfpipeline: {count} reused: nothing that they depend on has changed")
            if may_be_check_job(self._state.run):
                terminalreporter.write_line(f"tfpipeline: {_NO_CHECK_JOB}")

    def pytest_unconfigure(self) -> None:
        """However the run ended."""
        if self._memory is not None:
            self._memory.end()

    @property
    def _distributed(self) -> bool:
        return bool(self._config.pluginmanager.hasplugin("dsession"))

    def _look_up(self, checks: Iterable[Check]) -> None:
        if self._memory is not None:
            self._memory.look_up(self._state.context, checks)
            self._state.reused = self._memory.reused
