"""Everything that a run has to tell is in its evidence, under the documented names."""

from __future__ import annotations

from dataclasses import replace

from pytest_tfpipeline.gate.approval import Approval
from pytest_tfpipeline.gate.digest import AddressChange
from pytest_tfpipeline.gate.evidence import evidence
from pytest_tfpipeline.gate.reasons import Code, Reason, Verdict
from pytest_tfpipeline.gate.result import EnvironmentResult, Proposal, RunResult, Source
from pytest_tfpipeline.gate.waves import Applied, Left, Result
from pytest_tfpipeline.model import (
    Changes,
    CheckKind,
    EnvironmentRun,
    Finding,
    Outcome,
    PlanResult,
    PlanStatus,
    Record,
    Severity,
    Tool,
)
from pytest_tfpipeline.proof.document import evidence_of

ONE, TWO, THREE = (f"sha256:{digit * 64}" for digit in "123")
COMMIT = "c" * 40
COUNTS = Changes(add=1, change=2, replace=3, destroy=4, import_=5, forget=6)
CORE = PlanResult("core", "production", PlanStatus.PLANNED, plan_sha256="f" * 64, changes=COUNTS)
ETL = PlanResult("etl", "production", PlanStatus.DEFERRED, behind=("core",))
SIGNED = Approval("signed", THREE, ("ann", "bob"), "2030-01-01T00:00:00Z", "2030-01-02T00:00:00Z")
TYPED = Approval("manual", TWO, ("--approve",), "2030-01-03T00:00:00Z")

RESULT = RunResult(
    id="run",
    mode="apply",
    started="2030-01-01T00:00:00+00:00",
    seconds=1.23456,
    source=Source("acme/platform", COMMIT, "main", True),
    command=("pytest", "--apply-env", "production"),
    workers=2,
    exit_code=11,
    tools=(Tool("terraform", "1.2.3", "/bin/terraform", "a" * 64),),
    environments=(
        EnvironmentResult(
            EnvironmentRun("production"),
            plans=(CORE, ETL),
            verdict=Verdict("production", (Reason(Code.ROLLBACK, "older", "one"), Reason(Code.ISOLATION, "no"))),
            result=Result(
                (Applied("core", 1, "applied", 2.34567), Applied("net", 2, "failed", 3.0, "broke")),
                (Left("etl", "waits"),),
            ),
            identity="123",
            proposal=Proposal(THREE, {"core": ONE}, {"core": (AddressChange("a.b", "a", ("delete", "create"), TWO),)}),
            approval=SIGNED,
            later_approvals=(TYPED,),
        ),
        EnvironmentResult(EnvironmentRun("dev", emulator="aws"), plans=(CORE,), claim=Verdict("dev")),
    ),
    records=(
        Record(
            "one",
            CheckKind.POLICY,
            Outcome.FAILED,
            "core",
            "production",
            4.56789,
            findings=(Finding("CKV_1", Severity.WARNING, "text", "a.b", "core/main.tf", 7),),
            reused=True,
        ),
    ),
    missing=("two",),
    isolation="jobs",
    group="lake",
    changed_since="c" * 40,
    not_judged=("infra/x",),
)

