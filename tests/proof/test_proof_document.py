"""Evidence is read back exactly as it is written, or refused by name."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pytest_tfpipeline.errors import ProofError
from pytest_tfpipeline.proof.checksum import checksum
from pytest_tfpipeline.proof.document import evidence_of, read_evidence
from pytest_tfpipeline.proof.schema import SCHEMA_PATH, json_schema, schema_text

Document = Callable[..., dict[str, Any]]

DIGEST = "sha256:" + "a" * 64


def fill_in(value: dict[str, Any]) -> None:
    """The fields that evidence has of plans with digests, and of an approval."""
    staging = value["environments"][0]
    staging["plan_set_digest"] = DIGEST
    staging["approval"] = {"kind": "manual", "digest": DIGEST, "by": ["bob"], "at": "2026-01-01T00:00:00Z"}
    staging["plans"][0]["digest"] = DIGEST
    change = {"address": "a.b", "type": "a", "actions": ["delete", "create"], "digest": DIGEST}
    staging["plans"][0]["changes"] = [change]
    value["run"]["isolation"] = "jobs"


def validate(value: object) -> list[str]:
    return [error.message for error in Draft202012Validator(json_schema()).iter_errors(value)]


def test_the_shipped_schema_is_that_of_this_code() -> None:
    Draft202012Validator.check_schema(json_schema())
    renew = "renew it: python -m pytest_tfpipeline.proof.schema --write"
    assert SCHEMA_PATH.read_text(encoding="utf-8") == schema_text(), renew


def test_what_the_gate_writes_is_read_and_is_of_the_schema(document: Document, tmp_path: Path) -> None:
    for value in (document(), document(fill_in)):
        path = tmp_path / "evidence.json"
        path.write_text(json.dumps(value, indent=1), encoding="utf-8")
        read = read_evidence(path)
        assert json.loads(read.model_dump_json(by_alias=True, exclude_unset=True)).keys() == value.keys()
        assert read.environment("staging") == read.environments[0]
        assert read.environment("production") is None
        assert validate(value) == []
    assert read.environments[0].plans[0].changes[0].actions == ("delete", "create")
    assert read.environments[0].plans[0].add == 1
    assert read.ended == 1767225600 + 90.5


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, {"schema_version": "1"}, {"schema_version": True}])
def test_what_is_no_evidence_is_refused(value: Any) -> None:
    with pytest.raises(ProofError, match="given: is not evidence: it has no `schema_version`"):
        evidence_of(value, "given")


def test_a_newer_version_is_told_from_a_broken_file(document: Document) -> None:
    """It has fields and values that nobody here knows: what helps is an update, not another file."""
    value = document(lambda value: value.update(schema_version=2, more="x"))
    with pytest.raises(ProofError, match="made by a newer pytest-tfpipeline") as caught:
        evidence_of(value, "given")
    assert caught.value.mend == "update pytest-tfpipeline here"
    with pytest.raises(ProofError, match="which there never was"):
        evidence_of(document(lambda value: value.update(schema_version=0)), "given")


def test_evidence_that_was_edited_does_not_match_its_checksum(document: Document) -> None:
    value = document()
    value["environments"][0]["emulated"] = True
    with pytest.raises(ProofError, match="its checksum does not match"):
        evidence_of(value, "given")
    del value["digest"]
    with pytest.raises(ProofError, match="its checksum does not match"):
        evidence_of(value, "given")


def edits() -> list[tuple[str, Callable[[dict[str, Any]], Any]]]:
    return [
        ("run.exit_code", lambda value: value["run"].update(exit_code="0")),
        ("run.exit_code", lambda value: value["run"].update(exit_code=0.0)),
        ("run.workers", lambda value: value["run"].update(workers=-1)),
        ("run.started", lambda value: value["run"].update(started="2026-01-01T00:00:00")),
        ("run.started", lambda value: value["run"].update(started="yesterday")),
        ("run.commit", lambda value: value["run"].update(commit="--all")),
        ("run.commit", lambda value: value["run"].update(commit="1" * 39)),
        ("run.tree_clean", lambda value: value["run"].update(tree_clean="yes")),
        ("run.seconds", lambda value: value["run"].update(seconds=-1)),
        ("run.isolation", lambda value: value["run"].update(isolation="none")),
        ("environments", lambda value: value.update(environments={})),
        ("environments.0.name", lambda value: value["environments"][0].pop("name")),
        ("environments.0.emulated", lambda value: value["environments"][0].update(emulated=0)),
        ("environments.0.trusted", lambda value: value["environments"][0].update(trusted=True)),
        ("environments.0.plan_set_digest", lambda value: value["environments"][0].update(plan_set_digest="x")),
        ("environments.0.applied.0.outcome", lambda value: value["environments"][0]["applied"][0].update(outcome="ok")),
        ("checks.0.outcome", lambda value: value["checks"][0].update(outcome="fine")),
        ("names an environment twice", lambda value: value["environments"].append(value["environments"][0])),
    ]


@pytest.mark.parametrize(("place", "edit"), edits())
def test_a_field_of_the_wrong_kind_is_named(
    place: str, edit: Callable[[dict[str, Any]], Any], document: Document
) -> None:
    with pytest.raises(ProofError) as caught:
        evidence_of(document(edit), "given")
    assert place in caught.value.what
    assert caught.value.mend


def test_a_field_that_nobody_knows_is_an_unknown_key(document: Document) -> None:
    with pytest.raises(ProofError) as caught:
        evidence_of(document(lambda value: value.update(foo=1)), "given")
    assert caught.value.what == "is not evidence: foo: unknown key"
    with pytest.raises(ProofError, match="run: is missing"):
        evidence_of(document(lambda value: value.pop("run")), "given")


def test_a_name_of_a_megabyte_does_not_fill_the_message(document: Document) -> None:
    with pytest.raises(ProofError) as caught:
        evidence_of(document(lambda value: value.update({"x" * 2**20: 1, "y" * 2**20: 1})), "given")
    assert len(str(caught.value)) < 1000


def test_the_checksum_does_not_depend_on_order_or_white_space(document: Document) -> None:
    value = document()
    again = dict(reversed(list(json.loads(json.dumps(value, indent=3)).items())))
    assert checksum(again) == value["digest"]
    assert checksum({**value, "run": {**value["run"], "seconds": 90.6}}) != value["digest"]


def test_the_schema_is_printed_for_who_asks() -> None:
    argv = [sys.executable, "-m", "pytest_tfpipeline.proof.schema"]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout == schema_text()
