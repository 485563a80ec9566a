"""An apply in a job of its own: the engine without pytest, and without any code of the repository.

It plans the commit again by itself, holds the plans against the shipped rules, destroy protection and what the check
job says, and applies them. Of the repository it reads the configuration and runs terraform's own, nothing else: no
`prepare`, no suite, no policy test, no linter or its configuration.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from pytest_tfpipeline.checks import perform
from pytest_tfpipeline.context import open_context
from pytest_tfpipeline.errors import PipelineError, ProofError, UsageError
from pytest_tfpipeline.gate.approval import Request
from pytest_tfpipeline.gate.claim import claimed_records, to_claim, to_unsaid
from pytest_tfpipeline.gate.ending import exit_code, unproved
from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.gate.result import EnvironmentResult, RunResult
from pytest_tfpipeline.model import CheckKind
from pytest_tfpipeline.parallel import in_parallel
from pytest_tfpipeline.pipeline.admission import Admission, read_priors
from pytest_tfpipeline.pipeline.agreement import Agreement
from pytest_tfpipeline.pipeline.bare import Bare, refuse_kept, strip
from pytest_tfpipeline.pipeline.baseline import baseline_result
from pytest_tfpipeline.pipeline.build import Wish, build_run, describe
from pytest_tfpipeline.pipeline.claims import Claims, refuse_unusable, require_shared_key
from pytest_tfpipeline.pipeline.conduct import Conductor
from pytest_tfpipeline.pipeline.console import Console
from pytest_tfpipeline.pipeline.identity import ask_before_plan, without_plans
from pytest_tfpipeline.pipeline.secrets import secrets_of
from pytest_tfpipeline.pipeline.services import Services
from pytest_tfpipeline.pipeline.showing import showing
from pytest_tfpipeline.pipeline.signing import require_signing_key
from pytest_tfpipeline.pipeline.source import read_source
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.proof.document import Evidence, read_evidence
from pytest_tfpipeline.redact import Redactor, clean
from pytest_tfpipeline.reports.approval import approval_markdown, approval_text
from pytest_tfpipeline.reports.text import applied_lines, changes_table, closing_line
from pytest_tfpipeline.reports.write import EVIDENCE, write_evidence, write_reports
from pytest_tfpipeline.workspace import hold

#: Roots that are planned at the same time.
_PARALLEL = 2
_FAILED, _INTERRUPTED, _BROKEN, _USAGE = 1, 2, 3, 4
_OWN = (CheckKind.PLAN, CheckKind.POLICY)


@dataclass(frozen=True, slots=True)
class Order:
    """What the command line asks for. `command` is the line itself, without the approvals in it."""

    wish: Wish
    evidence: Path
    claims: Claims = field(default_factory=Claims)
    command: tuple[str, ...] = ()


def apply_alone(top: Path, order: Order, tell: Callable[[str], None], environ: Mapping[str, str]) -> int:
    """Carry the order out; gives the exit code: 0, 1, 2, 3, 4, 10 or 11.

    Raises UsageError for what is not begun at all, and ProofError where the check job's evidence is none.
    """
    _require_isolation()
    require_signing_key(Runner(), environ)
    refuse_unusable(order.claims)
    claim = read_evidence(order.evidence)
    _require_begun(claim, order.evidence)
    key = require_shared_key(environ)
    runner = Runner()
    with _not_begun():
        refuse_kept(runner, top, order.wish.output)
        run, notes = build_run(top, order.wish, describe(top, order.wish, runner), runner)
    run = replace(run, isolation="jobs", settings={**run.settings, "shipped_only": True})
    held = hold(Path(run.work_path))
    try:
        bare = strip(run, order.wish.operator, top)
        return _Job(top, order, claim, bare, runner, tell, environ, key).carry_out(notes)
    finally:
        held.release()


def top_of(path: Path) -> Path:
    """The repository that the path is in; raises UsageError where it is in none."""
    for folder in (path, *path.parents):
        if (folder / ".git").exists():
            return folder
    raise UsageError("is in no git repository", where=str(path), mend="run it in the checkout of the commit")


def _require_isolation() -> None:
    if not sys.flags.isolated:
        raise UsageError(
            "an apply in a job of its own must see no Python of the checkout",
            mend="run it as `python -I -m pytest_tfpipeline apply ENV --evidence FILE`",
        )


@contextmanager
def _not_begun() -> Iterator[None]:
    """What cannot be had before anything is begun, a tool for one, is a UsageError: exit code 4, as in pytest."""
    try:
        yield
    except (UsageError, ProofError):
        raise
    except PipelineError as error:
        raise UsageError(error.what, where=error.where, mend=error.mend) from error


def _require_begun(claim: Evidence, file: Path) -> None:
    """A run that was refused has evidence that says so, which is no check job's word about anything."""
    if claim.run.exit_code and not claim.environments and not claim.checks:
        raise UsageError(
            f"the run that wrote this ended with exit code {claim.run.exit_code} before anything was checked",
            where=str(file),
            mend="check again; evidence of earlier runs is kept in `evidence/` beside it (.tfpipeline/evidence/)",
        )


