"""Mistakes in one process: each attack is a real run, and afterwards the state is asked what was applied."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from attack import Scene, Trial, carry_out
from attacks_catalogue import MISTAKES


@pytest.mark.parametrize("trial", MISTAKES, ids=lambda trial: trial.id)
def test_a_mistake_applies_nothing(
    trial: Trial, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
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
