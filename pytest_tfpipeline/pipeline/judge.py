"""Judge an environment on the controller: read every saved plan for ourselves, collect what objects, decide."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.errors import PipelineError
from pytest_tfpipeline.gate import objections
from pytest_tfpipeline.gate.reasons import Code, Reason, Verdict
from pytest_tfpipeline.gate.verdict import Rules, decide
from pytest_tfpipeline.model import EnvironmentRun, Outcome, PlanResult, PlanStatus, Record, Run, Target
from pytest_tfpipeline.parallel import in_parallel
from pytest_tfpipeline.pipeline.exceptions import judge_waivers
from pytest_tfpipeline.pipeline.expected import plan_check_id
from pytest_tfpipeline.pipeline.groups import not_judged
from pytest_tfpipeline.terraform.applying import changed_inputs
from pytest_tfpipeline.terraform.plan import Plan, changes, destroys
from pytest_tfpipeline.terraform.saved import kept_plan, read_saved
from pytest_tfpipeline.tools.identify import checksum_now

#: Saved plans that are read at the same time: each costs a provider's start.
_PARALLEL = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """What the controller found in a saved plan, in the place of what a worker says about it."""

    result: PlanResult
    plan: Plan | None
    problem: str = ""


def read_plans(ctx: Context, targets: Sequence[Target]) -> tuple[Reading, ...]:
    """Read the saved plans of these targets, with plain terraform."""
    return in_parallel(lambda target: _read(ctx, target), targets, _PARALLEL, ctx.runner.interrupt)


def judge(
    ctx: Context,
    environment: EnvironmentRun,
    readings: Sequence[Reading],
    records: Iterable[Record],
    objected: Iterable[Reason],
) -> Verdict:
    """The verdict on a whole environment; `readings` are of all its targets."""
    run = ctx.run
    allowed = tuple(run.settings["allow_destroy"])
    records = tuple(records)
    rules = Rules(deferred=deferred(run, readings), skips_fail=run.settings["skips"] == "fail")
    against = [*objected, *judge_waivers(run, records, environment.name)]
    against += [reason for one in readings for reason in object_to(ctx, environment, one)]
    against += [reason for one in readings for reason in _unfounded(run, environment.name, one, records)]
    verdict = decide(environment.name, run.checks, records, against, rules)
    named = {f"{one.result.root}//{item.address}" for one in readings if one.plan for item in destroys(one.plan)}
    unused = objections.to_unused_allowances(allowed, named, environment.allowed_destroys)
    return replace(verdict, notes=(*verdict.notes, *unused, *not_judged(run)))


def judge_cut_short(
    ctx: Context, environment: EnvironmentRun, records: Iterable[Record], objected: Iterable[Reason]
) -> tuple[Verdict, tuple[PlanResult, ...]]:
    """The verdict on a run that ended before it could be judged, and the plans that were made; never open.

    No process is started: the run may have been interrupted.
    """
    targets = [one for one in ctx.run.targets if one.environment == environment.name]
    readings = [Reading(kept, None) for target in targets if (kept := kept_plan(ctx, target)) is not None]
    rules = Rules(deferred=deferred(ctx.run, readings), skips_fail=ctx.run.settings["skips"] == "fail")
    verdict = decide(environment.name, ctx.run.checks, records, objected, rules)
    if verdict.open:
        verdict = replace(verdict, reasons=(Reason(Code.INTERRUPTED, "the run ended before it was judged"),))
    return verdict, tuple(reading.result for reading in readings)


def object_to(ctx: Context, environment: EnvironmentRun, reading: Reading) -> list[Reason]:
    """What stands against one saved plan."""
    check = plan_check_id(ctx.run.repository, reading.result.root, environment.name)
    found = list(objections.to_plan(reading.result, reading.plan, reading.problem, check))
    if reading.plan is not None:
        allowed = (*ctx.run.settings["allow_destroy"], *environment.allowed_destroys)
        target = ctx.run.target(reading.result.root, environment.name)
        changed = changed_inputs(ctx, target, reading.result, reading.plan)
        found += objections.to_changed_inputs(changed, check)
        found += objections.to_destroys(reading.result, reading.plan, environment, allowed, check)
    return found


def to_tools(ctx: Context) -> tuple[Reason, ...]:
    """Tools of the run that are not what they were at their first use. terraform itself holds the provider packages
    against the lock in the saved plan."""
    used = ctx.used_tools()
    return tuple(objections.to_changed_tools(used, {tool.path: checksum_now(tool) for tool in used}))


def deferred(run: Run, readings: Iterable[Reading]) -> frozenset[str]:
    """Roots that wait for roots that this run applies: the only ones whose records may say so."""
    found = [one.result for one in readings if one.result.status is PlanStatus.DEFERRED]
    applied = {(target.root, target.environment) for target in run.targets if target.apply}
    return frozenset(
        result.root
        for result in found
        if result.behind and all((root, result.environment) in applied for root in result.behind)
    )


def _unfounded(run: Run, environment: str, reading: Reading, records: Sequence[Record]) -> Iterator[Reason]:
    """A record that says that a plan was made, and there is none: it would pass for a root with nothing to do."""
    check = plan_check_id(run.repository, reading.result.root, environment)
    passed = any(record.check == check and record.outcome is Outcome.PASSED for record in records)
    if passed and reading.result.status is PlanStatus.FAILED:
        why = reading.problem or "planning failed"
        yield Reason(Code.PLAN_CHANGED, f"its record says that it passed, but {why}; run again", check)


def _read(ctx: Context, target: Target) -> Reading:
    kept = kept_plan(ctx, target)
    if kept is None:
        missing = PlanResult(target.root, target.environment, PlanStatus.FAILED)
        return Reading(missing, None, "no plan was made")
    if kept.status is not PlanStatus.PLANNED:
        return Reading(kept, None)
    try:
        plan = read_saved(ctx, target, kept)
    except PipelineError as error:
        return Reading(kept, None, str(error))
    return Reading(replace(kept, changes=changes(plan)), plan)
