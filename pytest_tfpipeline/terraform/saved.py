"""Read a saved plan on the controller, from the plan file itself: what a worker said about it does not count."""

from __future__ import annotations

from pathlib import Path

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.errors import PlanReadError
from pytest_tfpipeline.model import PlanResult, Target
from pytest_tfpipeline.terraform import command
from pytest_tfpipeline.terraform.init import directory_of
from pytest_tfpipeline.terraform.plan import Plan, read_plan
from pytest_tfpipeline.terraform.planfile import sha256_of_plan
from pytest_tfpipeline.terraform.planning import plan_key
from pytest_tfpipeline.terraform.variables import early_var_files
from pytest_tfpipeline.workspace import write_private


def kept_plan(ctx: Context, target: Target) -> PlanResult | None:
    """What came of planning the target in this run, if anybody planned it."""
    return ctx.workspace.get(plan_key(target), PlanResult)


def read_saved(ctx: Context, target: Target, kept: PlanResult) -> Plan:
    """The saved plan as plain terraform shows it; raises PlanReadError where it is not the recorded one."""
    expected, json_path = ctx.workspace.plan_paths(target)
    if kept.plan_path != str(expected) or sha256_of_plan(expected) != kept.plan_sha256:
        raise PlanReadError("is not the plan that was recorded", where=str(expected), mend="run again")
    directory = directory_of(ctx, target.root, target.environment)
    shown = directory.run(
        command.show(directory.terraform.path, expected, var_files=early_var_files(directory)), "show"
    )
    if not shown.ok:
        raise PlanReadError(
            f"cannot be read: {shown.stderr.strip() or shown.error or 'terraform show failed'}",
            where=str(expected),
            mend="run again",
        )
    return read_plan(Path(write_private(json_path.with_suffix(".controller.json"), shown.stdout)))
