"""What a run came to, as one object: the terminal, the Markdown summary and the evidence all say it from here."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_tfpipeline.gate.reasons import Verdict
from pytest_tfpipeline.gate.waves import Result
from pytest_tfpipeline.model import EnvironmentRun, PlanResult, Record, Tool


@dataclass(frozen=True, slots=True)
class EnvironmentResult:
    """One environment of the run. `verdict` is None where the run could not apply; `result` where it did not."""

    environment: EnvironmentRun
    plans: tuple[PlanResult, ...] = ()
    verdict: Verdict | None = None
    result: Result | None = None
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """What was judged: the repository's name, the commit and whether the work tree was that commit."""

    repository: str
    commit: str | None
    ref: str | None
    tree_clean: bool | None


@dataclass(frozen=True, slots=True)
class RunResult:
    """A whole run. `started` is in UTC, ISO 8601; `command` is the command line as typed, without secrets."""

    id: str
    mode: str
    started: str
    seconds: float
    source: Source
    command: tuple[str, ...]
    workers: int
    exit_code: int
    tools: tuple[Tool, ...] = ()
    environments: tuple[EnvironmentResult, ...] = ()
    records: tuple[Record, ...] = ()
    missing: tuple[str, ...] = ()
    #: Things that were said once: ignored variables, tests that were not collected, where providers came from.
    notes: tuple[str, ...] = ()
