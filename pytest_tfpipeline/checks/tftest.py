"""`test[FILE]`: every run block of a file of native tests passed.

Nothing is made anywhere but in memory, in mocked providers, or in an emulated cloud that this file has for itself.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_tfpipeline.checks.repeats import first_error, shorten
from pytest_tfpipeline.checks.testresults import Judged, judge
from pytest_tfpipeline.context import Context
from pytest_tfpipeline.discover.nativetests import RunBlock, TestFile, item_name, place_of_tests, read_test_file
from pytest_tfpipeline.discover.realproviders import Modules, real_providers
from pytest_tfpipeline.errors import PipelineError
from pytest_tfpipeline.model import Check, Finding, Outcome, Record
from pytest_tfpipeline.terraform.diagnostics import failure, render_findings
from pytest_tfpipeline.terraform.init import directory_of, ensure_tests_init
from pytest_tfpipeline.terraform.testfeatures import lacking
from pytest_tfpipeline.terraform.testing import modules_by_key, run_tests
from pytest_tfpipeline.workspace import root_file_name

_TIMEOUT = 1800.0
#: The providers that each emulator stands in for, by the end of their whole names.
_EMULATED = {"aws": ("/hashicorp/aws",)}


@dataclass(frozen=True, slots=True)
class _Test:
    """One file, as the run's description and its own text have it."""

    ctx: Context
    check: Check
    file: str
    tests: TestFile

    @property
    def settings(self) -> Mapping[str, object]:
        """What the configuration says about it."""
        found: Mapping[str, object] = self.ctx.run.settings.get("tests", {}).get(self.file, {})
        return found

    @property
    def emulator(self) -> str | None:
        """The emulated cloud that it may use."""
        named = self.settings.get("emulator")
        return None if named is None else str(named)

    @property
    def table(self) -> str:
        """What the table of the configuration is called that says something about it."""
        return str(self.settings.get("table", "[[tool.tfpipeline.test]]"))


def check(ctx: Context, check: Check) -> Record:
    """Failed where a run block did not pass; an error where the file cannot be run here, with what settles it."""
    files = ctx.run.repository.tests.get(check.dir, ())
    file = next((one for one in files if check.id.endswith(f"::{item_name(one, check.dir)}")), None)
    if file is None:
        raise PipelineError("this run knows no such file of tests", where=check.id, mend="run again")
    test = _Test(ctx, check, file, read_test_file(ctx.workspace.tree(None) / file))
    refused = tuple(lacking(ctx.terraform(check.dir), test.tests, file))
    if refused:
        return _refused(test, refused)
    init = ensure_tests_init(ctx, check.dir, sorted({place_of_tests(one, check.dir) for one in files}))
    if not init.ok:
        findings = tuple(replace(one, file=one.file or file) for one in init.findings)
        return _record(test, Judged(findings, findings))
    uses, unclear = _uses(test)
    refused = (*unclear, *_unwanted(test, uses))
    return _refused(test, refused) if refused else _record(test, _run(test, uses))


def _uses(test: _Test) -> tuple[dict[str, tuple[str, ...]], tuple[Finding, ...]]:
    """The providers that each run block would really use; and why that cannot be said, where it cannot."""
    if test.tests.problem is not None:
        problem = test.tests.problem
        made = failure(problem.rule, f"{problem.text}\n-> Nothing of it was run.", file=test.file)
        return {}, (replace(made, line=problem.line),)
    if not test.tests.runs:
        return {}, (
            failure("no-run-block", "There is no `run` block in it.\n-> Add one, or remove it.", file=test.file),
        )
    if not test.tests.applies and test.emulator is None:
        return {}, ()
    where = directory_of(test.ctx, test.check.dir, None)
    tofu = test.check.dir in test.ctx.run.repository.tofu
    modules = Modules(where.cwd, modules_by_key(test.ctx, test.check.dir), tofu=tofu)
    own = Path(test.file).relative_to(test.check.dir).as_posix()
    try:
        return {run.name: real_providers(modules, own, test.tests, run) for run in test.tests.runs}, ()
    except PipelineError as error:
        return {}, (failure("unknown-providers", f"Nothing of it was run: {error}", file=test.file),)
    except KeyError as error:
        text = (
            f"Nothing of it was run: init did not find the module {error}, so nobody can say which providers it uses."
        )
        return {}, (failure("unknown-providers", text, file=test.file),)


