"""Evidence: what a run proved, as a plain mapping of the documented shape."""

from __future__ import annotations

from typing import Any

from pytest_tfpipeline.gate.reasons import Reason, Verdict
from pytest_tfpipeline.gate.result import EnvironmentResult, RunResult
from pytest_tfpipeline.model import Finding, Outcome, PlanResult, Record
from pytest_tfpipeline.proof.checksum import SCHEMA_VERSION, checksum


def evidence(result: RunResult) -> dict[str, Any]:
    """The evidence document. Its `digest` is a checksum over the rest (see `checksum`), not a proof."""
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "run": _run(result),
        "tools": {
            tool.name: {"version": tool.version, "path": tool.path, "sha256": tool.sha256} for tool in result.tools
        },
        "environments": [_environment(one) for one in result.environments],
        "checks": [_check(record) for record in result.records] + [_missing(check) for check in result.missing],
    }
    return {**document, "digest": checksum(document)}


def _run(result: RunResult) -> dict[str, Any]:
    return {
        "id": result.id,
        "started": result.started,
        "seconds": round(result.seconds, 3),
        "repository": result.source.repository,
        "commit": result.source.commit,
        "ref": result.source.ref,
        "tree_clean": result.source.tree_clean,
        "command": list(result.command),
        "isolation": "process",
        "workers": result.workers,
        "exit_code": result.exit_code,
    }


def _environment(one: EnvironmentResult) -> dict[str, Any]:
    applied = one.result.applied if one.result else ()
    left = one.result.left if one.result else ()
    return {
        "name": one.environment.name,
        "emulated": one.environment.emulator is not None,
        "identity": one.identity,
        "verdict": _verdict(one.verdict),
        "plan_set_digest": None,
        "plans": [_plan(plan) for plan in one.plans],
        "approval": None,
        "applied": [
            {
                "root": each.root,
                "wave": each.wave,
                "outcome": each.outcome,
                "seconds": round(each.seconds, 3),
                **({"error": each.error} if each.error else {}),
            }
            for each in applied
        ],
        "left": [{"root": each.root, "why": each.why} for each in left],
    }


def _verdict(verdict: Verdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    return {"open": verdict.open, "reasons": [_reason(reason) for reason in verdict.reasons]}


def _reason(reason: Reason) -> dict[str, Any]:
    about = {"check": reason.check} if reason.check else {}
    return {"code": reason.code.value, "text": reason.text, **about}


def _plan(plan: PlanResult) -> dict[str, Any]:
    return {
        "root": plan.root,
        "status": plan.status.value,
        "digest": None,
        "file_sha256": plan.plan_sha256,
        "deferred": bool(plan.behind),
        "behind": list(plan.behind),
        "add": plan.changes.add,
        "change": plan.changes.change,
        "replace": plan.changes.replace,
        "destroy": plan.changes.destroy,
        "import": plan.changes.import_,
        "forget": plan.changes.forget,
        "has_changes": plan.changes.any,
    }


def _check(record: Record) -> dict[str, Any]:
    return {
        "id": record.check,
        "check": record.kind.value,
        "root": record.dir,
        "environment": record.environment,
        "outcome": record.outcome.value,
        "seconds": round(record.seconds, 3),
        "reused": record.reused,
        "findings": [_finding(finding) for finding in record.findings],
    }


def _missing(check: str) -> dict[str, Any]:
    return {
        "id": check,
        "check": None,
        "root": None,
        "environment": None,
        "outcome": Outcome.MISSING.value,
        "seconds": 0.0,
        "reused": False,
        "findings": [],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "address": finding.address,
        "file": finding.file,
        "line": finding.line,
        "text": finding.text,
    }
