"""The state as it is now, to hold against the one that a plan was made on."""

from __future__ import annotations

import json

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.errors import PipelineError
from pytest_tfpipeline.model import Target
from pytest_tfpipeline.terraform import command
from pytest_tfpipeline.terraform.init import directory_of
from pytest_tfpipeline.terraform.variables import early_var_files


def current_state(ctx: Context, target: Target) -> tuple[str, int]:
    """Lineage and serial, as the backend has them now; ("", 0) where there is no state yet.

    Raises PipelineError where the backend does not tell.
    """
    directory = directory_of(ctx, target.root, target.environment)
    pulled = directory.run(command.pull_state(directory.terraform.path, var_files=early_var_files(directory)), "show")
    where = f"{target.root}[{target.environment}]"
    if not pulled.ok:
        said = pulled.stderr.strip() or pulled.error or f"exit code {pulled.code}"
        raise PipelineError(f"the state cannot be read: {said}", where=where, mend="run `terraform state pull` there")
    if not pulled.stdout.strip():
        return "", 0
    try:
        state = json.loads(pulled.stdout)
        return str(state.get("lineage") or ""), int(state.get("serial") or 0)
    except (ValueError, TypeError, AttributeError) as error:
        raise PipelineError(f"the state cannot be read: {error}", where=where, mend="look at the backend") from error
