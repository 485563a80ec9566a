"""Refuse a run that cannot be done, with evidence of the refusal: a reader of `evidence.json` must not take an earlier
run's for this one."""

from __future__ import annotations

import contextlib
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

import pytest

from pytest_tfpipeline.config.load import load_config
from pytest_tfpipeline.errors import PipelineError
from pytest_tfpipeline.gate.result import RunResult
from pytest_tfpipeline.pipeline.build import DEFAULT_OUTPUT, Wish
from pytest_tfpipeline.pipeline.source import read_source
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.redact import clean
from pytest_tfpipeline.reports.write import write_reports
from pytest_tfpipeline.workspace import prepare_output


def refuse(config: pytest.Config, top: Path, wish: Wish, runner: Runner, why: str) -> NoReturn:
    """Raise pytest.UsageError (exit code 4), after writing evidence if a configuration can be read (spec,
    "Interfaces") and the output directory is ours to write to."""
    with contextlib.suppress(PipelineError, OSError):
        load_config(top, wish.config_file)
        output = prepare_output(wish.output or top / DEFAULT_OUTPUT)
        write_reports(_refusal(config, top, wish, runner, why), output, ())
    raise pytest.UsageError(clean(why))


def _refusal(config: pytest.Config, top: Path, wish: Wish, runner: Runner, why: str) -> RunResult:
    """A run in which nothing was checked."""
    return RunResult(
        id=f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(3)}",
        mode=wish.mode,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        source=read_source(runner, top),
        command=("pytest", *map(str, config.invocation_params.args)),
        workers=0,
        exit_code=int(pytest.ExitCode.USAGE_ERROR),
        notes=(why,),
    )
