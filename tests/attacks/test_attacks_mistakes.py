"""Mistakes in one process: each attack is a real run, and afterwards the state is asked what was applied."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import mistakes_options
import pytest
from attack import Scene, Trial, carry_out

TRIALS = mistakes_options.TRIALS


@pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: trial.id)
def test_a_mistake_applies_nothing(
    trial: Trial, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    scene = Scene(tmp_path)

    result = carry_out(trial, scene)

    applied = trial.count(scene)
    record_property("applied", json.dumps({attack.id: applied for attack in trial.attacks}))
    assert applied == 0, result.text
    assert result.code == trial.exit, result.text
    assert "Traceback" not in result.text, result.text
    reasons = ""
    if trial.codes is not None:
        reasons = scene.reasons()
        assert {line.partition(": ")[0] for line in reasons.splitlines()} == trial.codes, result.text
        assert scene.scratch.evidence()["run"]["exit_code"] == trial.exit, result.text
    for attack in trial.attacks:
        assert attack.says in (reasons or result.text), (attack.id, reasons, result.text)
    assert scene.scratch.locks() == []
