"""The `unit` check: a Python suite's own tests, in an environment and a process of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pytest_tfpipeline.checks import records
from pytest_tfpipeline.context import Context
from pytest_tfpipeline.model import CaseResult, Check, CheckKind, Outcome, Record
from pytest_tfpipeline.redact import clean
from pytest_tfpipeline.suites.judge import parts_of
from pytest_tfpipeline.suites.run import SuiteRun, declared_names, run_suite


def check(ctx: Context, check: Check) -> Record:
    """Run the suite of this directory; every test of it is a case of the record."""
    return _record(ctx, check, ())


def check_part(ctx: Context, directory: str, only: tuple[str, ...]) -> Record:
    """Run these tests (ids or paths, relative to the suite) and no others: once, for all items that want some of them.

    A record of its own, which never stands for the suite's.
    """
    check = Check(f"{directory}::{' '.join(only)}", CheckKind.TEST, directory)
    return ctx.workspace.once(f"part of {check.id}", Record, lambda: _record(ctx, check, only))


def part_of(whole: Record, wanted: str, *, read: bool) -> Record:
    """What that record says about one of the tests it was made for. Where there is none by that name, the whole's word
    counts; one that was only `read` in the source is skipped then, if others could be run."""
    cases = parts_of(whole.cases, wanted)
    seconds = sum(case.seconds for case in cases)
    if not cases and read and whole.cases:
        summary = f"{wanted} is in the source, and no test when it is run"
        return replace(whole, outcome=Outcome.SKIPPED, summary=summary, text="", cases=(), seconds=seconds)
    if not cases:
        return whole
    bad = [case for case in cases if case.outcome in (Outcome.FAILED, Outcome.ERROR)]
    skipped = all(case.outcome is Outcome.SKIPPED for case in cases)
    outcome = bad[0].outcome if bad else Outcome.SKIPPED if skipped else Outcome.PASSED
    summary = cases[0].text if skipped else f"{len(cases) - len(bad)} of {len(cases)} passed"
    text = "\n\n".join(case.text for case in bad)
    return replace(whole, outcome=outcome, summary=summary, text=text, cases=cases, seconds=seconds)


def _record(ctx: Context, check: Check, only: tuple[str, ...]) -> Record:
    suite = next((each for each in ctx.run.repository.suites if each.dir == check.dir), None)
    if suite is None:
        return records.error(check, f"{check.dir} is not a Python suite of this run")
    inner = tuple(each.dir for each in ctx.run.repository.suites if records.below(each.dir, check.dir))
    given = [*ctx.run.process_env.values()]
    given += [env for each in ctx.run.targets for env in (each.env, each.plan_env, each.apply_env)]
    wanted = SuiteRun(
        suite=suite,
        tree=ctx.workspace.tree(None),
        cache=Path(ctx.run.output_path) / "cache" / "suites",
        uv=ctx.tool("uv").path,
        inner=inner,
        declared=declared_names(given),
        only=only,
        coverage=Path(ctx.run.output_path) / "coverage" / f"{check.dir.replace('/', '.')}.xml",
    )
    result = run_suite(ctx.runner, wanted)
    return Record(
        check=check.id,
        kind=check.kind,
        outcome=result.judgement.outcome,
        dir=check.dir,
        environment=check.environment,
        seconds=result.seconds,
        summary=clean(result.judgement.summary),
        text=_said(f"{check.dir}: {result.judgement.text}", wanted.tree) if result.judgement.text else "",
        cases=tuple(_cleaned(case, wanted.tree) for case in result.cases),
    )


def _cleaned(case: CaseResult, tree: Path) -> CaseResult:
    output = tuple((clean(name), _said(content, tree)) for name, content in case.output)
    return replace(case, id=clean(case.id), text=_said(case.text, tree), output=output)


def _said(text: str, tree: Path) -> str:
    """What the suite printed, with the user's own paths."""
    return clean(text.replace(f"{tree}/", ""))
