"""Report things that are not items as if they were: the gate, an apply, a check that is performed again."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pytest_tfpipeline import codec
from pytest_tfpipeline.model import Record
from pytest_tfpipeline.plugin.reporting import ATTRIBUTE, QUIET
from pytest_tfpipeline.redact import clean

#: The attribute of a report that is not an item's.
_ANNOUNCED = "tfpipeline_announced"


@dataclass(frozen=True, slots=True)
class Announcement:
    """One result: `outcome` is passed, failed or skipped; `text` is what a failure shows."""

    nodeid: str
    outcome: str
    seconds: float = 0.0
    text: str = ""
    record: Record | None = None
    #: What it printed, by the names that pytest gives such sections.
    sections: tuple[tuple[str, str], ...] = ()
    #: Whether the terminal shows no letter where it passed: it stands among lines of its own.
    quiet: bool = True


def announce(session: pytest.Session, told: Announcement) -> None:
    """Send set-up, call and teardown reports through pytest's own hooks, so that the terminal and JUnit have it."""
    hook = session.config.hook
    path, _, name = told.nodeid.partition("::")
    location = (path, None, name or path)
    session.testscollected += 1
    hook.pytest_runtest_logstart(nodeid=told.nodeid, location=location)
    for when in ("setup", "call", "teardown"):
        hook.pytest_runtest_logreport(report=_report(told, location, when))
    hook.pytest_runtest_logfinish(nodeid=told.nodeid, location=location)


def is_announced(report: pytest.TestReport) -> bool:
    """Whether the report was made here, and not by an item or for one that crashed."""
    return hasattr(report, _ANNOUNCED)


def _report(told: Announcement, location: tuple[str, None, str], when: str) -> pytest.TestReport:
    own = when == "call"
    outcome = told.outcome if own else "passed"
    longrepr: object = None
    if own and outcome == "failed":
        longrepr = clean(told.text)
    elif own and outcome == "skipped":
        longrepr = (location[0], 0, f"Skipped: {clean(told.text)}")
    report = pytest.TestReport(
        nodeid=told.nodeid,
        location=location,
        keywords={},
        outcome=outcome,  # type: ignore[arg-type]
        longrepr=longrepr,  # type: ignore[arg-type]
        when=when,  # type: ignore[arg-type]
        duration=told.seconds if own else 0.0,
        sections=told.sections if own else (),
    )
    setattr(report, _ANNOUNCED, True)
    setattr(report, QUIET, told.quiet)
    if own and told.record is not None:
        setattr(report, ATTRIBUTE, codec.dumps(told.record))
    return report
