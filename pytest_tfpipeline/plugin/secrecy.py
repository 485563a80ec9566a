"""Which texts may stand in no output of this run."""

from __future__ import annotations

import os
from collections.abc import Iterable

from pytest_tfpipeline.model import Target
from pytest_tfpipeline.pipeline.secrets import secrets_of
from pytest_tfpipeline.plugin.state import State
from pytest_tfpipeline.redact import Redactor


def known_secrets(state: State, targets: Iterable[Target]) -> set[str]:
    """Those of the environment and of these targets, see `pipeline.secrets`."""
    return secrets_of(state.context, targets, os.environ)


def redactor(state: State, root: str | None, environment: str | None) -> Redactor:
    """Masks what a test about that root's plan in that environment may print."""
    targets = [one for one in state.run.targets if (one.root, one.environment) == (root, environment)]
    return Redactor(known_secrets(state, targets))
