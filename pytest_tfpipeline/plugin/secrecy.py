"""Which texts may stand in no output of this run."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pytest_tfpipeline.model import Target
from pytest_tfpipeline.plugin.state import State
from pytest_tfpipeline.redact import Redactor, secrets_of_environ, secrets_of_plan
from pytest_tfpipeline.terraform.outputs import known_output_secrets
from pytest_tfpipeline.terraform.saved import kept_plan


def known_secrets(state: State, targets: Iterable[Target]) -> set[str]:
    """Values of secret variables of the environment, and all that terraform marks as sensitive in these plans and in
    the outputs that tests were given."""
    found = secrets_of_environ(os.environ)
    for target in targets:
        found |= known_output_secrets(state.context, target)
        kept = kept_plan(state.context, target)
        if kept is not None and kept.json_path is not None:
            with suppress(OSError, ValueError):  # gone or broken: it closes the gate, and the evidence must say so
                found |= secrets_of_plan(json.loads(Path(kept.json_path).read_bytes()))
    return found


def redactor(state: State, root: str | None, environment: str | None) -> Redactor:
    """Masks what a test about that root's plan in that environment may print."""
    targets = [one for one in state.run.targets if (one.root, one.environment) == (root, environment)]
    return Redactor(known_secrets(state, targets))
