"""The key that evidence is signed with, tried first: found out at the end, it would cost the proof of an apply."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pytest_tfpipeline.errors import ProofError, ToolError, UsageError
from pytest_tfpipeline.given import is_file
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.proof.ssh import try_key
from pytest_tfpipeline.redact import names_file
from pytest_tfpipeline.reports.write import SIGNING_KEY

_MEND = "name a private key file, or the .pub file of a key that the agent holds; or unset it, and nothing is signed"


def require_signing_key(runner: Runner, environ: Mapping[str, str]) -> None:
    """Raise UsageError where TFPIPELINE_SIGNING_KEY is set and nothing can be signed with what it names."""
    value = environ.get(SIGNING_KEY)
    if not value:
        return
    path = _file(value)
    shown = value if names_file(value) else "what it holds (a key itself, and no path?)"
    if path is None:
        raise UsageError(f"{shown} is not there, or not a file", where=SIGNING_KEY, mend=_MEND)
    try:
        try_key(runner, path)
    except (ProofError, ToolError) as error:
        raise UsageError(f"{shown}: {error.what}", where=SIGNING_KEY, mend=error.mend) from error


def _file(value: str) -> Path | None:
    try:
        path = Path(value).expanduser()
    except RuntimeError:  # the home of nobody
        return None
    return path if is_file(path) else None
