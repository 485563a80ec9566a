"""Apply a saved plan: exactly the one that was recorded, on exactly the files that it was made of, once."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_tfpipeline.context import Context, Phase
from pytest_tfpipeline.errors import PipelineError, PlanReadError
from pytest_tfpipeline.model import Finding, PlanResult, Severity, Target
from pytest_tfpipeline.process import Outcome
from pytest_tfpipeline.redact import Redactor, secrets_of_outputs
from pytest_tfpipeline.terraform import command
from pytest_tfpipeline.terraform.call import Directory, succeeded
from pytest_tfpipeline.terraform.diagnostics import failure, parse_line
from pytest_tfpipeline.terraform.init import directory_of
from pytest_tfpipeline.terraform.inputs import inputs_of
from pytest_tfpipeline.terraform.plan import Plan, read_plan
from pytest_tfpipeline.terraform.planfile import sha256_of_plan
from pytest_tfpipeline.terraform.planning import note_applied, planned_inputs
from pytest_tfpipeline.terraform.variables import early_var_files
from pytest_tfpipeline.workspace import changed_files, make_private, root_file_name
from pytest_tfpipeline.workspace.digest import manifest_digest

_SHOWN_FILES = 10
#: terraform's message types that say how far a resource is (its documentation of machine-readable output).
_PROGRESS = {"apply_start", "apply_progress", "apply_complete", "apply_errored"}


@dataclass(frozen=True, slots=True)
class ApplyEvent:
    """One step of one resource. `kind` is start, progress, complete or errored; `seconds` since its start."""

    root: str
    environment: str
    kind: str
    address: str
    action: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """What came of it. `errored_state` is the path of a state that terraform could not write, kept for the user."""

    ok: bool
    findings: tuple[Finding, ...] = ()
    seconds: float = 0.0
    errored_state: str | None = None


def apply_plan(
    ctx: Context, target: Target, plan: PlanResult, on_event: Callable[[ApplyEvent], None] | None = None
) -> ApplyResult:
    """Apply the target's saved plan, then run its `after_apply` commands. Never retried.

    Refused, with nothing done, where the plan's file is not the recorded one or a file that it could read has changed.
    """
    refused = _refuse(ctx, target, plan)
    if refused:
        return ApplyResult(False, refused)
    directory = directory_of(ctx, target.root, target.environment)
    argv = command.apply(
        directory.terraform.path,
        Path(str(plan.plan_path)),
        lock_timeout=target.lock_timeout,
        parallelism=target.parallelism,
        var_files=early_var_files(directory),
    )
    try:
        outcome = directory.run(argv, "apply", rights=Phase.APPLY, on_line=lambda line: _tell(line, target, on_event))
    finally:
        # Also after an interrupt: it may hold all that is known of what was made.
        kept = _keep_errored_state(directory, target)
    return _judge(directory, target, outcome, kept)


def outputs(ctx: Context, target: Target) -> dict[str, Any]:
    """{name: value} of the target's outputs as its state has them; raises PipelineError where they cannot be read."""
    return {name: item["value"] for name, item in read_outputs(ctx, target).items()}


def read_outputs(ctx: Context, target: Target) -> dict[str, dict[str, Any]]:
    """What `terraform output -json` prints, by name: `value`, `type` and `sensitive`; raises PipelineError.

    With the rights of a plan: whoever may plan may read the state.
    """
    text = _outputs_text(ctx, target, Phase.PLAN)
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(item, dict) and "value" in item for item in found.values()):
        raise PipelineError(
            "terraform printed something else than its outputs",
            where=f"{target.root}[{target.environment}]",
            mend="run `terraform output -json` there; it must be terraform itself, and no wrapper around it",
        )
    return found


def run_after_apply(ctx: Context, target: Target) -> tuple[Finding, ...]:
    """Run the commands that follow an apply, in the top of the private copy, until one fails.

    Each gets the outputs on its stdin, as `terraform output -json` prints them.
    """
    if not target.after_apply:
        return ()
    directory = directory_of(ctx, target.root, target.environment)
    try:
        told = _outputs_text(ctx, target, Phase.APPLY).encode()
    except PipelineError as error:
        return (failure("after-apply", str(error)),)
    for argv in target.after_apply:
        outcome = directory.run(argv, "after_apply", cwd=directory.copy, rights=Phase.APPLY, stdin=told)
        if not outcome.ok:
            finding = directory.broken(outcome, "after_apply", f"after_apply command {shlex.join(argv)}")
            return (replace(finding, text=Redactor(secrets_of_outputs(json.loads(told))).text(finding.text)),)
    return ()


