"""Which texts may stand in no output of a run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.model import Target
from pytest_tfpipeline.redact import secrets_of_environ, secrets_of_plan
from pytest_tfpipeline.terraform.outputs import known_output_secrets
from pytest_tfpipeline.terraform.saved import kept_plan


def secrets_of(ctx: Context, targets: Iterable[Target], environ: Mapping[str, str]) -> set[str]:
    """Values of secret variables of the environment, and all that terraform marks as sensitive in these plans and in
    the outputs that tests were given."""
    found = secrets_of_environ(environ)
    for target in targets:
        found |= known_output_secrets(ctx, target)
        kept = kept_plan(ctx, target)
        if kept is not None and kept.json_path is not None:
            with suppress(OSError, ValueError):  # gone or broken: it closes the gate, and the evidence must say so
                found |= secrets_of_plan(json.loads(Path(kept.json_path).read_bytes()))
    return found
