"""Refuse a run that cannot be done, and write that down: a reader of `evidence.json` must not take an earlier run's
evidence for this one's."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_tfpipeline.config.load import load_config
from pytest_tfpipeline.errors import PipelineError
from pytest_tfpipeline.gate.result import RunResult
from pytest_tfpipeline.pipeline.build import DEFAULT_OUTPUT
from pytest_tfpipeline.pipeline.source import read_source
from pytest_tfpipeline.plugin.wishes import asked_for, file_option
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.redact import clean
from pytest_tfpipeline.reports.write import write_reports
from pytest_tfpipeline.workspace import prepare_output


@contextmanager
def refusing(config: pytest.Config, top: Path) -> Iterator[None]:
    """Turn what makes the run impossible into pytest.UsageError (exit code 4), with evidence of it where a
    configuration can be read (spec, "Interfaces") and the output directory is this user's."""
    try:
        yield
    except (PipelineError, pytest.UsageError) as error:
        why = clean(str(error))
        write_unstarted(config, top, why, pytest.ExitCode.USAGE_ERROR)
        raise pytest.UsageError(why) from None


def write_unstarted(config: pytest.Config, top: Path, why: str, code: pytest.ExitCode) -> None:
    """Evidence of a run in which nothing was checked, where it can be written.

    git is asked through a runner of its own: after an interrupt, the run's starts nothing any more.
    """
    with suppress(PipelineError, OSError, pytest.UsageError):
        load_config(top, file_option(config, "--tf-config", config.option.tf_config))
        output = prepare_output(file_option(config, "--tf-output", config.option.tf_output) or top / DEFAULT_OUTPUT)
        write_reports(_unstarted(config, top, why, code), output, ())


def _unstarted(config: pytest.Config, top: Path, why: str, code: pytest.ExitCode) -> RunResult:
    return RunResult(
        id=f"{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(3)}",
        mode=asked_for(config),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        source=read_source(Runner(), top),
        command=("pytest", *map(str, config.invocation_params.args)),
        workers=0,
        exit_code=int(code),
        notes=(why,),
    )
