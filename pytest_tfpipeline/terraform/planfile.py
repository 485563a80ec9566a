"""Read a saved plan itself, without terraform: a zip archive (terraform's `internal/plans/planfile`).

OpenTofu may have encrypted it as a whole; what is in it then only OpenTofu can say (`terraform/sealed.py`).
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pytest_tfpipeline.errors import PlanReadError
from pytest_tfpipeline.workspace.digest import sha256

__all__ = ["PlannedState", "is_encrypted", "planned_on", "sha256_of_plan", "state_of_plan"]

#: The state after refresh, on which the plan stands; `tfstate-prev` is the one before.
_STATE = "tfstate"


class PlannedState(NamedTuple):
    """The state that a plan was made on.

    `exists` is false for a root that was never applied, and for a state that holds neither resource nor output (as
    `terraform workspace new` leaves it): nobody can read anything from either.
    """

    exists: bool
    lineage: str
    serial: int


def state_of_plan(path: str | Path) -> PlannedState:
    """The state in the saved plan; raises PlanReadError."""
    try:
        with zipfile.ZipFile(path) as archive:
            state = json.loads(archive.read(_STATE))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise PlanReadError(f"is not a saved plan: {error}", where=str(path), mend="plan again") from error
    return planned_on(state)


def planned_on(state: Mapping[str, Any]) -> PlannedState:
    """What a plan made on that state stands on."""
    lineage = str(state.get("lineage") or "")
    filled = bool(state.get("resources") or state.get("outputs"))
    return PlannedState(bool(lineage) and filled, lineage, int(state.get("serial") or 0))


def is_encrypted(path: str | Path) -> bool:
    """Whether OpenTofu has encrypted the saved plan (its `internal/encryption`)."""
    try:
        if zipfile.is_zipfile(path):
            return False
        found = json.loads(Path(path).read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(found, dict) and "encrypted_data" in found


def sha256_of_plan(path: str | Path) -> str:
    """SHA-256 of the saved plan's bytes; raises PlanReadError."""
    try:
        return sha256(Path(path))
    except OSError as error:
        raise PlanReadError(f"cannot be read: {error.strerror}", where=str(path), mend="plan again") from error
