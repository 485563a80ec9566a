"""The controller: describes the run, hands it out, gathers what comes back, and leads through gate and apply."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_tfpipeline.context import Context, open_context
from pytest_tfpipeline.errors import PipelineError
from pytest_tfpipeline.gate.ending import exit_code, unproved
from pytest_tfpipeline.gate.objections import to_narrowing
from pytest_tfpipeline.gate.reasons import Code
from pytest_tfpipeline.gate.result import RunResult
from pytest_tfpipeline.model import Run
from pytest_tfpipeline.pipeline.build import Wish, build_run, describe
from pytest_tfpipeline.pipeline.claims import key_note, refuse_unusable
from pytest_tfpipeline.pipeline.narrowed import nothing_note, reason_lines
from pytest_tfpipeline.pipeline.signing import require_signing_key
from pytest_tfpipeline.pipeline.source import read_source
from pytest_tfpipeline.pipeline.timings import seconds_of_applies, seconds_of_checks, write_timings
from pytest_tfpipeline.plugin import fixtures, terminal
from pytest_tfpipeline.plugin.baseline import no_judgement, settle
from pytest_tfpipeline.plugin.beforehand import excess_of_warnings, refuse_unwritable
from pytest_tfpipeline.plugin.collection import Collection, add_anchors
from pytest_tfpipeline.plugin.conclusion import conclude, left_out_notes, moved_notes
from pytest_tfpipeline.plugin.conftests import watch_conftests
from pytest_tfpipeline.plugin.fanout import announce_cases
from pytest_tfpipeline.plugin.going_on import go_on
from pytest_tfpipeline.plugin.ledger import Ledger
from pytest_tfpipeline.plugin.narrowing import leaves_out, narrowing, selects
from pytest_tfpipeline.plugin.progress import Installing, shows_progress
from pytest_tfpipeline.plugin.refusal import refusing
from pytest_tfpipeline.plugin.reporting import Reporting, status_of
from pytest_tfpipeline.plugin.secrecy import known_secrets
from pytest_tfpipeline.plugin.state import STATE, WIRE_KEY, State
from pytest_tfpipeline.plugin.wishes import (
    allowed_destroys,
    asked_for,
    changed_asked_for,
    environments,
    file_option,
    group_asked_for,
    operator_file,
    records_baseline,
    refuse_isolated,
)
from pytest_tfpipeline.plugin.worker import Witness, hand_over
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.redact import clean
from pytest_tfpipeline.reports.unavailable import unavailable
from pytest_tfpipeline.reports.write import write_evidence, write_reports
from pytest_tfpipeline.reuse import reuses
from pytest_tfpipeline.warm import short_cuts
from pytest_tfpipeline.workspace import hold

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

    from pytest_tfpipeline.pipeline.services import Services
    from pytest_tfpipeline.plugin.gatekeeper import Gatekeeper


def take_control(config: pytest.Config, top: Path) -> None:
    """Describe the run and register the controller's plugin objects; raises pytest.UsageError."""
    runner = Runner()
    with refusing(config, top):
        require_signing_key(runner, os.environ)
        wish = Wish(
            asked_for(config),
            environments(config),
            file_option(config, "--tf-config", config.option.tf_config),
            file_option(config, "--tf-output", config.option.tf_output),
            allowed_destroys(config),
            operator_file(config),
            group_asked_for(config),
            record=records_baseline(config),
            ini=config.inipath,
            changed=changed_asked_for(config),
        )
        if wish.mode == "apply":
            from pytest_tfpipeline.plugin.claims import claims_of  # costs what a check need not pay

            refuse_unusable(claims_of(config))
        source = read_source(runner, top) if wish.mode == "plan" else None
        described = describe(top, wish, runner)
        run, notes = build_run(top, wish, described, runner)
        refuse_isolated(run, described.config.where("isolation"))
        if run.can_apply:
            refuse_unwritable(config)
    notes = (*notes, *key_note(run, os.environ), *go_on(config, run))
    state = State(run, open_context(run, Installing(config), runner), top, source=source)
    config.stash[STATE] = state
    add_anchors(config, state)
    collection, witness = Collection(state, config), Witness(config, state)
    manager = config.pluginmanager
    manager.register(fixtures, "tfpipeline-fixtures")
    manager.register(collection, "tfpipeline-collection")
    manager.register(Reporting(), "tfpipeline-reporting")
    watch_conftests(config, state)
    manager.register(witness, "tfpipeline-witness")
    manager.register(Controller(config, state, witness, notes), "tfpipeline-controller")
    if reuses(state.run):
        from pytest_tfpipeline.plugin.reusing import Reusing

        manager.register(Reusing(config, state), "tfpipeline-reusing")
    if short_cuts(state.run):
        from pytest_tfpipeline.plugin.warming import Warming

        manager.register(Warming(config, state), "tfpipeline-warming")


