"""What came of a file of native tests: from what terraform said to findings and one result for each run block."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pytest_tfpipeline.discover.nativetests import TestFile
from pytest_tfpipeline.model import CaseResult, Finding, Outcome
from pytest_tfpipeline.redact import clean
from pytest_tfpipeline.terraform.call import Directory, succeeded
from pytest_tfpipeline.terraform.diagnostics import (
    Diagnostic,
    errors,
    failure,
    findings_from_diagnostics,
    render_findings,
)
from pytest_tfpipeline.terraform.testevents import RunEvents, TestEvents, events_of
from pytest_tfpipeline.terraform.testing import Ended, left_behind

_OUTCOMES = {"pass": Outcome.PASSED, "fail": Outcome.FAILED, "error": Outcome.ERROR, "skip": Outcome.SKIPPED}
_NO_CREDENTIALS = (
    "-> Native tests get no credentials: mock the provider in the test file, or give the file an emulated cloud of its "
    'own (`emulator = "aws"` in a [[tool.tfpipeline.test]]), or leave it out of these runs (`run = false`).'
)
_NO_VALUE = (
    "-> Give it one in a `variables` block of the test file, or in a var file that `var_files` of a "
    "[[tool.tfpipeline.test]] names."
)
#: What terraform calls the file of a configuration that it fills in by itself.
_MADE_UP = "<empty>"
_NOT_RUN = "not run: a run block before it ended in an error"


@dataclass(frozen=True, slots=True)
class Judged:
    """All findings, a result for each run block, and a line about them. `apart` are the findings of no run block: the
    others are shown with theirs."""

    findings: tuple[Finding, ...]
    apart: tuple[Finding, ...] = ()
    cases: tuple[CaseResult, ...] = ()
    summary: str = ""
    passed: bool = False


def judge(directory: Directory, file: str, tests: TestFile, tested: Ended, *, emulated: bool) -> Judged:
    """Passed only if terraform said of every run block that is in the file that it passed."""
    own = os.path.relpath(directory.copy / file, directory.cwd)
    events = events_of(tested.outcome.stdout.splitlines(), own)
    lines = {run.name: run.line for run in tests.runs}
    by_run = {name: _of_run(directory, file, run, lines.get(name)) for name, run in events.runs.items()}
    apart = [*_diagnosed(directory, events.diagnostics), *_left(events, tested, file, emulated=emulated)]
    found = [*apart, *(one for listed in by_run.values() for one in listed)]
    apart += _unsaid(file, events, lines, explained=bool(errors(found)))
    if tested.outcome.timed_out:
        apart.append(_timed_out(file, tested))
    elif not errors([*found, *apart]) and not succeeded("test", tested.outcome):
        apart.append(replace(directory.broken(tested.outcome, "test", "terraform test"), file=file))
    ordered = tuple(dict.fromkeys([*apart, *found]))
    cases = tuple(_case(own, run, by_run[name]) for name, run in events.runs.items())
    return Judged(ordered, tuple(apart), cases, _counted(cases), passed=not errors(ordered))


def _timed_out(file: str, tested: Ended) -> Finding:
    limit = f"{tested.outcome.limit:g} seconds" if tested.outcome.limit else "its time"
    text = f"These tests were stopped: they had not ended after {limit}."
    return failure("timeout", f"{text}\n-> Find out what they wait for, or set `timeout` in a [[test]].", file=file)


def _left(events: TestEvents, tested: Ended, file: str, *, emulated: bool) -> Iterator[Finding]:
    """What terraform could not destroy, by its word and by the state that it left."""
    names = [address for run in events.runs.values() for address in run.left]
    names += [address for addresses in events.interrupted.values() for address in addresses]
    if names or tested.errored_state is not None:
        yield left_behind(names, tested.errored_state, file, emulated=emulated)


def _of_run(directory: Directory, file: str, run: RunEvents, line: int | None) -> tuple[Finding, ...]:
    named = f'run "{run.name}"'
    found = tuple(
        replace(_placed(finding, file, line), address=finding.address or clean(named))
        for finding in _diagnosed(directory, run.diagnostics)
    )
    if run.status in ("pass", "skip") or errors(found):
        return found
    said = f"ended as `{run.status}`" if run.status else "did not come to its end"
    made = failure("terraform-test", f"{named} {said}, and terraform did not say why.", file=file)
    return (*found, replace(made, line=line))


def _placed(finding: Finding, file: str, line: int | None) -> Finding:
    """Of a provider that is not configured anywhere terraform names no file, or one that it made up."""
    nowhere = finding.file is None or finding.file.endswith(_MADE_UP)
    return replace(finding, file=file, line=line, excerpt="") if nowhere else finding


def _diagnosed(directory: Directory, diagnostics: list[Diagnostic]) -> Iterator[Finding]:
    found = findings_from_diagnostics(
        diagnostics, directory.dir, directory.ctx.run.repository.path, copy=directory.copy, rule="terraform-test"
    )
    for finding in found:
        if finding.rule == "no-credentials":
            said = finding.text.partition("\n-> ")[0]
            yield replace(finding, text=f"{said}\n{_NO_CREDENTIALS}")
        elif finding.text.startswith("No value for required variable"):
            yield replace(finding, text=f"{finding.text.partition(' Use a -var')[0]}\n{_NO_VALUE}")
        else:
            yield finding


def _unsaid(file: str, events: TestEvents, lines: Mapping[str, int], *, explained: bool) -> Iterator[Finding]:
    """Run blocks that were not run although no error says why: terraform takes a file that it does not find, and one
    that was interrupted, for a success."""
    for name, line in lines.items():
        run = events.runs.get(name)
        if not explained and (run is None or run.status == "skip"):
            made = failure("test-not-run", f'run "{name}" was not run.', file=file)
            yield replace(made, line=line, address=f'run "{name}"')


def _case(file: str, run: RunEvents, findings: tuple[Finding, ...]) -> CaseResult:
    outcome = _OUTCOMES.get(run.status, Outcome.ERROR)
    text = _NOT_RUN if outcome is Outcome.SKIPPED else render_findings(findings)
    return CaseResult(clean(f"{file}::{run.name}"), outcome, run.seconds, "" if outcome is Outcome.PASSED else text)


def _counted(cases: tuple[CaseResult, ...]) -> str:
    """How many passed, and by name those that did not."""
    bad = [case.id.rpartition("::")[2] for case in cases if case.outcome in (Outcome.FAILED, Outcome.ERROR)]
    blocks = f"{len(cases)} run block{'s' if len(cases) != 1 else ''}"
    return f"{len(bad)} of {blocks} did not pass: {', '.join(bad)}" if bad else f"{blocks} passed"
