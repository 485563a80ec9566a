"""What a plan that OpenTofu has encrypted stands on: read through OpenTofu, from where the plan had it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pytest_tfpipeline.errors import PlanReadError
from pytest_tfpipeline.terraform import command
from pytest_tfpipeline.terraform.call import Directory
from pytest_tfpipeline.terraform.planfile import PlannedState, is_encrypted, planned_on, state_of_plan
from pytest_tfpipeline.terraform.variables import early_var_files
from pytest_tfpipeline.tools.lockfile import LOCK_FILE


def state_behind(directory: Directory, plan_path: Path) -> PlannedState:
    """The state that the saved plan was made on; raises PlanReadError."""
    return planned_on(pulled_state(directory)) if is_encrypted(plan_path) else state_of_plan(plan_path)


def pulled_state(directory: Directory) -> dict[str, Any]:
    """The state as the backend has it, decrypted; {} where there is none. Raises PlanReadError.

    OpenTofu itself refuses to apply a plan that was made on another one.
    """
    argv = command.pull_state(directory.terraform.path, var_files=early_var_files(directory))
    pulled = directory.run(argv, "show")
    try:
        if not pulled.ok:
            raise ValueError(pulled.stderr.strip() or pulled.error or f"exit code {pulled.code}")
        state = json.loads(pulled.stdout) if pulled.stdout.strip() else {}
        if not isinstance(state, dict):
            raise ValueError("it is no object")
    except ValueError as error:
        what = f"the state that this encrypted plan was made on cannot be read: {error}"
        raise PlanReadError(what, where=directory.dir, mend="run `tofu state pull` there") from None
    return state


def lock_of(directory: Directory) -> str:
    """The dependency lock that init left, which the plan was made with; "" where there is none."""
    try:
        return (directory.cwd / LOCK_FILE).read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        where = f"{directory.dir}/{LOCK_FILE}"
        raise PlanReadError(f"cannot be read: {error}", where=where, mend="run again") from None
