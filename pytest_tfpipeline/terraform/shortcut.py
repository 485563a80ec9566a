"""Run a command of terraform with providers that run already and give the part of their schema that is named.

What passes so, passes: a schema that is left out can only make terraform refuse more. What is refused for a type that
the state alone has is run once more with the schema of that type. What does not pass is run again plainly, and that
answer counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.process import Outcome, Request
from pytest_tfpipeline.warm import FILTERED, short_cuts
from pytest_tfpipeline.warm.reattach import reattached, words_of

_NOT_TAKEN = "short-cuts-not-taken"
#: How terraform names what is in the state and, by the schema that it was given, of no type: an address.
_LACKING = re.compile(r"no schema available for (\S+)")


def run_filtered(
    ctx: Context, request: Request, phase: str, passed: Callable[[Outcome], bool], plan: Path | None = None
) -> Outcome:
    """The outcome of the request, a command of that phase; `passed` says whether one is a success.

    `plan` is the plan file that is shown.
    """
    address = ctx.run.settings.get("providers_address", "")
    if phase not in FILTERED & short_cuts(ctx.run) or not Path(address).is_socket():
        return ctx.runner.run(request)
    shared = phase != "plan"
    quick = _filtered(ctx, request, shared=shared, plan=plan)
    if quick is not None and not quick.timed_out and not passed(quick) and (lacking := _lacking(quick)):
        quick = _filtered(ctx, request, shared=shared, plan=plan, lacking=lacking)
    # One that others use may wait for what has nothing to do with this root; a plan's own waits for the cloud.
    if quick is not None and (passed(quick) or (quick.timed_out and not shared)):
        return quick
    outcome = ctx.runner.run(request)
    if quick is not None and passed(outcome):
        _note(ctx, f"terraform {phase} in {request.cwd} passed only with the providers' whole schema")
    return outcome


def _filtered(
    ctx: Context, request: Request, *, shared: bool, plan: Path | None, lacking: Collection[str] = ()
) -> Outcome | None:
    """With the part of the schema that is named; None where there is nothing to be had."""
    address, environment = ctx.run.settings["providers_address"], ctx.runner.environment_of(request)

    def tell(problem: str) -> None:
        _note(ctx, f"providers were started by terraform itself, since they could not be kept running: {problem}")

    with reattached(
        address, Path(request.cwd), environment, shared=shared, plan=plan, lacking=lacking, tell=tell
    ) as words:
        return None if words is None else ctx.runner.run(replace(request, env={**request.env, **words}))


def _lacking(outcome: Outcome) -> set[str]:
    """Names of types that the configuration does not have any more: which the state has, only terraform knows."""
    return words_of(_LACKING.findall(outcome.stdout))


def not_taken(ctx: Context) -> str:
    """Which short cut led nowhere, "" where all did."""
    return ctx.workspace.get(_NOT_TAKEN, str) or ""


def _note(ctx: Context, text: str) -> None:
    ctx.workspace.once(_NOT_TAKEN, str, lambda: text)
