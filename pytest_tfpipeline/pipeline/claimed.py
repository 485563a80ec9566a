"""What a run that cannot apply proves about an environment: whether every check passed, and what would be applied.

Its plans are a worker's word, read from what the worker kept: enough for a review, and for an apply in another job,
which plans for itself and believes none of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.errors import PipelineError
from pytest_tfpipeline.gate.reasons import Reason
from pytest_tfpipeline.gate.result import EnvironmentResult, Proposal
from pytest_tfpipeline.gate.verdict import Rules, decide
from pytest_tfpipeline.model import EnvironmentRun, Record
from pytest_tfpipeline.pipeline.judge import Reading, deferred
from pytest_tfpipeline.pipeline.proposal import propose
from pytest_tfpipeline.terraform.bound import digest_key
from pytest_tfpipeline.terraform.plan import read_plan
from pytest_tfpipeline.terraform.saved import kept_plan


def claimed(
    ctx: Context,
    environment: EnvironmentRun,
    records: Sequence[Record],
    objections: Sequence[Reason],
    *,
    identity: str | None,
    repository: str,
) -> EnvironmentResult:
    """The environment's result of such a run. Starts no process."""
    targets = [target for target in ctx.run.targets if target.environment == environment.name]
    kept = [plan for target in targets if (plan := kept_plan(ctx, target)) is not None]
    readings = [Reading(plan, None) for plan in kept]
    rules = Rules(deferred=deferred(ctx.run, readings), skips_fail=ctx.run.settings["skips"] == "fail")
    verdict = decide(environment.name, ctx.run.checks, records, objections, rules)
    proposal = None
    with suppress(PipelineError, OSError, ValueError):  # a file that is gone: then nothing can be compared with it
        proposal = _propose(ctx, environment.name, readings, identity, repository)
    return EnvironmentResult(environment, tuple(kept), identity=identity, claim=verdict, proposal=proposal)


def _propose(
    ctx: Context, environment: str, readings: Sequence[Reading], account: str | None, repository: str
) -> Proposal:
    key, _ = digest_key(ctx.runner.environ)
    read = [Reading(one.result, read_plan(one.result.json_path) if one.result.json_path else None) for one in readings]
    return propose(ctx, environment, read, account=account, repository=repository, key=key)
