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
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.proof.statement import remove_statement, write_statement
from pytest_tfpipeline.redact import Redactor, clean
from pytest_tfpipeline.reports.markdown import markdown
from pytest_tfpipeline.workspace import make_private, write_private

EVIDENCE = "evidence.json"
SUMMARY = "summary.md"
#: Names the private key, or the public one whose private key an agent holds.
SIGNING_KEY = "TFPIPELINE_SIGNING_KEY"


def write_reports(
    result: RunResult, output: Path, secrets: Iterable[str], environ: Mapping[str, str] = os.environ
) -> None:
    """Write `evidence.json` and `summary.md` atomically, keep earlier evidence, append to GITHUB_STEP_SUMMARY; where
    TFPIPELINE_SIGNING_KEY names a key, sign the evidence as an in-toto statement.

    `secrets` are texts that may stand in none of them. Raises ProofError, with all else written, where the key cannot
    be used.
    """
    redactor = Redactor(secrets)
    found = write_evidence(result, output, secrets)
    text = clean(redactor.text(markdown(result)))
    write_private(output / SUMMARY, text)
    step_summary = environ.get("GITHUB_STEP_SUMMARY")
    if step_summary:
        with contextlib.suppress(OSError), open(step_summary, "a", encoding="utf-8") as stream:
            stream.write(text)
    key = environ.get(SIGNING_KEY)
    write_statement(Runner(), output, found, Path(key) if key else None)


def write_evidence(result: RunResult, output: Path, secrets: Iterable[str]) -> dict[str, Any]:
    """Write `evidence.json` and its copy that is kept; gives the document. An earlier run's statement goes with it."""
    redactor = Redactor(secrets)
    found = evidence(result, lambda text: clean(redactor.text(text)))
    document = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    commit = (result.source.commit or "nocommit")[:12]
    stamp = result.id.partition("-")[0]
    write_private(make_private(output / "evidence") / f"{stamp}-{commit}-{result.id[-6:]}.json", document)
    remove_statement(output)
    write_private(output / EVIDENCE, document)
    return found


def write_stdout(text: str) -> None:
    """Print a listing: it alone, as UTF-8."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")
