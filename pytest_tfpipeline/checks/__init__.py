"""Perform one expected check. One file per kind; each has `check(ctx, check) -> Record`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.errors import PipelineError
from pytest_tfpipeline.model import Check, CheckKind, Outcome, Record
from pytest_tfpipeline.redact import clean

#: The module of each kind; tests of pytest itself (policy_test, test) are not performed here.
_MODULES = {
    CheckKind.FMT: "fmt",
    CheckKind.LINT: "lint",
    CheckKind.VALIDATE: "validate",
    CheckKind.POLICY: "policy",
    CheckKind.PLAN: "plan",
    CheckKind.UNIT: "unit",
    CheckKind.TFTEST: "tftest",
}


def perform(ctx: Context, check: Check) -> Record:
    """The check's record, with its time. Where the pipeline itself could not go on, the outcome is `error`."""
    started = time.monotonic()
    try:
        record = _performer(check.kind)(ctx, check)
    except PipelineError as error:
        text = clean(str(error))
        record = Record(check.id, check.kind, Outcome.ERROR, check.dir, check.environment, text=text)
    return replace(record, seconds=time.monotonic() - started)


def _performer(kind: CheckKind) -> Callable[[Context, Check], Record]:
    module = import_module(f"pytest_tfpipeline.checks.{_MODULES[kind]}")
    performer: Callable[[Context, Check], Record] = module.check
    return performer