def changed_inputs(ctx: Context, target: Target, result: PlanResult, plan: Plan) -> tuple[str, ...]:
    """Files that the saved plan could read and that are not any more what they were when it was made."""
    inputs = inputs_of(directory_of(ctx, target.root, target.environment), target, plan)
    if manifest_digest(inputs) == result.inputs_sha256:
        return ()
    return tuple(changed_files(planned_inputs(ctx, target), inputs)) or ("what was recorded of them",)


def _refuse(ctx: Context, target: Target, plan: PlanResult) -> tuple[Finding, ...]:
    try:
        found = sha256_of_plan(str(plan.plan_path))
    except PlanReadError as error:
        return (failure("plan-changed", f"The saved plan {error.what}.\n-> Run again: nothing was applied."),)
    if found != plan.plan_sha256:
        text = "The saved plan is not the one that was recorded and checked.\n-> Run again: nothing was applied."
        return (failure("plan-changed", text),)
    names = changed_inputs(ctx, target, plan, read_plan(str(plan.json_path)))
    if not names:
        return ()
    shown = "".join(f"\n  {name}" for name in names[:_SHOWN_FILES])
    more = f"\n  and {len(names) - _SHOWN_FILES} more" if len(names) > _SHOWN_FILES else ""
    text = f"Files that the plan could read have changed since it was made:{shown}{more}"
    return (failure("inputs-changed", f"{text}\n-> Run again: nothing was applied."),)


def _judge(directory: Directory, target: Target, outcome: Outcome, kept: Path | None) -> ApplyResult:
    findings = directory.judge(outcome, "apply")
    ok = succeeded("apply", outcome)
    if kept is not None:
        findings = (*findings, _push(directory, kept))
    if ok:
        note_applied(directory.ctx, target)
        after = run_after_apply(directory.ctx, target)
        findings, ok = (*findings, *after), not after
    return ApplyResult(ok, findings, outcome.seconds, str(kept) if kept else None)


def _keep_errored_state(directory: Directory, target: Target) -> Path | None:
    """Copy what terraform could not write to the backend to where no clean-up touches it."""
    errored = directory.cwd / "errored.tfstate"
    if not errored.is_file():
        return None
    run = directory.ctx.run
    folder = make_private(Path(run.output_path) / "errored" / run.id / target.environment)
    kept = folder / f"{root_file_name(target.root)}.tfstate"
    shutil.copyfile(errored, kept)
    kept.chmod(0o600)
    return kept


def _push(directory: Directory, kept: Path) -> Finding:
    push = shlex.join(command.push_state(directory.terraform.name, kept))
    text = (
        "terraform could not write the state; what it knew is kept.\n"
        "-> Once the backend can be reached again, in a checkout initialised for this environment:\n"
        f"     cd {shlex.quote(directory.dir)} && {push}"
    )
    return Finding("errored-state", Severity.ERROR, text, file=str(kept))


def _tell(line: str, target: Target, on_event: Callable[[ApplyEvent], None] | None) -> None:
    message = parse_line(line) if on_event is not None else None
    if message is None or on_event is None or message.get("type") not in _PROGRESS:
        return
    hook = message.get("hook") or {}
    event = ApplyEvent(
        target.root,
        target.environment,
        str(message["type"]).removeprefix("apply_"),
        str(hook.get("resource", {}).get("addr", "")),
        str(hook.get("action", "")),
        float(hook.get("elapsed_seconds") or 0.0),
    )
    # Whatever a display does wrong: an error here would close terraform's stdout in the middle of an apply.
    with suppress(Exception):
        on_event(event)


def _outputs_text(ctx: Context, target: Target, rights: Phase) -> str:
    directory = directory_of(ctx, target.root, target.environment)
    outcome = directory.run(
        command.output(directory.terraform.path, var_files=early_var_files(directory)), "show", rights=rights
    )
    if not outcome.ok:
        raise PipelineError(
            f"the outputs cannot be read: {outcome.stderr.strip() or outcome.error or outcome.code}",
            where=f"{target.root}[{target.environment}]",
            mend="run `terraform output -json` there",
        )
    return outcome.stdout
