"""How long the rest takes: said before the first check, and now and then where pytest says how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

import pytest

from pytest_tfpipeline.pipeline.remaining import Expectation, Rest, remaining
from pytest_tfpipeline.plugin.scopes import Scopes
from pytest_tfpipeline.plugin.state import State
from pytest_tfpipeline.reports.progress import left_line, whole_line

#: Seconds from one such word to the next, on a terminal and in a log.
_ON_TERMINAL, _IN_LOG = 15.0, 30.0
#: A long run is spoken of so many times, and not at every interval.
_TIMES = 30


class Countdown:
    """Registered on the controller where pytest shows progress. It speaks only when an item is done, so that nothing is
    written into the middle of what others write."""

    def __init__(self, config: pytest.Config, state: State, clock: Callable[[], float] = time.monotonic) -> None:
        self._config, self._state, self._clock = config, state, clock
        self._reporter: pytest.TerminalReporter = config.pluginmanager.getplugin("terminalreporter")
        self._workers = len(getattr(config.option, "tx", None) or ()) or 1
        self._grouped = Scopes(state, config) if getattr(config.option, "tf_scheduler", False) else None
        self._left: dict[str, str] = {}
        self._begun: dict[str, float] = {}
        self._took: dict[str, float] = {}
        self._done: set[str] = set()
        self._spoke: float | None = None
        self._silence = _ON_TERMINAL if self._reporter.isatty else _IN_LOG

    def pytest_report_collectionfinish(self, items: Sequence[pytest.Item]) -> str | None:
        """Without workers: before the first check."""
        self._expect(item.nodeid for item in items)
        return self._whole()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """A worker has collected what all of them have."""
        self._expect(ids)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """With workers, the first of these is the beginning."""
        whole = self._whole()
        if whole is not None:
            self._reporter.write_line(whole)
        self._begun[nodeid] = self._clock()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add up the phases of an item; one in which a worker died has no other end."""
        self._took[report.nodeid] = self._took.get(report.nodeid, 0.0) + report.duration
        if report.when not in ("setup", "call", "teardown"):
            self._end(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Say what is left, if it is time to."""
        if nodeid in self._left:
            self._end(nodeid)
            if self._spoke is not None and self._clock() - self._spoke >= self._silence:
                self._speak()

    def _expect(self, nodeids: Iterable[str]) -> None:
        group = self._grouped.scope if self._grouped is not None else str
        self._left |= {nodeid: group(nodeid) for nodeid in nodeids if nodeid not in self._done}

    def _end(self, nodeid: str) -> None:
        self._done.add(nodeid)
        self._left.pop(nodeid, None)
        self._begun.pop(nodeid, None)

    def _whole(self) -> str | None:
        """Once."""
        if self._spoke is not None:
            return None
        self._spoke = self._clock()
        seconds = self._remaining()
        self._space_out(seconds)
        headless = bool(self._config.option.no_header)
        return None if headless else whole_line(seconds, can_apply=self._state.run.can_apply)

    def _speak(self) -> None:
        self._spoke = self._clock()
        seconds, total = self._remaining(), len(self._left) + len(self._done)
        self._space_out(seconds)
        text = left_line(len(self._done), total, seconds, can_apply=self._state.run.can_apply)
        if text is not None:
            self._write(text)

    def _space_out(self, seconds: float | None) -> None:
        self._silence = max(self._silence, (seconds or 0.0) / _TIMES)

    def _remaining(self) -> float | None:
        now, reused = self._clock(), self._state.reused
        keys = {nodeid: self._state.key(self._config, nodeid) for nodeid in (*self._left, *self._done)}
        left = {nodeid: group for nodeid, group in self._left.items() if keys[nodeid] not in reused}
        running = {keys[nodeid]: now - self._begun[nodeid] for nodeid in left if nodeid in self._begun}
        rest = Rest({keys[nodeid]: group for nodeid, group in left.items()}, running, self._workers)
        took = {keys[nodeid]: self._took[nodeid] for nodeid in self._done if keys[nodeid] not in reused}
        return remaining(rest, Expectation(self._state.run.timings, took))

    def _write(self, text: str) -> None:
        """Where pytest's own `[ 42%]` stands, at the end of a line of letters; under `-v` in a line of its own."""
        reporter, writer = self._reporter, self._config.get_terminal_writer()
        if self._config.get_verbosity(pytest.Config.VERBOSITY_TEST_CASES) > 0:
            reporter.ensure_newline()
        else:
            if writer.width_of_current_line + len(text) + 2 > writer.fullwidth:
                reporter.write("\n")
            text = text.rjust(writer.fullwidth - writer.width_of_current_line - 1)
        reporter.write(text, cyan=True, flush=True)
        if self._config.pluginmanager.hasplugin("dsession"):
            reporter.write("\n")
        else:
            reporter.currentfspath = None  # pytest begins a new line with the file of the next item
