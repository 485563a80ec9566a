"""Loaded into a suite's own pytest (version 6 or later, Python 3.7 or later): writes what happens to a file.

Standard library only, and not even pytest is imported: it is the suite's own. Each event is one JSON line, written at
once, so that a crash loses nothing. `TFPIPELINE_EVENTS` names the file.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sized
    from typing import Protocol

    class Report(Protocol):
        """The parts of pytest's reports that are read here."""

        nodeid: str
        outcome: str
        when: str
        duration: float
        failed: bool
        skipped: bool
        longrepr: object
        longreprtext: str
        wasxfail: str

    class Item(Protocol):
        """A collected test."""

        nodeid: str

    class Session(Protocol):
        """pytest's session; on the controller of xdist it has no items."""

        items: Iterable[Item]

    class Plugins(Protocol):
        """pytest's plugin manager."""

        def register(self, plugin: object, name: str) -> object:
            """Register a plugin object."""

    class Config(Protocol):
        """pytest's configuration."""

        pluginmanager: Plugins


#: Outcomes, the best first: a test is as its worst phase.
_WORST = ("passed", "skipped", "failed", "error")


class Reporter:
    """Writes events: `collected`, `problem`, `deselected`, `running`, `result`, `finish`."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._pid = os.getpid()
        self._open: dict[str, list[tuple[float, str, str]]] = {}

    def write(self, event: str, **data: object) -> None:
        # A test that forks must not report twice.
        if os.getpid() == self._pid:
            line = json.dumps({"event": event, **data}) + "\n"
            os.write(self._fd, line.encode("utf-8", "backslashreplace"))

    def pytest_collectreport(self, report: Report) -> None:
        if report.failed:
            self.write("problem", id=report.nodeid, text=report.longreprtext)

    def pytest_deselected(self, items: Sized) -> None:
        self.write("deselected", count=len(items))

    def pytest_collection_finish(self, session: Session) -> None:
        self.write("collected", ids=[item.nodeid for item in getattr(session, "items", ())])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.write("running", id=nodeid)

    def pytest_runtest_logreport(self, report: Report) -> None:
        if report.outcome == "rerun":
            self._open.pop(report.nodeid, None)
            return
        self._open.setdefault(report.nodeid, []).append((report.duration, *_phase(report)))
        # xdist blames a crash on a test with a report of its own, which is the test's last.
        if report.when not in ("setup", "call"):
            phases = self._open.pop(report.nodeid)
            outcome = max((phase[1] for phase in phases), key=_WORST.index)
            text = "\n".join(phase[2] for phase in phases if phase[2])
            self.write("result", id=report.nodeid, outcome=outcome, seconds=sum(p[0] for p in phases), text=text)

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        self.write("finish", code=int(exitstatus))


def _phase(report: Report) -> tuple[str, str]:
    """(outcome, text) of one phase of one test."""
    if report.failed:
        return ("failed" if report.when == "call" else "error"), report.longreprtext
    if hasattr(report, "wasxfail"):
        reason = report.wasxfail or "no reason"
        return ("skipped", "xfail: " + reason) if report.skipped else ("passed", "xpass: " + reason)
    if report.skipped:
        place = report.longrepr
        return "skipped", place[2] if isinstance(place, tuple) else str(place)
    return "passed", ""


def pytest_configure(config: Config) -> None:
    path = os.environ.get("TFPIPELINE_EVENTS")
    # Only the process that sees all reports writes: not a worker of xdist.
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Reporter(path), "tfpipeline-child-reporter")
