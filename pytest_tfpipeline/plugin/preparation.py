"""What plans need, before they are made: the emulated clouds, the tools, and whose credentials these are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from pytest_tfpipeline.context import open_context
from pytest_tfpipeline.errors import PipelineError
from pytest_tfpipeline.model import Check, CheckKind
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
#: The kinds that have nothing to do with an environment, unless it is in their name. `validate` is none of them: it
#: shares the init of what is planned.
_APART = frozenset({CheckKind.FMT, CheckKind.LINT, CheckKind.TFTEST, CheckKind.POLICY, CheckKind.UNIT})


def prepare(state: State) -> Services:
    """Before any worker starts: start the services, find or install the tools while those start, put the services'
    variables into the run, fill the clouds, and see whose credentials these are.

    Raises PipelineError where something cannot be had, with the command that mends it.
    """
    services = Services(state.run, state.context.runner)
    _describe(state, services)
    make_ready(state, services, state.run.checks)
    return services


def reserve(state: State) -> Services:
    """In place of `prepare`, where few of the checks may have been selected: the variables alone, so that workers can
    be told. Nothing is started before `make_ready`."""
    services = Services(state.run, state.context.runner, at_once=False)
    _describe(state, services)
    return services


def make_ready(state: State, services: Services, checks: Iterable[Check]) -> None:
    """Everything that these checks need, and that has to be there before the first of them. Raises PipelineError, and
    then the services have ended."""
    needed = tuple(checks)
    planned = state.run.can_apply or any(one.environment or one.kind not in _APART for one in needed)
    try:
        if planned:
            services.begin()
        _find_tools(state, needed)
        if planned:
            services.process_env()
            services.seed(state.context)
            _see_identities(state)
    except (PipelineError, KeyboardInterrupt):
        services.stop()
        raise


def needed_by(state: State, config: pytest.Config, nodeids: Iterable[str]) -> tuple[Check, ...]:
    """The checks that these items need: themselves, unless their results are reused; and every plan, if there is a
    call of a test that is none of ours, since it may be about one."""
    expected = {check.id: check for check in state.run.checks}
    keys = {state.key(config, nodeid) for nodeid in nodeids} - state.reused.keys()
    calls = any("[" in key for key in keys - expected.keys())
    return tuple(check for key, check in expected.items() if key in keys or (calls and check.kind is CheckKind.PLAN))


def _describe(state: State, services: Services) -> None:
    state.run = replace(state.run, process_env=services.variables)
    state.context = open_context(state.run, state.context.progress, state.context.runner)


def _see_identities(state: State) -> None:
    state.identities = ask_before_plan(state.context)
    state.elsewhere = elsewhere(state.run, state.identities)
    state.run = without_plans(leaving(state.run, state.elsewhere), state.identities)
    state.describe()
    state.context = open_context(state.run, state.context.progress, state.context.runner)


def _find_tools(state: State, checks: tuple[Check, ...]) -> None:
    for directory in dict.fromkeys(check.dir for check in checks if check.kind in _BY_TERRAFORM):
        state.context.terraform(directory)
    for name in dict.fromkeys(tool for check in checks for tool in _NEEDS.get(check.kind, ())):
        state.context.tool(name)
