"""Run a command of terraform with providers that run already and give the part of their schema that is named.

What passes so, passes: a schema that is left out can only make terraform refuse more. What does not pass is run again
plainly, and that answer counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.process import Outcome, Request
from pytest_tfpipeline.warm import FILTERED, short_cuts
from pytest_tfpipeline.warm.reattach import reattached

_NOT_TAKEN = "short-cuts-not-taken"


def run_filtered(
    ctx: Context, request: Request, phase: str, passed: Callable[[Outcome], bool], plan: Path | None = None
) -> Outcome:
    """The outcome of the request, a command of that phase; `passed` says whether one is a success.

    `plan` is the plan file that is shown.
    """
    address = ctx.run.settings.get("providers_address", "")
    if phase not in FILTERED & short_cuts(ctx.run) or not Path(address).is_socket():
        return ctx.runner.run(request)
    environment, shared = ctx.runner.environment_of(request), phase != "plan"

    def tell(problem: str) -> None:
        _note(ctx, f"providers were started by terraform itself, since they could not be kept running: {problem}")

    with reattached(address, Path(request.cwd), environment, shared=shared, plan=plan, tell=tell) as words:
        quick = None if words is None else ctx.runner.run(replace(request, env={**request.env, **words}))
    # One that others use may wait for what has nothing to do with this root; a plan's own waits for the cloud.
    if quick is not None and (passed(quick) or (quick.timed_out and not shared)):
        return quick
    outcome = ctx.runner.run(request)
    if quick is not None and passed(outcome):
        _note(ctx, f"terraform {phase} in {request.cwd} passed only with the providers' whole schema")
    return outcome


def not_taken(ctx: Context) -> str:
    """Which short cut led nowhere, "" where all did."""
    return ctx.workspace.get(_NOT_TAKEN, str) or ""


def _note(ctx: Context, text: str) -> None:
    ctx.workspace.once(_NOT_TAKEN, str, lambda: text)
