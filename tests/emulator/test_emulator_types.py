"""The documentation's table of resource types: complete, and true of the types that are tried again here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import resource_types
from resource_types import COLUMNS, Step, Trial, configured, documented, most_used

TOPIC = """
resource "aws_sns_topic" "it" {
  name = "types"
}
"""


def test_the_table_is_about_the_most_used_types_and_each_has_a_configuration() -> None:
    rows = dict(documented())
    assert list(rows) == most_used()
    assert len(rows) == 80
    assert set(rows) <= configured()
    assert all(len(cells) == len(COLUMNS) for cells in rows.values())


def test_the_sixty_most_used_go_the_whole_way() -> None:
    rows = dict(documented())
    short = {kind: rows[kind] for kind in most_used()[:60] if set(rows[kind]) != {"yes"}}
    assert short == {}


def test_what_is_documented_is_so(tmp_path: Path) -> None:
    source = tmp_path / "types"
    source.mkdir()
    for name in ("provider.tf", "iam.tf"):
        (source / name).write_text((resource_types.TYPES / name).read_text())
    (source / "more.tf").write_text(TOPIC)
    work = tmp_path / "work"
    work.mkdir()
    trial = resource_types.try_out(source, work)
    rows = dict(documented())
    assert {kind: trial.row(kind) for kind in configured(source)} == {kind: rows[kind] for kind in configured(source)}


def test_a_cell_says_what_did_not_go() -> None:
    sizes = {"aws_a.x": "create", "aws_a.y": "create", "aws_b.x": "create", "aws_c.x": "create"}
    refused = {"@level": "error", "diagnostic": {"address": "aws_b.x", "summary": "cannot do b CreateB"}}
    trial = Trial(
        Step(0, tuple(change(*one) for one in sizes.items())),
        Step(1, (done("aws_a.x"), done("aws_a.y"), refused)),
        Step(2, (change("aws_a.y", "update"), change("aws_b.x", "create"))),
        Step(0, (done("aws_a.x"), done("aws_a.y"))),
    )
    assert trial.row("aws_a") == ("yes", "yes", "update", "yes")
    assert trial.row("aws_b") == ("yes", "no: cannot do b CreateB", "create", "-")
    assert trial.row("aws_c")[1] == "no: what it needs is not there"
    assert trial.row("aws_d") == ("not planned", "-", "-", "-")


def change(address: str, action: str) -> dict[str, Any]:
    return {"type": "planned_change", "change": {"resource": {"addr": address}, "action": action}}


def done(address: str) -> dict[str, Any]:
    return {"type": "apply_complete", "hook": {"resource": {"addr": address}}}
