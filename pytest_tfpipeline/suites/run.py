"""Run one suite: prepare its environment, run its tests in a process of their own, judge what came of it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_tfpipeline.model import CaseResult, Outcome, Suite
from pytest_tfpipeline.process import Request, Runner
from pytest_tfpipeline.suites import command, environ, environment, judge, report


@dataclass(frozen=True, slots=True)
class SuiteRun:
    """What is needed to run a suite: `tree` is the private copy, `cache` outlives the run, `inner` are the suites
    inside it (directories relative to the repository), `declared` the names of plan's and apply's variables."""

    suite: Suite
    tree: Path
    cache: Path
    uv: str
    inner: tuple[str, ...] = ()
    declared: frozenset[str] = frozenset()
    #: Node ids or paths relative to the suite, to run no others; a suite's own `command` runs whole.
    only: tuple[str, ...] = ()
    timeout: float = 1800.0


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """A suite's outcome, with every test of it."""

    judgement: judge.Judgement
    cases: tuple[CaseResult, ...] = ()
    seconds: float = 0.0


def run_suite(runner: Runner, wanted: SuiteRun) -> SuiteResult:
    """The suite's result; what is wrong with the suite is in it, and never an exception."""
    build = environ.build_environ(runner.environ, wanted.declared)
    prepared = environment.prepare(runner, wanted.uv, wanted.suite, wanted.tree, wanted.cache, build)
    if prepared.problem:
        return SuiteResult(judge.Judgement(Outcome.ERROR, prepared.problem))
    with tempfile.TemporaryDirectory(prefix="tfpipeline-suite-") as scratch:
        return _run(runner, wanted, prepared, Path(scratch))


def _run(runner: Runner, wanted: SuiteRun, prepared: environment.Prepared, scratch: Path) -> SuiteResult:
    directory = wanted.tree / wanted.suite.dir
    events = scratch / "events.jsonl"
    env = environ.suite_environ(runner.environ, wanted.declared, directory, prepared.bin, command.PLUGIN_DIRECTORY)
    env |= {command.EVENTS_VARIABLE: str(events), "TMPDIR": str(_made(scratch / "tmp"))}
    own = wanted.suite.command
    if own:
        argv = command.own_command(own, prepared.bin)
        env |= {"PYTEST_PLUGINS": command.PLUGIN}
    else:
        inner = [wanted.tree / each for each in wanted.inner]
        argv = command.pytest_argv(prepared.python, directory, inner, scratch / "cache")
        argv += wanted.only
    started = time.time()
    ended = runner.run(Request(argv, cwd=directory, env=env, only_env=True, timeout=wanted.timeout, grace=5.0))
    said = report.read_events(events)
    if not own:
        return SuiteResult(judge.judge_pytest(ended, said), said.cases, ended.seconds)
    if not said.cases:
        said = replace(said, cases=report.read_junit(command.junit_files(own, directory, started)))
    return SuiteResult(judge.judge_command(ended, said, own), said.cases, ended.seconds)


def _made(path: Path) -> Path:
    path.mkdir()
    return path


def declared_names(environments: Iterable[Mapping[str, str]]) -> frozenset[str]:
    """The names of all variables in these."""
    return frozenset(name for each in environments for name in each)
