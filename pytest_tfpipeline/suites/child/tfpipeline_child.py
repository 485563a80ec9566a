"""Loaded into a suite's own pytest (version 6 or later, Python 3.7 or later): writes what happens to a file.

Standard library only, and not even pytest is imported: it is the suite's own. Each event is one JSON line, written at
once, so that a crash loses nothing. `TFPIPELINE_EVENTS` names the file; `TFPIPELINE_CHILD` is a JSON object of wishes:
`paths` (for the end of `sys.path`), `beside` (whether a test file's directory goes on `sys.path` although pytest does
not put it there) and `only` (ids of the only tests to run).
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
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
        sections: list[tuple[str, str]]

    class Item(Protocol):
        """A collected test."""

        nodeid: str

    class Collector(Protocol):
        """A file, a class or anything else that tests are found in."""

        nodeid: str
        fspath: object

    class Session(Protocol):
        """pytest's session; on the controller of xdist it has no items."""

        items: Iterable[Item]

    class Hook(Protocol):
        """pytest's hooks."""

        def pytest_deselected(self, items: list[Item]) -> None:
            """Tell of tests that are not run."""

    class Plugins(Protocol):
        """pytest's plugin manager."""

        def register(self, plugin: object, name: str) -> object:
            """Register a plugin object."""

    class Config(Protocol):
        """pytest's configuration."""

        pluginmanager: Plugins
        hook: Hook


#: Outcomes, the best first: a test is as its worst phase.
_WORST = ("passed", "skipped", "failed", "error")


class Reporter:
    """Writes events: `looking`, `collected`, `problem`, `deselected`, `running`, `result`, `finish`."""

    def __init__(self, path: str) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._pid = os.getpid()
        self._open: dict[str, list[tuple[float, str, str]]] = {}

    def write(self, event: str, **data: object) -> None:
        # A test that forks must not report twice.
        if os.getpid() == self._pid:
            line = json.dumps({"event": event, **data}) + "\n"
            os.write(self._fd, line.encode("utf-8", "backslashreplace"))

    def pytest_collectstart(self, collector: Collector) -> None:
        if collector.nodeid.endswith(".py"):
            self.write("looking", id=collector.nodeid)

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
            seconds = sum(phase[0] for phase in phases)
            # The last report has what was captured in all of them.
            output = [[name, text[-20000:]] for name, text in getattr(report, "sections", ())]
            self.write("result", id=report.nodeid, outcome=outcome, seconds=seconds, text=text, output=output)

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


class Chooser:
    """Leaves out every test but those that were asked for.

    `test_it.py::test_a` also means all its parameters, and where there is no such test, those that a decorator made of
    it (`test_a_0`, `test_a_1_name`). `test_it.py`, a class or a directory means everything in it.
    """

    def __init__(self, wanted: list[str]) -> None:
        self._wanted = wanted

    def pytest_collection_modifyitems(self, config: Config, items: list[Item]) -> None:
        chosen: set[str] = set()
        for wanted in self._wanted:
            inside = (wanted + "[", wanted + "::", wanted.rstrip("/") + "/")
            found = [each.nodeid for each in items if each.nodeid == wanted or each.nodeid.startswith(inside)]
            made = wanted + "_" if "::" in wanted else "::"
            chosen.update(found or [each.nodeid for each in items if each.nodeid.startswith(made)])
        left = [each for each in items if each.nodeid not in chosen]
        if left:
            config.hook.pytest_deselected(items=left)
            items[:] = [each for each in items if each.nodeid in chosen]


class Beside:
    """Puts the directory of each test file on `sys.path`, as pytest does where it imports by name."""

    def pytest_collectstart(self, collector: Collector) -> None:
        path = str(collector.fspath) if collector.nodeid.endswith(".py") else ""
        directory = Path(path).parent
        if path and str(directory) not in sys.path and not (directory / "__init__.py").exists():
            sys.path.insert(0, str(directory))


def pytest_configure(config: Config) -> None:
    if WISHES.get("only"):
        config.pluginmanager.register(Chooser(WISHES["only"]), "tfpipeline-child-chooser")
    if WISHES.get("beside"):
        config.pluginmanager.register(Beside(), "tfpipeline-child-beside")
    path = os.environ.get("TFPIPELINE_EVENTS")
    # Only the process that sees all reports writes: not a worker of xdist.
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Reporter(path), "tfpipeline-child-reporter")


WISHES = json.loads(os.environ.get("TFPIPELINE_CHILD") or "{}")
# At once: conftest files are imported before anything is configured. Behind what is installed, which they only fill up.
sys.path.extend(path for path in WISHES.get("paths", ()) if path not in sys.path)
