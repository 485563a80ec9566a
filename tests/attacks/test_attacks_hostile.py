"""Hostile code: in two jobs it gets nothing applied and no credential; in one process what it gets is written down."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from attacks_catalogue import RAIDS
from raid import Field, Raid, carry_out_raid


@pytest.mark.parametrize("raid", RAIDS, ids=lambda raid: raid.id)
def test_hostile_code_comes_to_what_the_table_says(
    raid: Raid, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    scene = Field(tmp_path)

    found = carry_out_raid(raid, scene)

    record_property("applied", json.dumps({name: [found.alone.get(name), jobs] for name, jobs in found.jobs.items()}))
    told = f"{found.checked.text}\n=== apply job\n{found.applied.text}\n=== one process\n"
    told += found.together.text if found.together else ""
    assert found.jobs == {threat.id: threat.jobs for threat in raid.threats}, told
    assert found.alone == {threat.id: threat.alone for threat in raid.threats if threat.alone is not None}, told
    assert found.applied.code == raid.exit, told
    assert raid.says in found.applied.text, told
    assert "Traceback" not in found.applied.text, told
    assert scene.token not in found.applied.text, told
    assert scene.scratch.locks() == []