def _unwanted(test: _Test, uses: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    """A finding, at the first of them, for the run blocks that would make something in a real cloud."""
    emulated = _EMULATED.get(test.emulator or "", ())
    real = {
        run: [name for name in uses.get(run.name, ()) if not name.endswith(emulated)]
        for run in test.tests.runs
        if not run.plans
    }
    applying = [run for run, names in real.items() if names]
    if applying:
        yield _needs_cloud(test, applying, sorted({name for names in real.values() for name in names}))


def _needs_cloud(test: _Test, runs: Sequence[RunBlock], real: Sequence[str]) -> Finding:
    names = " and ".join(name.removeprefix("registry.terraform.io/") for name in real)
    mends = [f'`mock_provider "{name.rpartition("/")[2]}" {{}}`' for name in real]
    aws = test.emulator is None and any(name.endswith(_EMULATED["aws"]) for name in real)
    beside = posixpath.join(posixpath.dirname(test.file), "*")
    cloud = f'{test.table}\n     match = "{beside}"\n     emulator = "aws"'
    who = f'run "{runs[0].name}"' + (f" and {len(runs) - 1} more" if len(runs) > 1 else "")
    text = (
        f"{who} would make something with {names}, which is not mocked. Nothing of the file was run.\n"
        f"-> Mock it with {' and '.join(mends)}, or plan only (`command = plan`)"
        + (f"; or give each file an emulated cloud of its own:\n     {cloud}" if aws else "")
        + f"\n-> Or leave it out of these runs: `run = false` in a {test.table}."
    )
    made = failure("test-needs-cloud", text, file=test.file)
    return replace(made, address=f'run "{runs[0].name}"', line=runs[0].line)


def _run(test: _Test, uses: Mapping[str, Sequence[str]]) -> Judged:
    emulated = any(name.endswith(_EMULATED.get(test.emulator or "", ())) for names in uses.values() for name in names)
    limit, given = test.settings.get("timeout"), test.settings.get("var_files")
    timeout = float(limit) if isinstance(limit, int | float) else _TIMEOUT
    var_files = [str(name) for name in given] if isinstance(given, list) else []
    with _cloud(test, wanted=emulated) as variables:
        tested = run_tests(test.ctx, test.check.dir, test.file, variables, timeout, var_files)
    return judge(directory_of(test.ctx, test.check.dir, None), test.file, test.tests, tested, emulated=emulated)


@contextmanager
def _cloud(test: _Test, *, wanted: bool) -> Iterator[Mapping[str, str]]:
    """The variables of an emulated cloud that lives as long as this file's tests, and keeps nothing."""
    if not wanted:
        yield {}
        return
    from pytest_tfpipeline.emulator import Emulator

    name = f"tests-{root_file_name(test.file)}"
    work = test.ctx.workspace.path
    started = Emulator.start(
        test.ctx.runner,
        environment=name,
        state_path=work / "emulator" / f"{name}.none",
        work_path=work,
        read_only=True,
    )
    try:
        # One process of terraform at a time asks this cloud, which need not tell them apart to see that one waits.
        yield {**started.process_env, "TF_APPEND_USER_AGENT": "tfpipeline/tests"}
    finally:
        started.stop()


def _refused(test: _Test, findings: Sequence[Finding]) -> Record:
    return replace(_record(test, Judged(tuple(findings), tuple(findings))), outcome=Outcome.ERROR)


def _record(test: _Test, judged: Judged) -> Record:
    apart = render_findings(shorten(test.ctx, test.check, judged.apart))
    text = "\n\n".join(part for part in (judged.summary, apart) if part)
    return Record(
        test.check.id,
        test.check.kind,
        Outcome.PASSED if judged.passed else Outcome.FAILED,
        test.check.dir,
        findings=judged.findings,
        summary=first_error(judged.findings) or judged.summary,
        text="" if judged.passed else text,
        cases=judged.cases,
    )