class _Job:
    """One apply, from the services to the reports."""

    def __init__(
        self,
        top: Path,
        order: Order,
        claim: Evidence,
        bare: Bare,
        runner: Runner,
        tell: Callable[[str], None],
        environ: Mapping[str, str],
        key: bytes,
    ) -> None:
        self._top, self._order, self._claim, self._environ = top, order, claim, environ
        self._tell, self._stripped, run = tell, bare.stripped, bare.run
        self._started, self._clock = datetime.now(UTC), time.monotonic()
        self._key = key
        self._ctx = open_context(run, self._say, runner)
        self._source = read_source(runner, top)
        self._audience = Console(self._say, lambda line: tell(clean(line)), self._show, self._write_down)
        self._admission: Admission | None = None
        self._conductor: Conductor | None = None
        self._notes: tuple[str, ...] = ()
        self._waiting = ""

    def carry_out(self, notes: tuple[str, ...]) -> int:
        """The exit code; whatever happens, the services end and evidence is written."""
        self._notes = notes
        for note in notes:
            self._say(f"note: {note}")
        services, code = Services(self._ctx.run, self._ctx.runner), _INTERRUPTED
        try:
            with _not_begun():
                self._prepare(services)
                self._conductor = self._open_gate()
            if not self._audience.against:  # else not even a plan, which runs what the tree says
                self._plan()
                self._conductor.lead()
            code = exit_code(self._conductor.results, len(self._ctx.run.environments), 0)
        except KeyboardInterrupt:
            self._audience.against.append(Reason(Code.INTERRUPTED, "the run was interrupted"))
        except Exception as error:
            code = self._broken(error)
        finally:
            try:
                if self._conductor is not None:
                    self._conductor.close()
            finally:
                code = self._report(self._end(services, code))
        return code

    def _broken(self, error: Exception) -> int:
        """Say what broke; 1 and 4 are for runs that applied nothing."""
        text = str(error) if isinstance(error, PipelineError) else f"internal error: {error!r}"
        self._audience.against.append(Reason(Code.INTERNAL_ERROR, text))
        if self._conductor is None:  # no environment will have a reason
            self._notes = (*self._notes, text)
        self._say(text)
        begun = self._conductor is not None and any(one.result is not None for one in self._conductor.results)
        clear = _USAGE if isinstance(error, (UsageError, ProofError)) else _FAILED
        return clear if isinstance(error, PipelineError) and not begun else _BROKEN

    def _end(self, services: Services, code: int) -> int:
        """End the services; a failure in that is never a success, and never keeps the evidence from being written."""
        try:
            services.stop()
        except PipelineError as error:
            self._say(str(error))
            code = code or _BROKEN
        return code

    def _prepare(self, services: Services) -> None:
        run, runner = self._ctx.run, self._ctx.runner
        for target in run.targets:
            self._ctx.terraform(target.root)
        self._ctx = open_context(replace(run, process_env=services.process_env()), self._say, runner)
        self._audience.answers = answers = ask_before_plan(self._ctx)
        self._ctx = open_context(without_plans(self._ctx.run, answers), self._say, runner)

    def _open_gate(self) -> Conductor:
        run, claims, source = self._ctx.run, self._order.claims, self._source
        signers = self._top / run.signers if run.signers else None
        baseline = run.baseline.digest if run.baseline is not None else None
        for environment in run.environments:
            self._audience.against += to_claim(self._claim, environment, source.commit, source.repository, baseline)
            self._audience.against += self._stripped[environment.name]
            claimed = claimed_records(self._claim, environment.name)
            self._audience.against += to_unsaid(run.checks, claimed, environment.name)
            self._audience.found += claimed
        proofs = read_priors(self._ctx, claims, signers)
        self._admission = Admission(self._ctx, self._top, source, claims, self._key, True, proofs, self._claim)
        return Conductor(self._admission, Agreement(self._ctx, source, claims, signers), self._audience)

    def _plan(self) -> None:
        """Every root, and the shipped rules on its plan; beside what the check job says about them."""
        checks = [check for check in self._ctx.run.checks if check.kind in _OWN and check.environment is not None]
        self._say(f"planning {', '.join(dict.fromkeys(check.dir for check in checks))}")
        own = in_parallel(lambda check: perform(self._ctx, check), checks, _PARALLEL, self._ctx.runner.interrupt)
        for record in own:
            self._audience.on_record(record, 1)

    def _result(self, code: int) -> RunResult:
        run = self._ctx.run
        return RunResult(
            id=run.id,
            mode=run.mode,
            started=self._started.isoformat(timespec="seconds"),
            seconds=time.monotonic() - self._clock,
            source=self._source,
            command=self._order.command,
            workers=0,
            exit_code=code,
            tools=self._ctx.used_tools(),
            environments=self._environments(),
            records=tuple(self._audience.found),
            notes=self._notes,
            waiting=self._waiting,
            isolation=run.isolation,
            group=run.group,
            not_judged=run.not_judged,
            baseline=baseline_result(self._ctx, self._audience.found),
        )

    def _environments(self) -> tuple[EnvironmentResult, ...]:
        """As they were judged; none where the run never came to that."""
        if self._conductor is None:
            return ()
        judged = {one.environment.name: one for one in self._conductor.results}
        return tuple(judged.get(one.name) or EnvironmentResult(one) for one in self._ctx.run.environments)

    def _report(self, code: int) -> int:
        """Say and write down what it came to; the exit code, which is no success where that could not be written."""
        result, output = self._result(code), Path(self._ctx.run.output_path)
        for one in result.environments:
            lines = ("", *changes_table([one]), "", *applied_lines(one), closing_line(one, can_apply=True))
            self._say("\n".join(lines))
        try:
            write_reports(result, output, self._secrets(), self._environ)
        except PipelineError as error:
            self._say(f"what the run proved could not be written: {error}")
            code = unproved(result.environments, code)
            with suppress(PipelineError):  # where the key alone was the trouble, it says how the run ended
                write_evidence(self._result(code), output, self._secrets())
        self._say(f"evidence: {output / EVIDENCE}")
        return code

    def _write_down(self) -> None:
        """Until the run comes to its end, its evidence says that it was interrupted."""
        with suppress(PipelineError):  # said at the end
            write_evidence(self._result(_INTERRUPTED), Path(self._ctx.run.output_path), self._secrets())

    def _show(self, request: Request, one: EnvironmentResult) -> str:
        if self._admission is None or self._conductor is None:
            return ""
        checks = {record.check for record in self._audience.found}
        earlier, command = self._conductor.results, self._order.command
        told = showing(self._admission, request, one, earlier, checks, command, asked=False, asks=False)
        self._waiting = approval_markdown(told)
        return approval_text(told)

    def _say(self, text: str) -> None:
        self._tell(clean(Redactor(self._secrets()).text(text)))

    def _secrets(self) -> set[str]:
        return secrets_of(self._ctx, self._ctx.run.targets, self._environ)
