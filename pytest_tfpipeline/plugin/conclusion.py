"""Put together what the run came to."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from pytest_tfpipeline.gate.identity import to_identity, told
from pytest_tfpipeline.gate.reasons import Code, Reason, Verdict
from pytest_tfpipeline.gate.result import EnvironmentResult, RunResult, Source
from pytest_tfpipeline.gate.verdict import missing
from pytest_tfpipeline.pipeline.baseline import baseline_result
from pytest_tfpipeline.pipeline.claimed import claimed
from pytest_tfpipeline.pipeline.narrowed import left_out
from pytest_tfpipeline.pipeline.source import read_commit, read_source
from pytest_tfpipeline.plugin.gatekeeper import Gatekeeper
from pytest_tfpipeline.plugin.ledger import Ledger
from pytest_tfpipeline.plugin.state import State
from pytest_tfpipeline.plugin.wishes import next_job
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.proof.statement import STATEMENT
from pytest_tfpipeline.reports.write import EVIDENCE, SIGNING_KEY


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
    run, source = state.run, _source(state, gatekeeper)
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
        not_judged=(*run.not_judged, *left_out(run)),
        changed_since=run.changed.commit if run.changed is not None else None,
        baseline=baseline_result(state.context, ledger.records),
    )


def moved_notes(state: State) -> tuple[str, ...]:
    """Of a run that plans: that another commit is checked out than when it began."""
    if state.source is None:
        return ()
    began, now = state.source, read_commit(Runner(), state.top)
    if began.commit == now:
        return ()
    return (
        f"HEAD is {now or 'no commit'} and was {began.commit or 'none'} when the run began: run again to prove either",
    )


def _source(state: State, gatekeeper: Gatekeeper | None) -> Source:
    """What was judged is what was there when it began, whatever is checked out by now. Nobody knows what of another
    commit a run that plans has read."""
    now, began = read_source(Runner(), state.top), gatekeeper.source if gatekeeper is not None else state.source
    if began is None:
        return now
    if gatekeeper is None and began.commit != now.commit:
        return replace(began, tree_clean=False)
    return replace(began, tree_clean=began.tree_clean and now.tree_clean)


def _environments(
    state: State, ledger: Ledger, gatekeeper: Gatekeeper | None, repository: str
) -> tuple[EnvironmentResult, ...]:
    judged = {one.environment.name: one for one in gatekeeper.results} if gatekeeper else {}
    found = tuple(
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
    return (*found, *_left_out(state))


def _left_out(state: State) -> Iterator[EnvironmentResult]:
    """The environments that are another job's: closed in this one, and why."""
    for index, environment in enumerate(state.elsewhere):
        before = state.elsewhere[index - 1].name
        answers = state.identities.get(environment.name, ())
        reasons = (
            Reason(Code.PRIOR_MISSING, f"{before}, which comes before, is left to another job")
            if index
            else next(to_identity(environment.name, answers)),
        )
        yield EnvironmentResult(environment, verdict=Verdict(environment.name, reasons), elsewhere=True)


def left_out_notes(state: State, config: pytest.Config) -> tuple[str, ...]:
    """Of the environments that this job has no credentials for: why, and how the next job goes on."""
    if not state.elsewhere:
        return ()
    first, names = state.elsewhere[0], [one.name for one in state.elsewhere]
    why = next(to_identity(first.name, state.identities.get(first.name, ()))).text
    notes = [f"{', '.join(names)}: left to a job that has the credentials, since {why}"]
    output = Path(os.path.relpath(state.run.output_path, config.invocation_params.dir))
    before = {one.name: one for one in state.run.environments}.get(first.after or "")
    tried = before is not None and before.emulator is not None and first.emulator is not None
    prior = None if first.after is None else str(output / (EVIDENCE if tried else STATEMENT))
    notes.append(f"that job goes on with: {shlex.join(next_job(config, names, prior))}")
    if prior is not None and not tried and not os.environ.get(SIGNING_KEY):
        notes.append(f"for that, this job must sign its evidence: {SIGNING_KEY} names no key")
    return tuple(notes)
