"""Plan a root in an environment, once, and keep the plan."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.discover.unfilled import unfilled
from pytest_tfpipeline.model import Finding, PlanResult, PlanStatus, Severity, Target
from pytest_tfpipeline.process import Outcome
from pytest_tfpipeline.redact import clean
from pytest_tfpipeline.terraform import command
from pytest_tfpipeline.terraform.call import Directory, retrying, succeeded
from pytest_tfpipeline.terraform.diagnostics import diagnostics_of
from pytest_tfpipeline.terraform.init import directory_of, ensure_init
from pytest_tfpipeline.terraform.inputs import inputs_of
from pytest_tfpipeline.terraform.mends import describe_missing_variables
from pytest_tfpipeline.terraform.plan import changes, read_plan
from pytest_tfpipeline.terraform.planfile import sha256_of_plan
from pytest_tfpipeline.terraform.prepare import ensure_prepared
from pytest_tfpipeline.terraform.sealed import state_behind
from pytest_tfpipeline.terraform.upstream import waits_behind, waits_for_outputs
from pytest_tfpipeline.terraform.variables import early_var_files, var_files
from pytest_tfpipeline.workspace import write_private
from pytest_tfpipeline.workspace.digest import manifest_digest

#: Problems of a target that leave it open what else is not said yet: all of that is named at once.
_UNSAID = frozenset({"incomplete-backend", "shared-state"})


def ensure_plan(ctx: Context, target: Target) -> PlanResult:
    """The target's plan; whoever needs it first makes it, and every root that it depends on before it."""
    return ctx.workspace.once(plan_key(target), PlanResult, lambda: _plan(ctx, target))


def make_plan(ctx: Context, target: Target) -> PlanResult:
    """Plan anew (a root that it reads was applied meanwhile); `ensure_plan` gives this one from now on."""
    result = _plan(ctx, target)
    ctx.workspace.put(plan_key(target), result)
    return result


def plan_key(target: Target) -> str:
    """The key of the target's plan in the run's store."""
    return _key("plan", target)


def note_applied(ctx: Context, target: Target) -> None:
    """Keep in mind that the target was applied in this run: nothing waits for it any more."""
    ctx.workspace.put(_key("applied", target), value=True)


def was_applied(ctx: Context, target: Target) -> bool:
    """Whether this run has applied the target."""
    return bool(ctx.workspace.get(_key("applied", target), bool))


def planned_inputs(ctx: Context, target: Target) -> dict[str, str]:
    """{file: SHA-256} of what the target's last plan could read."""
    return ctx.workspace.get(_key("inputs", target), dict) or {}


def _key(what: str, target: Target) -> str:
    return f"{what}/{target.environment}/{target.root}"


def _plan(ctx: Context, target: Target) -> PlanResult:
    blank = PlanResult(target.root, target.environment, PlanStatus.FAILED)
    unsaid = all(problem.rule in _UNSAID for problem in target.problems)
    lacking = (*target.problems, *(_wanting(ctx, target) if unsaid else ()))
    if lacking:
        return replace(blank, findings=lacking)
    init = ensure_init(ctx, target.root, target.environment)
    if not init.ok:
        return replace(blank, findings=init.findings, seconds=init.seconds)
    directory = directory_of(ctx, target.root, target.environment)
    missing = _missing_var_files(directory, target)
    if missing:
        return replace(blank, findings=missing, seconds=init.seconds)
    upstream = _upstream(ctx, target)
    behind = waits_behind(upstream)
    if behind:
        return replace(blank, status=PlanStatus.DEFERRED, behind=behind, seconds=init.seconds)
    result = _run_plan(directory, target, blank, upstream)
    return replace(result, seconds=result.seconds + init.seconds)


def _wanting(ctx: Context, target: Target) -> tuple[Finding, ...]:
    """The variables without a value, before terraform is asked, which would take its time to say the same."""
    directory = directory_of(ctx, target.root, target.environment)
    if directory.root is None or ensure_prepared(ctx, target.environment).findings.get(target.root):
        return ()
    unset = ctx.unset(target, directory.root)
    environ = {*ctx.environment(target), *(name for name in ctx.runner.environ if name not in unset)}
    files = [name for name in target.var_files if (directory.copy / name).is_file()]
    missing = unfilled(directory.root, directory.copy, files, target.vars, environ)
    if len(files) < len(target.var_files) or not missing:
        return ()
    text = describe_missing_variables(missing, Path(ctx.run.repository.path), target.root)
    first = missing[0]
    return (Finding("missing-variable", Severity.ERROR, clean(text), None, first.file, first.line),)


