"""What would be applied, as digests: of each root's plan, of every change in it, and of the environment's whole set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.gate.digest import address_changes, plan_digest, set_digest
from pytest_tfpipeline.gate.result import Proposal
from pytest_tfpipeline.model import PlanResult, PlanStatus, Target
from pytest_tfpipeline.pipeline.judge import Reading
from pytest_tfpipeline.terraform.bound import bound_of

UNCHANGED = "unchanged"


def needs_apply(target: Target, plan: PlanResult) -> bool:
    """Whether carrying out the plan does anything: a root that was never applied gets its state, and `after_apply`
    commands run although no resource changes."""
    if not target.apply or plan.status is not PlanStatus.PLANNED:
        return False
    return plan.changes.any or not plan.state_exists or bool(target.after_apply)


def propose(
    ctx: Context,
    environment: str,
    readings: Iterable[Reading],
    *,
    account: str | None,
    repository: str,
    key: bytes,
    done: Sequence[str] = (),
) -> Proposal:
    """The digests of these plans; `done` are roots that this run has applied, of which nothing is left to do.

    The set is the same for the run that stops for an approval in the middle and for the one that goes on with it: what
    was applied meanwhile is unchanged there.
    """
    plans: dict[str, str] = {}
    changes = {}
    roots = {}
    for reading in readings:
        result, target = reading.result, ctx.run.target(reading.result.root, environment)
        if reading.plan is not None:
            bound = bound_of(ctx, target, result, account, repository)
            plans[result.root] = plan_digest(reading.plan, bound, key)
            changes[result.root] = address_changes(reading.plan, bound.tree, key)
        if target.apply:
            roots[result.root] = UNCHANGED if result.root in done else _entry(target, result, plans)
    return Proposal(set_digest(environment, roots), plans, changes)


def _entry(target: Target, result: PlanResult, plans: dict[str, str]) -> str:
    if result.status is PlanStatus.DEFERRED:
        return f"deferred:{','.join(sorted(result.behind))}"
    if target.root not in plans:  # it could not be made or read, and the gate is closed for that
        return "unknown"
    return plans[target.root] if needs_apply(target, result) else UNCHANGED
