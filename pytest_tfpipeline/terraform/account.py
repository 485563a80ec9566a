"""Which AWS account the credentials belong to: asked by terraform itself, so through the same chain as the roots."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from pytest_tfpipeline.context import Context, Phase
from pytest_tfpipeline.errors import PipelineError
from pytest_tfpipeline.model import Target
from pytest_tfpipeline.process import Outcome
from pytest_tfpipeline.terraform import command
from pytest_tfpipeline.terraform.call import Directory, succeeded
from pytest_tfpipeline.terraform.diagnostics import errors
from pytest_tfpipeline.terraform.init import speaks_json
from pytest_tfpipeline.workspace import make_private, write_private

_LOCK = ".terraform.lock.hcl"
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
#: Where neither the environment nor the backend names one; an account has the same number in all of them.
_ANY_REGION = "us-east-1"


def aws_account(ctx: Context, target: Target, phase: Phase) -> str:
    """The account of the credentials that the target's processes see in that phase. No state and no lock is touched.

    Raises PipelineError where it cannot be found out.
    """
    folder = make_private(ctx.workspace.path / "identity" / target.environment)
    directory = Directory(ctx, "", target, folder)
    write_private(folder / "main.tf.json", json.dumps(_configuration(ctx, target, phase)))
    terraform = directory.terraform
    if not (folder / ".terraform").exists():
        _follow_lock(ctx, target, folder)
        init = command.init(terraform.path, backend=False, json=speaks_json(terraform))
        _done(directory, directory.run(init, "init", rights=Phase.PREPARE), "init")
    saved = folder / f"{phase}.tfplan"
    saved.unlink(missing_ok=True)
    _done(directory, directory.run(command.plan(terraform.path, saved, lock=False), "plan", rights=phase), "plan")
    shown = _done(directory, directory.run(command.show(terraform.path, saved), "show", rights=phase), "show")
    return str(json.loads(shown)["planned_values"]["outputs"]["account"]["value"])


def _configuration(ctx: Context, target: Target, phase: Phase) -> dict[str, Any]:
    seen = {**ctx.runner.environ, **ctx.environment(target, phase)}
    provider: dict[str, Any] = {"max_retries": 2}
    if not any(seen.get(name) for name in _REGIONS):
        root = ctx.root(target.root)
        provider["region"] = (root.backend_config.get("region") if root else None) or _ANY_REGION
    return {
        "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws"}}},
        "provider": {"aws": provider},
        "data": {"aws_caller_identity": {"whose": {}}},
        "output": {"account": {"value": "${data.aws_caller_identity.whose.account_id}"}},
    }


def _follow_lock(ctx: Context, target: Target, folder: Path) -> None:
    """Use the provider that the root has locked, if any."""
    lock = Path(ctx.run.repository.path) / target.root / _LOCK
    if lock.is_file() and '/hashicorp/aws"' in lock.read_text("utf-8", "replace"):
        shutil.copyfile(lock, folder / _LOCK)


def _done(directory: Directory, outcome: Outcome, phase: str) -> str:
    """What it printed, if it went well."""
    if succeeded(phase, outcome):
        return outcome.stdout
    if phase == "init":
        shutil.rmtree(directory.cwd / ".terraform", ignore_errors=True)
    found = errors(directory.judge(outcome, phase))
    raise PipelineError(" ".join(found[0].text.split()))
