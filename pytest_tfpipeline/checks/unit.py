"""The `unit` check: a Python suite's own tests, in an environment and a process of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pytest_tfpipeline.checks import records
from pytest_tfpipeline.context import Context
from pytest_tfpipeline.model import Check, Record
from pytest_tfpipeline.redact import clean
from pytest_tfpipeline.suites.run import SuiteRun, declared_names, run_suite

_TIMEOUT = 1800.0


def check(ctx: Context, check: Check, only: tuple[str, ...] = ()) -> Record:
    """Run the suite of this directory, or `only` these of its tests; every test of it is a case of the record."""
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
        timeout=float(ctx.run.settings.get("suite_timeout", _TIMEOUT)),
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
        cases=tuple(replace(case, id=clean(case.id), text=_said(case.text, wanted.tree)) for case in result.cases),
    )


def _said(text: str, tree: Path) -> str:
    """What the suite printed, with the user's own paths."""
    return clean(text.replace(f"{tree}/", ""))
