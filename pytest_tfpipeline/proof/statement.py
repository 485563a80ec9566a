"""Evidence as an in-toto Statement (https://in-toto.io/Statement/v1): the form in which it is signed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_tfpipeline.errors import ProofError
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.proof.document import Evidence, evidence_of
from pytest_tfpipeline.proof.ssh import EVIDENCE_NAMESPACE, sign
from pytest_tfpipeline.workspace import write_private

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
#: What the predicate is: evidence as `evidence.schema.json` describes it. A name, not a place.
PREDICATE_TYPE = "urn:pytest-tfpipeline:evidence:v1"
_PREDICATES = "urn:pytest-tfpipeline:evidence:"

#: Beside `evidence.json`; its signature is the same with `.sig`.
STATEMENT = "evidence.statement.json"

_KEYS = {"_type", "subject", "predicateType", "predicate"}
_TAKE_AGAIN = "take the file as the run wrote it, unchanged"


def statement(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """The statement about an evidence document: its subjects are the commit and each environment's plans."""
    return {
        "_type": STATEMENT_TYPE,
        "subject": _subjects(evidence),
        "predicateType": PREDICATE_TYPE,
        "predicate": dict(evidence),
    }


def evidence_of_statement(value: Any, where: str) -> Evidence:
    """The evidence in a statement (a JSON value); `where` names it in messages.

    Raises ProofError where it is none, is of a newer kind, or is about something else than the evidence in it.
    """
    if not isinstance(value, dict) or value.get("_type") != STATEMENT_TYPE:
        raise ProofError("is not an in-toto statement of version 1", where=where, mend=f"name the {STATEMENT} of a run")
    kind = value.get("predicateType")
    if kind != PREDICATE_TYPE:
        if isinstance(kind, str) and kind.startswith(_PREDICATES):
            what, mend = "was made by a newer pytest-tfpipeline", "update pytest-tfpipeline here"
        else:
            what, mend = "is a statement, but not about evidence", f"name the {STATEMENT} of a run"
        raise ProofError(what, where=where, mend=mend)
    if value.keys() != _KEYS:
        raise ProofError(
            "is a statement with keys that it should not have, or without some that it should",
            where=where,
            mend=_TAKE_AGAIN,
        )
    evidence = evidence_of(value["predicate"], where)
    if value["subject"] != _subjects(value["predicate"]):
        raise ProofError("is about other things than the evidence in it", where=where, mend=_TAKE_AGAIN)
    return evidence


def write_statement(runner: Runner, output: Path, evidence: Mapping[str, Any], key: Path | None) -> Path | None:
    """Write the statement, and its signature with `key` (see `ssh.sign`), beside `evidence.json`.

    `evidence` is the document as it was written. Returns the statement's path; None without a key, or without a commit
    that could be vouched for. What an earlier run left is removed in any case. Raises ProofError where the key cannot
    be used, and leaves neither file then.
    """
    remove_statement(output)
    if key is None or not evidence["run"]["commit"]:
        return None
    text = json.dumps(statement(evidence), indent=1, ensure_ascii=False) + "\n"
    path = write_private(output / STATEMENT, text)
    try:
        sign(runner, key.expanduser(), path, EVIDENCE_NAMESPACE)
    except BaseException:
        remove_statement(output)
        raise
    return path


def remove_statement(output: Path) -> None:
    """Take an earlier run's statement away, signature first: call it before a new `evidence.json` is written."""
    for name in (f"{STATEMENT}.sig", STATEMENT):
        (output / name).unlink(missing_ok=True)


def _subjects(evidence: Mapping[str, Any]) -> list[dict[str, Any]]:
    run = evidence["run"]
    commit = [{"name": run["repository"], "digest": {"gitCommit": run["commit"]}}] if run["commit"] else []
    return commit + [
        {"name": f"plans of {one['name']}", "digest": {"sha256": one["plan_set_digest"].removeprefix("sha256:")}}
        for one in evidence["environments"]
        if one.get("plan_set_digest")
    ]
