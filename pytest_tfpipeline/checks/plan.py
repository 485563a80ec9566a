"""`plan[ENV]`: a plan of the root was made and saved, or the root is deferred."""

from __future__ import annotations

from pytest_tfpipeline.checks.repeats import first_error, shorten
from pytest_tfpipeline.context import Context
from pytest_tfpipeline.errors import PipelineError
from pytest_tfpipeline.model import Changes, Check, Outcome, PlanResult, PlanStatus, Record
from pytest_tfpipeline.terraform.diagnostics import render_findings
from pytest_tfpipeline.terraform.planning import ensure_plan

_OUTCOMES = {
    PlanStatus.PLANNED: Outcome.PASSED,
    PlanStatus.DEFERRED: Outcome.DEFERRED,
    PlanStatus.FAILED: Outcome.FAILED,
}


def check(ctx: Context, check: Check) -> Record:
    """Passed whatever the plan would change; deferred behind roots without a state; else failed."""
    target = ctx.target(check.dir, check.environment or "")
    if target is None:
        raise PipelineError(f"nothing is known of it in {check.environment}", where=check.dir, mend="run again")
    result = ensure_plan(ctx, target)
    return Record(
        check.id,
        check.kind,
        _OUTCOMES[result.status],
        check.dir,
        check.environment,
        result.seconds,
        findings=result.findings,
        summary=summary_of(result),
        text=render_findings(shorten(ctx, check, result.findings)),
    )


def summary_of(result: PlanResult) -> str:
    """One line: `+3 ~1 -0`, `no changes`, or `deferred behind terraform/core`."""
    if result.status is PlanStatus.DEFERRED:
        return f"deferred behind {', '.join(result.behind)}"
    if result.status is PlanStatus.FAILED:
        return first_error(result.findings) or "could not be planned"
    return describe(result.changes)


def describe(changes: Changes) -> str:
    """`+3 ~1 -0`, then what else there is; a replacement counts by itself."""
    if not changes.any:
        return "no changes"
    parts = [f"+{changes.add} ~{changes.change} -{changes.destroy}"]
    rest = ((changes.replace, "replaced"), (changes.import_, "imported"), (changes.forget, "forgotten"))
    parts += [f"{count} {word}" for count, word in rest if count]
    if changes.outputs:
        parts.append(f"{len(changes.outputs)} output{'s' if len(changes.outputs) > 1 else ''}")
    return ", ".join(parts)
