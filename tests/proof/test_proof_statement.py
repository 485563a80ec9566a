"""The statement is what in-toto describes, about what its evidence says, and never left from an earlier run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.errors import ProofError
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.proof.statement import (
    PREDICATE_TYPE,
    evidence_of_statement,
    remove_statement,
    statement,
    write_statement,
)

Document = Callable[..., dict[str, Any]]


def with_digest(value: dict[str, Any]) -> None:
    value["environments"][0]["plan_set_digest"] = "sha256:" + "a" * 64


def test_the_statement_is_about_the_commit_and_the_plans(document: Document) -> None:
    made = statement(document(with_digest))
    assert made["_type"] == "https://in-toto.io/Statement/v1"
    assert made["subject"] == [
        {"name": "https://example.org/lake.git", "digest": {"gitCommit": "1" * 40}},
        {"name": "plans of staging", "digest": {"sha256": "a" * 64}},
    ]
    assert made["predicate"] == document(with_digest)
    assert len(statement(document())["subject"]) == 1
    assert evidence_of_statement(made, "given").run.commit == "1" * 40


def edits() -> list[tuple[str, Callable[[dict[str, Any]], Any]]]:
    return [
        ("not an in-toto statement", lambda value: value.update(_type="https://in-toto.io/Statement/v0.1")),
        ("not an in-toto statement", lambda value: value.pop("_type")),
        ("made by a newer", lambda value: value.update(predicateType=PREDICATE_TYPE[:-1] + "2")),
        ("not about evidence", lambda value: value.update(predicateType="https://slsa.dev/provenance/v1")),
        ("not about evidence", lambda value: value.update(predicateType=1)),
        ("keys that it should not have", lambda value: value.update(more=1)),
        ("without some", lambda value: value.pop("subject")),
        ("about other things", lambda value: value["subject"][0]["digest"].update(gitCommit="2" * 40)),
        ("about other things", lambda value: value["subject"].pop()),
        ("about other things", lambda value: value.update(subject=None)),
        ("its checksum does not match", lambda value: value["predicate"]["run"].update(commit="2" * 40)),
        ("is not evidence", lambda value: value.update(predicate=[])),
    ]


@pytest.mark.parametrize(("what", "edit"), edits())
def test_what_is_no_statement_about_evidence_is_refused(
    what: str, edit: Callable[[dict[str, Any]], Any], document: Document
) -> None:
    value = statement(document(with_digest))
    edit(value)
    with pytest.raises(ProofError) as caught:
        evidence_of_statement(value, "given")
    assert what in caught.value.what
    assert caught.value.mend


def test_what_an_earlier_run_left_never_stays(tmp_path: Path, runner: Runner, document: Document, people: Any) -> None:
    """Without a key, without a commit, and with a key that cannot be used."""
    key = people.key("alice")
    uncommitted = document(lambda value: value["run"].update(commit=None))
    for evidence, given in ((document(), None), (uncommitted, key), (document(), tmp_path / "missing")):
        assert write_statement(runner, tmp_path, document(), key) == tmp_path / "evidence.statement.json"
        assert len(list(tmp_path.iterdir())) == 2
        if given is not None and not given.exists():
            with pytest.raises(ProofError, match="is not there"):
                write_statement(runner, tmp_path, evidence, given)
        else:
            assert write_statement(runner, tmp_path, evidence, given) is None
        assert list(tmp_path.iterdir()) == []
    remove_statement(tmp_path)


def test_the_files_are_the_users_own(signed: Callable[..., Path], document: Document) -> None:
    path = signed()
    for file in (path, path.with_name(path.name + ".sig")):
        assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_bytes())["predicate"] == document()