PLAN = {
    "root": "core",
    "status": "planned",
    "digest": ONE,
    "file_sha256": "f" * 64,
    "deferred": False,
    "behind": [],
    "add": 1,
    "change": 2,
    "replace": 3,
    "destroy": 4,
    "import": 5,
    "forget": 6,
    "has_changes": True,
    "changes": [{"address": "a.b", "type": "a", "actions": ["delete", "create"], "digest": TWO}],
}
DEFERRED = {
    **dict.fromkeys(("add", "change", "replace", "destroy", "import", "forget"), 0),
    "root": "etl",
    "status": "deferred",
    "digest": None,
    "file_sha256": None,
    "deferred": True,
    "behind": ["core"],
    "has_changes": False,
    "changes": [],
}
PRODUCTION = {
    "name": "production",
    "emulated": False,
    "identity": "123",
    "verdict": {
        "open": False,
        "reasons": [{"code": "rollback", "text": "older", "check": "one"}, {"code": "isolation", "text": "no"}],
        "known": 0,
    },
    "plan_set_digest": THREE,
    "plans": [PLAN, DEFERRED],
    "approval": {
        "kind": "signed",
        "digest": THREE,
        "by": ["ann", "bob"],
        "at": "2030-01-01T00:00:00Z",
        "expires": "2030-01-02T00:00:00Z",
    },
    "later_approvals": [{"kind": "manual", "digest": TWO, "by": ["--approve"], "at": "2030-01-03T00:00:00Z"}],
    "applied": [
        {"root": "core", "wave": 1, "outcome": "applied", "seconds": 2.346},
        {"root": "net", "wave": 2, "outcome": "failed", "seconds": 3.0, "error": "broke"},
    ],
    "left": [{"root": "etl", "why": "waits"}],
}
DEV = {
    "name": "dev",
    "emulated": True,
    "identity": None,
    "verdict": {"open": True, "reasons": [], "known": 0},
    "plan_set_digest": None,
    "plans": [{**PLAN, "digest": None, "changes": []}],
    "approval": None,
    "later_approvals": [],
    "applied": [],
    "left": [],
}


def test_it_says_all_of_it_and_can_be_read_back() -> None:
    document = evidence(RESULT)

    assert evidence_of(document, "here").model_dump(mode="json", by_alias=True)["run"]["id"] == "run"
    digest = document.pop("digest")
    assert digest.startswith("sha256:")
    assert document == {
        "schema_version": 1,
        "run": {
            "id": "run",
            "started": "2030-01-01T00:00:00+00:00",
            "seconds": 1.235,
            "repository": "acme/platform",
            "commit": COMMIT,
            "ref": "main",
            "tree_clean": True,
            "command": ["pytest", "--apply-env", "production"],
            "isolation": "jobs",
            "group": "lake",
            "changed_since": "c" * 40,
            "not_judged": ["infra/x"],
            "workers": 2,
            "exit_code": 11,
        },
        "tools": {"terraform": {"version": "1.2.3", "path": "/bin/terraform", "sha256": "a" * 64}},
        "environments": [PRODUCTION, DEV],
        "baseline": None,
        "checks": [
            {
                "id": "one",
                "check": "policy",
                "root": "core",
                "environment": "production",
                "outcome": "failed",
                "seconds": 4.568,
                "reused": True,
                "findings": [
                    {
                        "rule": "CKV_1",
                        "severity": "warning",
                        "address": "a.b",
                        "file": "core/main.tf",
                        "line": 7,
                        "text": "text",
                        "known": False,
                    }
                ],
            },
            {
                "id": "two",
                "check": None,
                "root": None,
                "environment": None,
                "outcome": "missing",
                "seconds": 0.0,
                "reused": False,
                "findings": [],
            },
        ],
    }


def test_every_text_is_said_as_it_may_be_said_and_no_name_of_a_field() -> None:
    document = evidence(RESULT, lambda text: text.upper())

    assert document["run"]["ref"] == "MAIN"
    assert document["checks"][0]["findings"][0]["text"] == "TEXT"
    assert document["environments"][0]["left"] == [{"root": "ETL", "why": "WAITS"}]
    assert document["digest"] != evidence(RESULT)["digest"]


def test_every_version_of_a_program_is_named() -> None:
    versions = ("1.11.4", "1.5.7", "1.6.0")
    tools = tuple(Tool("terraform", version, f"/{version}", "a" * 64) for version in versions)
    found = evidence(replace(RESULT, tools=tools))["tools"]
    assert {name: tool["path"] for name, tool in found.items()} == {
        "terraform": "/1.11.4",
        "terraform 1.5.7": "/1.5.7",
        "terraform 1.6.0": "/1.6.0",
    }