class Controller:
    """Registered in pytest's main process only, with and without pytest-xdist alike."""

    def __init__(self, config: pytest.Config, state: State, witness: Witness, notes: tuple[str, ...]) -> None:
        self._config = config
        self._state = state
        self._witness = witness
        self._notes = notes
        self._late_notes: tuple[str, ...] = ()
        self._ledger = Ledger(config, state)
        self._started = datetime.now(UTC)
        self._clock = time.monotonic()
        self._services: Services | None = None
        #: Whether these wait until it is known what was selected.
        self._waiting = False
        #: Whether that made the run impossible; the evidence of it is written.
        self._refused = False
        self._gatekeeper: Gatekeeper | None = None
        self._result: RunResult | None = None
        self._stopped_itself = False
        self._hold = hold(Path(state.run.work_path))

    @property
    def _run(self) -> Run:
        return self._state.run

    @property
    def _is_idle(self) -> bool:
        """Whether it was asked and found that no check of ours can be affected."""
        return self._run.changed is not None and self._run.changed.nothing

    @property
    def _context(self) -> Context:
        return self._state.context

    def pytest_report_header(self) -> list[str]:
        """What this run is about, in a line or two."""
        header = terminal.header(self._run, self._notes, narrowing(self._config))
        return header + (reason_lines(self._run.changed) if self._config.option.verbose > 0 else [])

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Start the services and see that the tools are there, before any worker."""
        if shows_progress(self._config):
            from pytest_tfpipeline.plugin.countdown import Countdown

            self._config.pluginmanager.register(Countdown(self._config, self._state), "tfpipeline-countdown")
        if self._state.recording:
            self._ledger.objections.append(no_judgement())
        if self._run.mode == "check" or self._config.option.collectonly:
            return
        self._ledger.objections.extend(to_narrowing(narrowing(self._config)))
        if self._is_idle:
            return
        from pytest_tfpipeline.plugin.preparation import prepare, reserve

        self._waiting = not self._run.can_apply and leaves_out(self._config)
        with refusing(self._config, self._state.top):
            self._services = reserve(self._state) if self._waiting else prepare(self._state)
            if self._run.can_apply:
                from pytest_tfpipeline.plugin.claims import open_gate

                self._gatekeeper = open_gate(session, self._state, self._ledger)
                self._gatekeeper.write_down = self._write_down

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: WorkerController) -> None:
        """Hand the finished description to a worker."""
        node.workerinput[WIRE_KEY] = hand_over(self._run, self._state.phase, self._state.reused)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """A worker has collected, and gets nothing to do before this is done."""
        self._make_ready(ids)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """This process has collected; with workers, nothing."""
        if not self._config.pluginmanager.hasplugin("dsession"):
            self._make_ready(item.nodeid for item in session.items)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> object | None:
        """Keep the items of a root together, unless another distribution was asked for."""
        if not getattr(config.option, "tf_scheduler", False):
            return None
        from pytest_tfpipeline.plugin.scheduler import RootScheduling

        return RootScheduling(config, log, self._state)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: WorkerController, error: object | None) -> None:
        """A worker is done, or died."""
        if error:
            self._ledger.note(Code.WORKER_CRASHED, f"worker {node.gateway.id} died: {clean(str(error))}")
        else:
            self._ledger.hear(node.workeroutput)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be collected may hide checks."""
        if report.failed:
            text = next(iter(reversed(report.longreprtext.splitlines())), "it cannot be collected")
            self._ledger.note(Code.COLLECTION_ERROR, clean(text), report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the record; report each test of a suite as pytest reports its own."""
        record = self._ledger.take(report)
        if record is not None and record.cases:
            announce_cases(self._config, record, report.nodeid)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport | pytest.CollectReport) -> object | None:
        """Words for outcomes that pytest does not know."""
        return status_of(report) if isinstance(report, pytest.TestReport) else None

    def pytest_internalerror(self, excrepr: object) -> None:
        """pytest or a plugin broke: nobody knows what was not run."""
        last = next(iter(reversed(clean(str(excrepr)).splitlines())), "")
        self._ledger.note(Code.INTERNAL_ERROR, last)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C, SIGTERM, or a stop of pytest's own: files that cannot be collected, `--stepwise`."""
        why = excinfo.value
        hidden = any(reason.code is Code.COLLECTION_ERROR for reason in self._ledger.objections)
        by_hand = not isinstance(why, pytest.Session.Interrupted) or "keyboard-interrupt" in str(why)
        self._stopped_itself = hidden or not by_hand
        if not hidden:
            self._ledger.note(Code.INTERRUPTED, "the run was interrupted" if by_hand else clean(str(why)))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """After the last item: the gate, and behind it the apply."""
        result = yield
        if not self._config.pluginmanager.hasplugin("dsession"):
            self._ledger.hear({WIRE_KEY: json.dumps(self._witness.answer)})
        if self._ledger.usage:
            raise pytest.UsageError(self._ledger.usage)
        if self._gatekeeper is not None:
            if session.testscollected == 0:
                self._ledger.note(Code.NOTHING_TO_CHECK, "nothing was collected")
            if too_many := excess_of_warnings(self._config):
                self._ledger.note(Code.CHECK_FAILED, too_many)
            self._gatekeeper.judge_and_apply()
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, object, object]:
        """Settle the exit code, end the services, write down what the run proved; and hold to it: a conftest that calls
        a failed run a success would have a pipeline go on."""
        if self._refused:
            self._stop_services()
            self._hold.release()
        else:
            self._finish(session, exitstatus)
        settled = session.exitstatus
        try:
            return (yield)
        finally:
            session.exitstatus = session.exitstatus or settled

    def _finish(self, session: pytest.Session, exitstatus: int) -> None:
        terminal.fold(self._config.pluginmanager.getplugin("terminalreporter"))
        if hasattr(session, "exitstatus"):
            session.exitstatus = self._settle(int(exitstatus))
        if self._gatekeeper is not None and exitstatus != pytest.ExitCode.USAGE_ERROR:
            self._gatekeeper.close()
        self._late_notes = (
            *self._settle_baseline(session),
            *terminal.unplanned_note(self._ledger, self._run, selected=selects(self._config) or self._is_idle),
            *nothing_note(self._run.changed),
            *left_out_notes(self._state, self._config),
            *moved_notes(self._state),
            *unavailable(self._ledger.records),
            *self._stop_services(),
        )
        self._result = self._conclude(int(session.exitstatus))
        try:
            self._write(self._result)
        except PipelineError as error:  # a full disk: said at the end, and never a success
            self._late_notes = (*self._late_notes, f"what the run proved could not be written: {clean(str(error))}")
            session.exitstatus = unproved(self._result.environments, int(session.exitstatus))
            self._result = self._conclude(int(session.exitstatus))
            with suppress(PipelineError):  # where the key alone was the trouble, it says how the run ended
                self._write_evidence(self._result)
        finally:
            self._hold.release()

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Changes, verdict, what was applied, where the evidence is."""
        if self._result is not None:
            terminal.summarize(terminalreporter, self._result, self._run, self._late_notes)

    def pytest_unconfigure(self) -> None:
        """The services end last, whatever happened before."""
        self._stop_services()

    def _make_ready(self, nodeids: Iterable[str]) -> None:
        """Once it is known what was selected; all workers select the same."""
        if not self._waiting or self._services is None:
            return
        from pytest_tfpipeline.plugin.preparation import make_ready, needed_by

        self._waiting = False
        try:
            with refusing(self._config, self._state.top):
                make_ready(self._state, self._services, needed_by(self._state, self._config, nodeids))
        except pytest.UsageError:  # an interrupt is no refusal: its evidence is still to be written
            self._refused = True
            raise

    def _settle(self, exitstatus: int) -> int:
        """10 and 11 stand only where pytest has nothing worse to say."""
        if self._is_idle and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED:
            return pytest.ExitCode.OK
        if self._gatekeeper is not None and self._stopped_itself:
            return pytest.ExitCode.TESTS_FAILED
        if self._gatekeeper is None and self._run.can_apply and exitstatus == pytest.ExitCode.OK:
            return pytest.ExitCode.TESTS_FAILED  # `--collect-only`: nothing was applied, and nothing failed either
        if self._gatekeeper is None or exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            return exitstatus
        results, wanted = self._gatekeeper.results, len(self._run.environments)
        return exit_code(results, wanted, exitstatus, elsewhere=bool(self._state.elsewhere))

    def _settle_baseline(self, session: pytest.Session) -> tuple[str, ...]:
        try:
            notes, session.exitstatus = settle(self._state, self._ledger, int(session.exitstatus))
        except PipelineError as error:
            session.exitstatus = session.exitstatus or pytest.ExitCode.INTERNAL_ERROR
            return (f"the baseline could not be written: {clean(str(error))}",)
        return notes

    def _conclude(self, exit_code: int) -> RunResult:
        return conclude(
            self._state,
            self._ledger,
            self._gatekeeper,
            started=self._started,
            seconds=time.monotonic() - self._clock,
            exit_code=exit_code,
            command=tuple(map(str, self._config.invocation_params.args)),
            workers=len(getattr(self._config.option, "tx", None) or ()),
            notes=(*self._notes, *self._late_notes),
        )

    def _write_down(self) -> None:
        """Evidence of what was applied so far; unless the run comes to its end, it says that it was interrupted."""
        with suppress(PipelineError):  # said at the end
            self._write_evidence(self._conclude(int(pytest.ExitCode.INTERRUPTED)))

    def _write_evidence(self, result: RunResult) -> None:
        write_evidence(result, Path(self._run.output_path), known_secrets(self._state, self._run.targets))

    def _write(self, result: RunResult) -> None:
        output = Path(self._run.output_path)
        write_reports(result, output, known_secrets(self._state, self._run.targets))
        now = seconds_of_checks(result.records) | seconds_of_applies(self._run.repository, result.environments)
        write_timings(output, self._state.top, self._run.timings, now)

    def _stop_services(self) -> tuple[str, ...]:
        """End the services once; what went wrong, for the user to read."""
        services, self._services = self._services, None
        if services is None:
            return ()
        try:
            services.stop()
        except PipelineError as error:
            return (clean(str(error)),)
        return ()
