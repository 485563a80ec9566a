"""An apply in a job of its own takes nothing from the tree that runs code, or that only a run could have written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_tfpipeline.config.operator import read_operator
from pytest_tfpipeline.errors import UsageError
from pytest_tfpipeline.gate.claim import code_of, to_code
from pytest_tfpipeline.gate.reasons import Reason
from pytest_tfpipeline.model import EnvironmentRun, Finding, Run, Severity, Target
from pytest_tfpipeline.pipeline.build import DEFAULT_OUTPUT
from pytest_tfpipeline.process import Request, Runner

_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Bare:
    """A run without the code of its tree; `stripped` is what was taken away, by environment, and stands against it."""

    run: Run
    stripped: Mapping[str, tuple[Reason, ...]]


def strip(run: Run, operator: Path | None, top: Path) -> Bare:
    """Take the commands and variables away with which the tree would run code; what they were for is not planned.

    Raises ConfigurationError for an operator file that cannot be read.
    """
    vouched = _vouched(operator, top)
    stripped = {one.name: tuple(to_code(run, one, vouched)) for one in run.environments}
    targets = tuple(map(_without_code, run.targets))
    environments = tuple(_without_command(one, vouched) for one in run.environments)
    return Bare(replace(run, targets=targets, environments=environments), stripped)


def refuse_kept(runner: Runner, top: Path, output: Path | None) -> None:
    """Raise UsageError where the output directory holds files of the commit: evidence of earlier applies, which a
    branch could have made up."""
    where = output or top / DEFAULT_OUTPUT
    if not where.is_relative_to(top):
        return
    argv = ("git", "ls-files", "-z", "--", where.relative_to(top).as_posix())
    asked = runner.run(Request(argv, top, timeout=_TIMEOUT))
    if not asked.ok or asked.stdout:
        raise UsageError(
            "is part of the commit, and nobody knows who wrote what is in it",
            where=str(where),
            mend="take it out of git, or name a directory outside of the checkout: --tf-output DIR",
        )


def _vouched(operator: Path | None, top: Path) -> frozenset[str]:
    """The environments whose identity the operator's file says."""
    if operator is None:
        return frozenset()
    said = read_operator(operator, top).environment
    return frozenset(name for name, one in said.items() if one.identity is not None)


def _without_code(target: Target) -> Target:
    found = tuple(code_of(target))
    if not found:
        return target
    text = f"It {' and '.join(found)}, so that an apply in a job of its own does not plan it."
    problem = Finding(
        "code-of-the-tree", Severity.ERROR, f"{text}\n-> Do that in a job before, or outside of the tree."
    )
    return replace(
        target, prepare=(), after_apply=(), env={}, plan_env={}, apply_env={}, problems=(problem, *target.problems)
    )


def _without_command(environment: EnvironmentRun, vouched: frozenset[str]) -> EnvironmentRun:
    environment = replace(environment, seed=())
    if "command" not in environment.identity or (environment.lent_by or environment.name) in vouched:
        return environment
    kept = {name: value for name, value in environment.identity.items() if name not in ("command", "expect")}
    return replace(environment, identity=kept)
