"""Before any worker starts: the emulated clouds, and the tools that a plan needs."""

from __future__ import annotations

from dataclasses import replace

from pytest_tfpipeline.context import open_context
from pytest_tfpipeline.errors import PipelineError
from pytest_tfpipeline.model import CheckKind
from pytest_tfpipeline.pipeline.identity import ask_before_plan, elsewhere, leaving, without_plans
from pytest_tfpipeline.pipeline.services import Services
from pytest_tfpipeline.plugin.state import State

#: The kinds of checks that terraform, or OpenTofu, makes.
_BY_TERRAFORM = frozenset({CheckKind.FMT, CheckKind.VALIDATE, CheckKind.PLAN, CheckKind.TFTEST})
#: The tools that the other kinds need.
_NEEDS = {
    CheckKind.LINT: ("tflint",),
    CheckKind.POLICY: ("checkov",),
}


def prepare(state: State) -> Services:
    """Start the services, find or install the tools while those start, put the services' variables into the run, fill
    the clouds, and see whose credentials these are.

    Raises PipelineError where something cannot be had, with the command that mends it.
    """
    services: Services | None = None
    try:
        services = Services(state.run, state.context.runner)
        _find_tools(state)
        state.run = replace(state.run, process_env=services.process_env())
        state.context = open_context(state.run, state.context.progress, state.context.runner)
        services.seed(state.context)
        state.identities = ask_before_plan(state.context)
        state.elsewhere = elsewhere(state.run, state.identities)
        state.run = without_plans(leaving(state.run, state.elsewhere), state.identities)
        state.describe()
    except (PipelineError, KeyboardInterrupt):
        if services is not None:
            services.stop()
        raise
    state.context = open_context(state.run, state.context.progress, state.context.runner)
    return services


def _find_tools(state: State) -> None:
    for directory in dict.fromkeys(check.dir for check in state.run.checks if check.kind in _BY_TERRAFORM):
        state.context.terraform(directory)
    for name in dict.fromkeys(tool for check in state.run.checks for tool in _NEEDS.get(check.kind, ())):
        state.context.tool(name)
