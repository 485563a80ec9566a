"""The tests inside a Python suite, reported one by one as they were in the suite's own run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_tfpipeline.model import CaseResult, Outcome, Record
from pytest_tfpipeline.plugin.live import Announcement, announce
from pytest_tfpipeline.plugin.state import state_of

_SHOWN_AS = {Outcome.PASSED: "passed", Outcome.SKIPPED: "skipped"}


def announce_cases(config: pytest.Config, record: Record, told: str) -> None:
    """Send each case through pytest's hooks, by the id that selects it when it is pasted; but for one that is the item
    `told` itself."""
    session = config.pluginmanager.getplugin("session")
    for case in record.cases:
        nodeid = _nodeid(config, record, case)
        if nodeid != told:
            outcome = _SHOWN_AS.get(case.outcome, "failed")
            announce(session, Announcement(nodeid, outcome, case.seconds, case.text, sections=case.output, quiet=False))


def _nodeid(config: pytest.Config, record: Record, case: CaseResult) -> str:
    """Below the suite's directory; what is no file there, from a JUnit file, is a part of the suite's `unit`.

    Node ids are relative to rootdir, which is the suite itself where only its items were named.
    """
    state = state_of(config)
    inside = Path(record.dir or ".", case.id.partition("::")[0])
    anchor = next((suite.anchor for suite in state.run.repository.suites if suite.dir == record.dir), None)
    if anchor is None or (state.top / inside).is_file():
        suite = Path(os.path.relpath(state.top / (record.dir or "."), config.rootpath)).as_posix()
        return case.id if suite == "." else f"{suite}/{case.id}"
    return f"{Path(os.path.relpath(state.top / anchor, config.rootpath)).as_posix()}::unit[{case.id}]"
