"""Ask whose credentials are in use, with exactly those credentials: before anything is planned, and before an apply."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping
from dataclasses import replace

from pytest_tfpipeline.context import Context, Phase
from pytest_tfpipeline.errors import PipelineError, UsageError
from pytest_tfpipeline.gate.identity import Answer, to_identity
from pytest_tfpipeline.gate.reasons import Reason
from pytest_tfpipeline.model import EnvironmentRun, Finding, Run, Severity, Target
from pytest_tfpipeline.terraform.account import aws_account

#: Seconds for a `command`.
_TIMEOUT = 60.0
#: These do not change whose credentials they are.
_NO_MATTER = {"AWS_REGION", "AWS_DEFAULT_REGION"}
_MEND = "Choose the right credentials in `plan_env` and `apply_env` of the environment, or correct its `identity`."


def ask(ctx: Context, environment: EnvironmentRun, phase: Phase) -> tuple[Answer, ...]:
    """An answer for each kind of identity that is configured and each set of credentials that the roots see in that
    phase. None where no identity is configured."""
    if not environment.identity:
        return ()
    return tuple(
        answer for target in _differing(ctx, environment, phase) for answer in _ask(ctx, environment, target, phase)
    )


def ask_before_plan(ctx: Context) -> dict[str, tuple[Answer, ...]]:
    """The answers for each environment of the run, with the credentials of its plans.

    In a run that cannot apply, wrong credentials are a UsageError: there is nothing to find out with them.
    """
    answers = {one.name: ask(ctx, one, Phase.PLAN) for one in ctx.run.environments}
    wrong = [reason for name, found in answers.items() for reason in to_identity(name, found)]
    if wrong and not ctx.run.can_apply:
        raise UsageError("; ".join(reason.text for reason in wrong), mend=_MEND)
    return answers


def elsewhere(run: Run, answers: Mapping[str, tuple[Answer, ...]]) -> tuple[EnvironmentRun, ...]:
    """The environments to promote to that this job has no credentials for: they and all behind them are another job's.

    Wrong credentials are not none, and the first environment is what the run is for.
    """
    for index, environment in enumerate(run.environments[1:], start=1):
        found = answers.get(environment.name, ())
        if run.can_apply and found and all(answer.found is None for answer in found):
            return run.environments[index:]
    return ()


def leaving(run: Run, environments: Collection[EnvironmentRun]) -> Run:
    """The same run without these environments."""
    names = {one.name for one in environments}
    return replace(
        run,
        environments=tuple(one for one in run.environments if one.name not in names),
        targets=tuple(target for target in run.targets if target.environment not in names),
        checks=tuple(check for check in run.checks if check.environment not in names),
    )


def without_plans(run: Run, answers: Mapping[str, tuple[Answer, ...]]) -> Run:
    """The same run, in which nothing is planned with the wrong credentials; all other checks go on."""
    wrong = {name: tuple(map(_finding, to_identity(name, found))) for name, found in answers.items()}
    targets = tuple(replace(one, problems=(*wrong.get(one.environment, ()), *one.problems)) for one in run.targets)
    return replace(run, targets=targets)


def _finding(reason: Reason) -> Finding:
    return Finding("wrong-identity", Severity.ERROR, f"{reason.text}\n-> {_MEND}")


def _differing(ctx: Context, environment: EnvironmentRun, phase: Phase) -> tuple[Target, ...]:
    """One target for each set of variables: `env` of a root may choose a profile of its own."""
    found: dict[frozenset[tuple[str, str]], Target] = {}
    for target in ctx.run.targets:
        if target.environment == environment.name and (target.apply or phase is not Phase.APPLY):
            env = ctx.environment(target, phase).items()
            found.setdefault(frozenset(item for item in env if item[0] not in _NO_MATTER), target)
    return tuple(found.values())


def _ask(ctx: Context, environment: EnvironmentRun, target: Target, phase: Phase) -> tuple[Answer, ...]:
    identity, found = environment.identity, []
    if account := identity.get("aws_account"):
        asked = Answer("AWS account", phase.value, account, None)
        try:
            found.append(replace(asked, found=aws_account(ctx, target, phase)))
        except PipelineError as error:
            found.append(replace(asked, problem=str(error)))
    if command := identity.get("command"):
        found.append(_command(ctx, target, phase, tuple(command), str(identity["expect"])))
    return tuple(found)


def _command(ctx: Context, target: Target, phase: Phase, command: tuple[str, ...], expected: str) -> Answer:
    copy = ctx.workspace.tree(target.environment)
    outcome = ctx.runner.run(ctx.request(command, copy, target, phase=phase, timeout=_TIMEOUT))
    answer = Answer(f"`{shlex.join(command)}` says", phase.value, expected, None)
    if outcome.ok:
        return replace(answer, found=outcome.stdout.strip())
    said = outcome.error or outcome.stderr.strip() or f"exit code {outcome.code}"
    return replace(answer, problem=f"not within {outcome.limit:g} s" if outcome.limit else said)
