"""The only module that writes reports."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_tfpipeline.gate.evidence import evidence
from pytest_tfpipeline.gate.result import RunResult
from pytest_tfpipeline.redact import Redactor, clean
from pytest_tfpipeline.reports.markdown import markdown
from pytest_tfpipeline.workspace import make_private, write_private

EVIDENCE = "evidence.json"
SUMMARY = "summary.md"


def write_reports(
    result: RunResult, output: Path, secrets: Iterable[str], environ: Mapping[str, str] = os.environ
) -> None:
    """Write `evidence.json` and `summary.md` atomically, keep earlier evidence, append to GITHUB_STEP_SUMMARY.

    `secrets` are texts that may stand in none of them.
    """
    redactor = Redactor(secrets)
    document = json.dumps(_sanitized(evidence(result), redactor), indent=1, ensure_ascii=False)
    commit = (result.source.commit or "nocommit")[:12]
    stamp = result.id.partition("-")[0]
    write_private(make_private(output / "evidence") / f"{stamp}-{commit}-{result.id[-6:]}.json", document + "\n")
    write_private(output / EVIDENCE, document + "\n")
    text = clean(redactor.text(markdown(result)))
    write_private(output / SUMMARY, text)
    step_summary = environ.get("GITHUB_STEP_SUMMARY")
    if step_summary:
        with contextlib.suppress(OSError), open(step_summary, "a", encoding="utf-8") as stream:
            stream.write(text)


def write_stdout(text: str) -> None:
    """Print a listing: it alone, as UTF-8."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def _sanitized(value: Any, redactor: Redactor) -> Any:
    if isinstance(value, str):
        return clean(redactor.text(value))
    if isinstance(value, dict):
        return {key: _sanitized(item, redactor) for key, item in value.items()}
    if isinstance(value, list):
        return [_sanitized(item, redactor) for item in value]
    return value
