"""The tests inside a Python suite, reported one by one as they were in the suite's own run."""

from __future__ import annotations

import pytest

from pytest_tfpipeline.model import CaseResult, Outcome, Record
from pytest_tfpipeline.plugin.live import Announcement, announce

_SHOWN_AS = {Outcome.PASSED: "passed", Outcome.SKIPPED: "skipped"}


def announce_cases(config: pytest.Config, record: Record) -> None:
    """Send each case through pytest's hooks, under its suite's directory."""
    session = config.pluginmanager.getplugin("session")
    for case in record.cases:
        announce(session, _announcement(record, case))


def _announcement(record: Record, case: CaseResult) -> Announcement:
    nodeid = case.id if record.dir in (None, ".") else f"{record.dir}/{case.id}"
    return Announcement(nodeid, _SHOWN_AS.get(case.outcome, "failed"), case.seconds, case.text)
