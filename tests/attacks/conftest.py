"""With ATTACKS_WRITE=1, a run writes what came of its attacks into the table; the other rows stay as they are."""

from __future__ import annotations

import json
import os

import pytest
from attack_table import PAGE, page, written
from attacks_catalogue import MISTAKES_BY_KIND, RAIDS_BY_KIND

_applied: dict[str, object] = {}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember what a trial says it found; also those that ran in a worker."""
    for name, value in report.user_properties:
        if name == "applied":
            _applied.update(json.loads(str(value)))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the page, on the controller."""
    if os.environ.get("ATTACKS_WRITE") and not hasattr(session.config, "workerinput"):
        before = dict(written(PAGE.read_text(encoding="utf-8"))) if PAGE.exists() else {}
        PAGE.write_text(page(MISTAKES_BY_KIND, RAIDS_BY_KIND, {**before, **_applied}), encoding="utf-8")