def _upstream(ctx: Context, target: Target) -> tuple[PlanResult, ...]:
    """The plans of the roots that it depends on and that this run has not applied yet."""
    found = [ctx.target(root, target.environment) for root in target.after]
    return tuple(ensure_plan(ctx, other) for other in found if other is not None and not was_applied(ctx, other))


def _run_plan(directory: Directory, target: Target, blank: PlanResult, upstream: tuple[PlanResult, ...]) -> PlanResult:
    plan_path, json_path = directory.ctx.workspace.plan_paths(target)
    for path in (plan_path, json_path):
        path.unlink(missing_ok=True)
    outcome = _terraform_plan(directory, target, plan_path)
    findings = directory.judge(outcome, "plan")
    blank = replace(blank, findings=findings, seconds=outcome.seconds)
    if succeeded("plan", outcome):
        plan_path.chmod(0o600)
        return _read(directory, target, blank, plan_path, json_path)
    plan_path.unlink(missing_ok=True)
    behind = waits_for_outputs(diagnostics_of(outcome.stdout), upstream)
    if behind:
        return replace(blank, status=PlanStatus.DEFERRED, behind=behind, findings=())
    return replace(blank, findings=findings + _blame(findings, upstream))


def _terraform_plan(directory: Directory, target: Target, out: Path) -> Outcome:
    ctx = directory.ctx
    argv = command.plan(
        directory.terraform.path,
        out,
        var_files=var_files(directory, target),
        lock=ctx.run.can_apply,
        lock_timeout=target.lock_timeout,
        parallelism=target.parallelism,
    )
    return retrying(lambda: directory.run(argv, "plan"), "plan", ctx.run.retry)


def _read(directory: Directory, target: Target, blank: PlanResult, plan_path: Path, json_path: Path) -> PlanResult:
    """Keep the plan's JSON form, and say what is in it."""
    shown = directory.run(
        command.show(directory.terraform.path, plan_path, var_files=early_var_files(directory)), "show", plan=plan_path
    )
    seconds = blank.seconds + shown.seconds
    if not shown.ok:
        broken = directory.broken(shown, "show", f"{directory.terraform.name} show")
        return replace(blank, findings=(*blank.findings, broken), seconds=seconds)
    plan = read_plan(write_private(json_path, shown.stdout))
    inputs = inputs_of(directory, target, plan)
    directory.ctx.workspace.put(_key("inputs", target), inputs)
    state = state_behind(directory, plan_path)
    return replace(
        blank,
        status=PlanStatus.PLANNED,
        plan_path=str(plan_path),
        plan_sha256=sha256_of_plan(plan_path),
        json_path=str(json_path),
        inputs_sha256=manifest_digest(inputs),
        state_exists=state.exists,
        state_lineage=state.lineage,
        state_serial=state.serial,
        changes=changes(plan),
        seconds=seconds,
    )


def _missing_var_files(directory: Directory, target: Target) -> tuple[Finding, ...]:
    return tuple(
        Finding("missing-variable-file", Severity.ERROR, _why_missing(directory, name), file=name)
        for name in target.var_files
        if not (directory.copy / name).is_file()
    )


def _why_missing(directory: Directory, name: str) -> str:
    if (Path(directory.ctx.run.repository.path) / name).is_file():
        return (
            "The var file is not in the run's private copy, because git ignores it.\n"
            f'-> Name it in `copy_in` of the root: copy_in = ["{name}"].'
        )
    return (
        "The var file is not there.\n-> Create it, or mark it with a trailing `?` in `var_files` if it may be absent."
    )


def _blame(findings: tuple[Finding, ...], upstream: tuple[PlanResult, ...]) -> tuple[Finding, ...]:
    """Say so where a state is missing because of a root that could not be planned either."""
    failed = [result.root for result in upstream if result.status is PlanStatus.FAILED]
    if not failed or not any(finding.rule == "no-state" for finding in findings):
        return ()
    text = f"It reads the state of {', '.join(failed)}, which could not be planned.\n-> Mend that first."
    return (Finding("upstream-failed", Severity.ERROR, text),)
