"""`--tf-baseline`: a run of fmt, lint and policy checks that records what they find, and judges nothing."""

from __future__ import annotations

import pytest

from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.pipeline.baseline import baseline_result, record_baseline
from pytest_tfpipeline.plugin.ledger import Ledger
from pytest_tfpipeline.plugin.secrecy import known_secrets
from pytest_tfpipeline.plugin.state import State
from pytest_tfpipeline.redact import Redactor, clean
from pytest_tfpipeline.reports.baseline import baseline_notes, recorded_notes


def no_judgement() -> Reason:
    """What stands against an apply because of such a run."""
    return Reason(Code.NARROWED, "--tf-baseline was given: the run recorded findings, and has judged none")


def settle(state: State, ledger: Ledger, exitstatus: int) -> tuple[tuple[str, ...], int]:
    """At the run's end: what is to be said of the baseline, and the exit code. Where it was to be written and was not,
    or lacks what could not be judged, the run has failed. Raises WorkspaceError where it cannot be written."""
    baseline = state.run.baseline
    if baseline is None:
        return (), exitstatus
    if not baseline.recording:
        result = baseline_result(state.context, ledger.records)
        return tuple(baseline_notes(result, judged=state.run.can_apply)), exitstatus
    masks = Redactor(known_secrets(state, state.run.targets))
    recorded = record_baseline(state.context, ledger.records, ledger.objections, lambda text: clean(masks.text(text)))
    failed = int(pytest.ExitCode.TESTS_FAILED) if recorded.refused or recorded.partly else exitstatus
    return tuple(recorded_notes(recorded, baseline.file)), exitstatus or failed
