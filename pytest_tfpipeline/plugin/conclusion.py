"""Put together what the run came to."""

from __future__ import annotations

from datetime import datetime

from pytest_tfpipeline.gate.identity import told
from pytest_tfpipeline.gate.result import EnvironmentResult, RunResult
from pytest_tfpipeline.gate.verdict import missing
from pytest_tfpipeline.pipeline.claimed import claimed
from pytest_tfpipeline.pipeline.source import read_source
from pytest_tfpipeline.plugin.gatekeeper import Gatekeeper
from pytest_tfpipeline.plugin.ledger import Ledger
from pytest_tfpipeline.plugin.state import State
from pytest_tfpipeline.process import Runner


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
    run, source = state.run, read_source(Runner(), state.top)
    return RunResult(
        id=run.id,
        mode=run.mode,
        started=started.isoformat(timespec="seconds"),
        seconds=seconds,
        source=source,
        command=("pytest", *command),
        workers=workers,
        exit_code=exit_code,
        tools=state.context.used_tools(),
        environments=_environments(state, ledger, gatekeeper, source.repository),
        records=tuple(ledger.records),
        missing=missing(run.checks, ledger.records),
        notes=notes,
        waiting=gatekeeper.waiting if gatekeeper else "",
        isolation=run.isolation,
        group=run.group,
        not_judged=run.not_judged,
    )


def _environments(
    state: State, ledger: Ledger, gatekeeper: Gatekeeper | None, repository: str
) -> tuple[EnvironmentResult, ...]:
    judged = {one.environment.name: one for one in gatekeeper.results} if gatekeeper else {}
    return tuple(
        judged.get(one.name)
        or claimed(
            state.context,
            one,
            ledger.records,
            ledger.objections,
            identity=told(state.identities.get(one.name, ())),
            repository=repository,
        )
        for one in state.run.environments
    )
