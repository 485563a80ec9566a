"""Put together what the run came to."""

from __future__ import annotations

from datetime import datetime

from pytest_tfpipeline.gate.identity import told
from pytest_tfpipeline.gate.result import EnvironmentResult, RunResult
from pytest_tfpipeline.gate.verdict import missing
from pytest_tfpipeline.model import PlanResult, Target
from pytest_tfpipeline.pipeline.source import read_source
from pytest_tfpipeline.plugin.gatekeeper import Gatekeeper
from pytest_tfpipeline.plugin.ledger import Ledger
from pytest_tfpipeline.plugin.state import State
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.terraform.saved import kept_plan


def conclude(
    state: State,
    ledger: Ledger,
    gatekeeper: Gatekeeper | None,
    *,
    started: datetime,
    seconds: float,
    exit_code: int,
    command: tuple[str, ...],
    workers: int,
    notes: tuple[str, ...],
) -> RunResult:
    """The whole run as one object, for every report alike.

    git is asked through a runner of its own: after an interrupt, the run's starts nothing any more.
    """
    run = state.run
    return RunResult(
        id=run.id,
        mode=run.mode,
        started=started.isoformat(timespec="seconds"),
        seconds=seconds,
        source=read_source(Runner(), state.top),
        command=("pytest", *command),
        workers=workers,
        exit_code=exit_code,
        tools=state.context.used_tools(),
        environments=_environments(state, gatekeeper),
        records=tuple(ledger.records),
        missing=missing(run.checks, ledger.records),
        notes=notes,
    )


def _environments(state: State, gatekeeper: Gatekeeper | None) -> tuple[EnvironmentResult, ...]:
    judged = {one.environment.name: one for one in gatekeeper.environments} if gatekeeper else {}
    return tuple(
        judged.get(one.name)
        or EnvironmentResult(one, _plans(state, one.name), identity=told(state.identities.get(one.name, ())))
        for one in state.run.environments
    )


def _plans(state: State, environment: str) -> tuple[PlanResult, ...]:
    targets: list[Target] = [one for one in state.run.targets if one.environment == environment]
    return tuple(plan for target in targets if (plan := kept_plan(state.context, target)) is not None)
