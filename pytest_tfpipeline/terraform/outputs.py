"""The outputs of a root that this run has applied: read once, by whichever test needs them first."""

from __future__ import annotations

from typing import Any

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.model import Target
from pytest_tfpipeline.redact import secrets_of_outputs
from pytest_tfpipeline.terraform.applying import read_outputs


def ensure_outputs(ctx: Context, target: Target) -> dict[str, dict[str, Any]]:
    """The target's outputs as `read_outputs` gives them; only to be asked for after its apply.

    They are kept beside the plans (mode 0600), so that every process of the run knows what is secret in them.
    """
    return ctx.workspace.once(_key(target), dict, lambda: read_outputs(ctx, target))


def known_output_secrets(ctx: Context, target: Target) -> set[str]:
    """The texts in sensitive outputs that a test of this run was given."""
    return secrets_of_outputs(ctx.workspace.get(_key(target), dict) or {})


def _key(target: Target) -> str:
    return f"outputs/{target.environment}/{target.root}"
