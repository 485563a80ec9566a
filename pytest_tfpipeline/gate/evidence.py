"""Evidence: what a run proved, as a plain mapping of the documented shape."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pytest_tfpipeline.gate.approval import Approval
from pytest_tfpipeline.gate.reasons import Reason, Verdict
from pytest_tfpipeline.gate.result import BaselineResult, EnvironmentResult, Proposal, RunResult
from pytest_tfpipeline.model import Finding, Outcome, PlanResult, Record, Tool
from pytest_tfpipeline.proof.checksum import SCHEMA_VERSION, checksum


def evidence(result: RunResult, say: Callable[[str], str] = str) -> dict[str, Any]:
    """The evidence document, with every text as `say` lets it be said.

    Its `digest` is a checksum over the rest as it is then (see `checksum`), not a proof.
    """
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "run": _run(result),
        "tools": _tools(result.tools),
        "environments": [_environment(one) for one in result.environments],
        "baseline": _baseline(result.baseline),
        "checks": [_check(record) for record in result.records] + [_missing(check) for check in result.missing],
    }
    said = _said(document, say)
    return {**said, "digest": checksum(said)}


def _tools(tools: Iterable[Tool]) -> dict[str, Any]:
    """By name; further versions of a program, that single roots ask for, with their version (`terraform 1.5.7`)."""
    found: dict[str, Any] = {}
    for tool in tools:
        name = f"{tool.name} {tool.version}" if tool.name in found else tool.name
        found[name] = {"version": tool.version, "path": tool.path, "sha256": tool.sha256}
    return found


def _said(value: Any, say: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return say(value)
    if isinstance(value, dict):
        return {key: _said(item, say) for key, item in value.items()}
    if isinstance(value, list):
        return [_said(item, say) for item in value]
    return value


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
        "isolation": result.isolation,
        "group": result.group,
        "changed_since": result.changed_since,
        "not_judged": list(result.not_judged),
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
        "verdict": _verdict(one.verdict or one.claim),
        "plan_set_digest": (one.proposal.digest or None) if one.proposal else None,
        "plans": [_plan(plan, one.proposal) for plan in one.plans],
        "approval": _approval(one.approval) if one.approval else None,
        "later_approvals": [_approval(each) for each in one.later_approvals],
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


def _baseline(baseline: BaselineResult | None) -> dict[str, Any] | None:
    if baseline is None:
        return None
    gone = sum(entry.count for entry in baseline.left)
    return {"file": baseline.file, "digest": baseline.digest, "known": baseline.known, "gone": gone}


def _verdict(verdict: Verdict | None) -> dict[str, Any] | None:
    if verdict is None:
        return None
    return {
        "open": verdict.open,
        "reasons": [_reason(reason) for reason in verdict.reasons],
        "known": verdict.known,
    }


def _reason(reason: Reason) -> dict[str, Any]:
    about = {"check": reason.check} if reason.check else {}
    return {"code": reason.code.value, "text": reason.text, **about}


def _approval(approval: Approval) -> dict[str, Any]:
    until = {"expires": approval.expires} if approval.expires else {}
    return {"kind": approval.kind, "digest": approval.digest, "by": list(approval.by), "at": approval.at, **until}


def _plan(plan: PlanResult, proposal: Proposal | None) -> dict[str, Any]:
    changes = proposal.changes.get(plan.root, ()) if proposal else ()
    return {
        "root": plan.root,
        "status": plan.status.value,
        "digest": proposal.plans.get(plan.root) if proposal else None,
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
        "changes": [
            {"address": each.address, "type": each.type, "actions": list(each.actions), "digest": each.digest}
            for each in changes
        ],
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
        "known": finding.known,
    }
