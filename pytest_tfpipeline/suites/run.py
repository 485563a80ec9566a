"""Run one suite: prepare its environment, run its tests in a process of their own, judge what came of it."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_tfpipeline.model import CaseResult, Outcome, Suite
from pytest_tfpipeline.process import Request, Runner
from pytest_tfpipeline.suites import command, environ, environment, judge, report
from pytest_tfpipeline.suites.paths import ImportPaths, import_paths
from pytest_tfpipeline.suites.pytest_ini import own_ini


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
    #: Node ids or paths relative to the suite, to run no others; of a command that is not pytest, all are run.
    only: tuple[str, ...] = ()
    #: The file for the coverage of a suite that has it measured.
    coverage: Path | None = None

    @property
    def directory(self) -> Path:
        """Where it is run."""
        return self.tree / self.suite.dir

    @property
    def covered(self) -> Path | None:
        """Where to write what its tests cover; None where nobody asked for it."""
        asked = self.suite.coverage or own_ini(self.directory).mentions("--cov")
        return self.coverage if asked else None


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
        result = _run(runner, wanted, prepared, Path(scratch))
    if prepared.note and result.judgement.text:
        judged = replace(result.judgement, text=f"{result.judgement.text}\n-> {prepared.note}")
        return replace(result, judgement=judged)
    return result


def _run(runner: Runner, wanted: SuiteRun, prepared: environment.Prepared, scratch: Path) -> SuiteResult:
    suite, directory, events = wanted.suite, wanted.directory, scratch / "events.jsonl"
    call = command.PytestCall(
        directory,
        inner=tuple(wanted.tree / each for each in wanted.inner),
        tests=tuple(wanted.tree / each for each in suite.tests),
        only=wanted.only,
        coverage=wanted.covered,
    )
    own = suite.command
    argv = (
        command.own_command(own, prepared.bin) if own else command.pytest_argv(prepared.python, call, scratch / "cache")
    )
    env = _environment(runner, wanted, prepared, call, scratch)
    started = time.time()
    request = Request(argv, cwd=directory, env=env, only_env=True, timeout=suite.timeout, grace=5.0)
    ended = runner.run(request)
    said = report.read_events(events)
    expected = judge.Expected(wanted.only, suite.empty, suite.junit)
    if not own:
        return SuiteResult(judge.judge_pytest(ended, said, expected), said.cases, ended.seconds)
    if not said.cases:
        files = command.junit_files(suite.junit, own, directory, started)
        said = _chosen(replace(said, cases=report.read_junit(files, directory)), wanted.only)
    return SuiteResult(judge.judge_command(ended, said, own, expected), said.cases, ended.seconds)


def _environment(
    runner: Runner, wanted: SuiteRun, prepared: environment.Prepared, call: command.PytestCall, scratch: Path
) -> dict[str, str]:
    suite = wanted.suite
    found = ImportPaths() if suite.command else import_paths(wanted.tree, suite)
    places = (*found.told, command.PLUGIN_DIRECTORY)
    env = environ.suite_environ(runner.environ, wanted.declared, wanted.directory, prepared.bin, places, suite.env)
    wishes = {"paths": [str(path) for path in found.guessed], "beside": call.renames, "only": list(wanted.only)}
    temporary = scratch / "tmp"
    temporary.mkdir()
    env |= {"TMPDIR": str(temporary), "PWD": str(wanted.directory)}
    env |= {command.EVENTS_VARIABLE: str(scratch / "events.jsonl"), command.WISHES_VARIABLE: json.dumps(wishes)}
    return env | ({"PYTEST_PLUGINS": command.PLUGIN} if suite.command else {})


def _chosen(said: report.Report, only: tuple[str, ...]) -> report.Report:
    """Of a run of everything, the tests that were asked for."""
    kept = [case for one in only for case in judge.parts_of(said.cases, one)]
    return replace(said, cases=tuple(dict.fromkeys(kept))) if only else said


def declared_names(environments: Iterable[Mapping[str, str]]) -> frozenset[str]:
    """The names of all variables in these."""
    return frozenset(name for each in environments for name in each)
