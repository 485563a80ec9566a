"""What a person sees on the terminal beside pytest's own lines."""

from __future__ import annotations

from contextlib import suppress

import pytest

from pytest_tfpipeline.gate.result import EnvironmentResult, RunResult
from pytest_tfpipeline.gate.verdict import NOT_SEEN
from pytest_tfpipeline.model import Changes, Kind, Run
from pytest_tfpipeline.plugin.ledger import Ledger
from pytest_tfpipeline.plugin.reporting import record_of
from pytest_tfpipeline.redact import clean
from pytest_tfpipeline.reports.folding import folded
from pytest_tfpipeline.reports.progress import ApplyProgress, beginning
from pytest_tfpipeline.reports.text import applied_lines, changes_table, closing_line, reason_lines
from pytest_tfpipeline.reports.write import EVIDENCE
from pytest_tfpipeline.terraform.applying import ApplyEvent


def header(run: Run, notes: tuple[str, ...], narrowed: tuple[str, ...] = ()) -> list[str]:
    """The lines at the top of the run. `narrowed` are options with which a run does not apply."""
    repository = run.repository
    examples = [root for root in repository.roots if root.kind is Kind.EXAMPLE]
    counted = (
        ("root", len(repository.roots) - len(examples)),
        *([("example", len(examples))] if examples else []),
        ("module", len(repository.modules)),
        ("suite", len(repository.suites)),
    )
    counts = ", ".join(f"{count} {word}{'' if count == 1 else 's'}" for word, count in counted)
    names = [one.name + (" (emulated)" if one.emulator else "") for one in run.environments]
    what = f"; {run.mode} {', '.join(names)}" if names else ""
    cannot = [f"this run cannot apply: {', '.join(narrowed)} was given"] if run.can_apply and narrowed else []
    return [f"tfpipeline: {counts}{what}", *(f"tfpipeline: {clean(note)}" for note in (*cannot, *notes))]


def unplanned_note(ledger: Ledger, run: Run, *, selected: bool = False) -> tuple[str, ...]:
    """Tests that are not in the run because there is nothing for them to judge: said once, and not to
    somebody who selected the tests of this run."""
    if selected:
        return ()
    found = (
        (len(ledger.unplanned), "policy test", "planned", "a plan (--tf-plan ENV)", bool(run.environments)),
        (len(ledger.unapplied), "output test", "applied", "an apply (--apply-env ENV)", run.can_apply),
    )
    return tuple(_unjudged(*each) for each in found if each[0])


def _unjudged(count: int, name: str, done: str, wanted: str, some: bool) -> str:
    head = f"{count} {name}{'' if count == 1 else 's'} had nothing to judge"
    return f"{head}: " + (f"their roots or environments are not {done} in this run" if some else f"they want {wanted}")


def summarize(reporter: pytest.TerminalReporter, result: RunResult, run: Run, notes: tuple[str, ...]) -> None:
    """The section at the end of the run."""
    lines = changes_table(result.environments)
    for one in result.environments:
        told = _notes(one)
        if len(result.environments) > 1 and (one.result is not None or told):
            lines += ["", f"{one.environment.name}:"]
        lines += ["", *(f"note: {note}" for note in told)] if told else []
        shown_above = reporter.config.option.tbstyle != "no"
        if one.verdict is not None and not one.verdict.open and not shown_above:
            lines += ["", f"the gate to {one.environment.name} is closed:", *reason_lines(one.verdict.reasons)]
        lines += ["", *applied_lines(one)] if one.result is not None else []
    if not lines and not notes and not result.environments:
        return
    reporter.section("tfpipeline")
    for line in (*lines, *(f"note: {note}" for note in notes)):
        reporter.write_line(clean(line))
    for one in result.environments:
        good = result.exit_code == 0
        reporter.write_line(
            clean(closing_line(one, run.can_apply, interrupted=result.interrupted)), green=good, red=not good, bold=True
        )
    if result.mode != "check":
        reporter.write_line(f"evidence: {run.output_path}/{EVIDENCE}")


def _notes(one: EnvironmentResult) -> list[str]:
    """Without what had not been seen when the gate was asked, where all of it was applied since."""
    done = one.result is not None and one.result.complete
    notes = one.verdict.notes if one.verdict is not None else ()
    return [note for note in notes if not (done and note.startswith(NOT_SEEN))]


def fold(reporter: pytest.TerminalReporter | None) -> None:
    """Say in a line what failed for a second directory as for the first; not under `-v`, which shows everything."""
    if reporter is None or reporter.config.option.verbose > 0:
        return
    found = [
        (report, record)
        for report in reporter.stats.get("failed", ())
        if isinstance(report, pytest.TestReport) and isinstance(report.longrepr, str)
        if (record := record_of(report)) is not None
    ]
    # Not `longreprtext`: under pytest-xdist that has the worker's name in it.
    texts = folded((report.nodeid, record.dir or ".", str(report.longrepr)) for report, record in found)
    for (report, _), text in zip(found, texts, strict=True):
        report.longrepr = text


class ProgressLines:
    """Live progress of an apply: a line for each resource that is done or takes long; every step under `-v`."""

    def __init__(self, config: pytest.Config) -> None:
        self._reporter: pytest.TerminalReporter | None = config.pluginmanager.getplugin("terminalreporter")
        self._config = config
        self._verbosity: int = getattr(config.option, "verbose", 0)  # not there with -p no:terminal
        self._progress = ApplyProgress()

    def begin(self, environment: str, count: int, seconds: float | None) -> None:
        """The apply starts; so many seconds are expected."""
        self._line(beginning(environment, count, seconds))

    def tell(self, text: str) -> None:
        """A report of several lines in the middle of the run, also under `-q`: somebody must act on it."""
        if self._reporter is not None:
            self._reporter.ensure_newline()
            for line in ("", *text.splitlines(), ""):
                self._reporter.write_line(clean(line))

    def expect(self, root: str, changes: Changes) -> None:
        """So many resources of the root will be touched."""
        self._progress.expect(root, changes)

    def show(self, root: str, event: ApplyEvent) -> None:
        """One event of one resource."""
        line = self._progress.line(root, event)
        if line is not None:
            self._line(line)
        elif self._verbosity > 0:
            self._line(f"  {root} {event.address}: {event.action} begins")

    def _line(self, text: str) -> None:
        if self._reporter is None or self._verbosity < 0:
            return
        with suppress(OSError):  # nobody reads any more (`| head`): that must not fail an apply that goes well
            if self._config.get_terminal_writer().width_of_current_line:  # pytest-xdist does not end its lines
                self._reporter.write_line("")
            self._reporter.write_line(clean(text))
