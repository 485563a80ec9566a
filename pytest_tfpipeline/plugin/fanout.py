"""The tests inside a Python suite, reported one by one as they were in the suite's own run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_tfpipeline.model import CaseResult, Outcome, Record
from pytest_tfpipeline.plugin.live import Announcement, announce
from pytest_tfpipeline.plugin.state import state_of

_SHOWN_AS = {Outcome.PASSED: "passed", Outcome.SKIPPED: "skipped"}


def announce_cases(config: pytest.Config, record: Record) -> None:
    """Send each case through pytest's hooks, under its suite's directory."""
    session = config.pluginmanager.getplugin("session")
    # Node ids are relative to rootdir, which is the suite itself where only its items were named.
    suite = Path(os.path.relpath(state_of(config).top / (record.dir or "."), config.rootpath)).as_posix()
    for case in record.cases:
        announce(session, _announcement(suite, case))


def _announcement(suite: str, case: CaseResult) -> Announcement:
    nodeid = case.id if suite == "." else f"{suite}/{case.id}"
    return Announcement(nodeid, _SHOWN_AS.get(case.outcome, "failed"), case.seconds, case.text, quiet=False)
