"""How an attack is carried out and judged, for one file of tests for each kind, so that workers share them.

With ATTACKS_WRITE=1, a run writes what came of its attacks into the table; the other rows stay as they are.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from attack import Scene, Trial, carry_out
from attack_table import PAGE, page, written
from attacks_catalogue import MISTAKES_BY_KIND, RAIDS_BY_KIND
from raid import Field, Raid, carry_out_raid

_Record: TypeAlias = Callable[[str, object], None]

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


@pytest.fixture
def applies_nothing(tmp_path: Path, record_property: _Record) -> Callable[[Trial], None]:
    """A mistake in one process: a real run, and afterwards the state is asked what was applied."""

    def judge(trial: Trial) -> None:
        scene = Scene(tmp_path)

        result = carry_out(trial, scene)

        applied = trial.count(scene)
        record_property("applied", json.dumps({attack.id: applied for attack in trial.attacks}))
        assert applied == 0, result.text
        assert result.code == trial.exit, result.text
        assert "/pytest_tfpipeline/" not in result.text, "a traceback of ours"
        assert "INTERNALERROR" not in result.text, result.text
        reasons: list[dict[str, str]] = []
        if trial.codes is not None:
            reasons = scene.reasons()
            assert {reason["code"] for reason in reasons} == trial.codes, result.text
            assert scene.scratch.evidence()["run"]["exit_code"] == trial.exit, result.text
        for attack in trial.attacks:
            texts = [f"{one['text']} [{one.get('check')}]" for one in reasons if attack.code in ("", one["code"])]
            says = attack.says
            for name, value in scene.given.items():
                says = says.replace(f"<{name}>", value)
            assert says in "\n".join(texts or [result.text]), (attack.id, reasons)
        assert scene.scratch.locks() == []

    return judge


@pytest.fixture
def comes_to_what_is_said(tmp_path: Path, record_property: _Record) -> Callable[[Raid], None]:
    """Hostile code gets nothing applied and no credential in two jobs; what it gets in one process is written down."""

    def judge(raid: Raid) -> None:
        scene = Field(tmp_path)

        found = carry_out_raid(raid, scene)

        record_property(
            "applied", json.dumps({name: [found.alone.get(name), jobs] for name, jobs in found.jobs.items()})
        )
        told = f"{found.checked.text}\n=== apply job\n{found.applied.text}\n=== one process\n"
        told += found.together.text if found.together else ""
        assert found.jobs == {threat.id: threat.jobs for threat in raid.threats}, told
        assert found.alone == {threat.id: threat.alone for threat in raid.threats if threat.alone is not None}, told
        assert found.applied.code == raid.exit, told
        assert raid.says in found.applied.text, told
        assert "Traceback" not in found.applied.text, told
        assert scene.token not in found.applied.text, told
        assert scene.scratch.locks() == []

    return judge
