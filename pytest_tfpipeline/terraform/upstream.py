"""What a target has to wait for: roots whose state it reads and that have none yet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from pytest_tfpipeline.model import PlanResult, PlanStatus
from pytest_tfpipeline.terraform.diagnostics import Diagnostic

#: Terraform's two ways of saying that an output is not in the state.
_MISSING = {"Unsupported attribute", "Invalid index"}
_OUTPUTS = re.compile(r'data\.terraform_remote_state\.[\w-]+(?:\[[^\]]*\])?\.outputs(?:\.([\w-]+)|\["([^"]+)"\])')

#: The same, through a local value that stands for all outputs of a state.
_THROUGH_LOCAL = re.compile(r'\blocal\.[\w-]+(?:\.([\w-]+)|\["([^"]+)"\])')


def waits_behind(upstream: Iterable[PlanResult]) -> tuple[str, ...]:
    """The roots that must be applied first: those deferred themselves, and those planned on no state at all.

    One whose plan failed is not among them: its state may well be there.
    """
    return tuple(
        result.root
        for result in upstream
        if result.status is PlanStatus.DEFERRED
        or (result.status is PlanStatus.PLANNED and not result.state_exists and result.changes.any)
    )


def waits_for_outputs(diagnostics: Sequence[Diagnostic], upstream: Iterable[PlanResult]) -> tuple[str, ...]:
    """The roots that are about to create the outputs for whose lack a plan failed; () if it failed of anything else."""
    errors = [diagnostic for diagnostic in diagnostics if diagnostic.get("severity") == "error"]
    names = [_missing_output(diagnostic) for diagnostic in errors]
    creators: Mapping[str, str] = {
        name: result.root
        for result in upstream
        if result.status is PlanStatus.PLANNED
        for name in result.changes.outputs
    }
    found = [creators.get(name) if name else None for name in names]
    if not found or None in found:
        return ()
    return tuple(sorted({root for root in found if root}))


def _missing_output(diagnostic: Diagnostic) -> str | None:
    """The name that a diagnostic says is missing: an output, read directly or through a local value that holds all of
    them. The snippet's marker ends where the name does."""
    snippet = diagnostic.get("snippet")
    if not snippet or diagnostic.get("summary") not in _MISSING:
        return None
    marked = str(snippet["code"]).encode()[: int(snippet["highlight_end_offset"]) + 1].decode("utf-8", "replace")
    found = list(_OUTPUTS.finditer(marked)) or list(_THROUGH_LOCAL.finditer(marked))
    return (found[-1][1] or found[-1][2]) if found else None
