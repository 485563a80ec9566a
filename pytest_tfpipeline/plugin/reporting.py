"""What travels with a test's report from a worker to the controller: the record of the check it was."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from typing import Any

import pytest

from pytest_tfpipeline import codec
from pytest_tfpipeline.errors import PipelineError, UnknownValue
from pytest_tfpipeline.model import CheckKind, Finding, Outcome, Record, Severity
from pytest_tfpipeline.plugin.cases import CaseItem
from pytest_tfpipeline.plugin.collection import subject_of
from pytest_tfpipeline.plugin.fixtures import Deferred
from pytest_tfpipeline.plugin.items import RECORD, CheckItem
from pytest_tfpipeline.plugin.secrecy import redactor
from pytest_tfpipeline.plugin.state import state_of
from pytest_tfpipeline.redact import clean

#: The attribute of a TestReport that holds the record, as JSON: plain data crosses pytest-xdist, objects do not.
ATTRIBUTE = "tfpipeline_record"
#: The attribute of a report that passed among lines that say so: a letter of its own would stand there alone.
QUIET = "tfpipeline_quiet"

_OUTCOMES = {"passed": Outcome.PASSED, "failed": Outcome.FAILED, "skipped": Outcome.SKIPPED}


class Reporting:
    """Registered wherever items run."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach the record. A report that is not the call's own is attached only if it did not pass."""
        report = yield
        error = call.excinfo.value if call.excinfo else None
        outcome = _outcome(report, error)
        if outcome is Outcome.UNKNOWN:
            outcome = _settle_unknown(item, report, error)
        if isinstance(error, PipelineError) and report.failed:
            report.longrepr = clean(str(error))  # its message is all that there is to say
        if isinstance(item, CaseItem) and report.when == "call" and RECORD in item.stash:
            report.duration = item.stash[RECORD].seconds  # its own time, not that of the process it shares
        _redact(item, report)
        if report.when == "call" or outcome is not Outcome.PASSED:
            setattr(report, ATTRIBUTE, codec.dumps(_record(item, report, outcome)))
        return report


def _redact(item: pytest.Item, report: pytest.TestReport) -> None:
    """A failing test prints the values it compared, and those may be secret; so may a reason to skip, what it captured
    and its properties, which some reports show of tests that passed too."""
    if not (report.longrepr or report.sections or report.user_properties):
        return
    subject = subject_of(item)
    masks = redactor(state_of(item.config), subject.dir if subject else None, subject.environment if subject else None)
    text = report.longreprtext
    if isinstance(report.longrepr, tuple):
        file, line, reason = report.longrepr
        report.longrepr = (file, line, masks.text(reason))
    elif masks.text(text) != text:
        report.longrepr = masks.text(text)
    report.sections = [(name, masks.text(content)) for name, content in report.sections]
    report.user_properties = [(name, masks.value(value)) for name, value in report.user_properties]
    if hasattr(report, "wasxfail"):
        report.wasxfail = masks.text(str(report.wasxfail))


def record_of(report: pytest.TestReport) -> Record | None:
    """The record that came with a report; None for a set-up or teardown that passed."""
    text = getattr(report, ATTRIBUTE, None)
    return codec.loads(Record, text) if isinstance(text, str) else None


def status_of(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """How the terminal shows a report of ours that pytest has no word for."""
    if getattr(report, QUIET, False) and report.passed:
        return "passed" if report.when == "call" else "", "", "PASSED" if report.when == "call" else ""
    text = getattr(report, ATTRIBUTE, None)
    outcome = json.loads(text)["outcome"] if isinstance(text, str) else None
    if outcome == Outcome.UNKNOWN:
        return "unknown", "u", "UNKNOWN"
    if outcome == Outcome.DEFERRED:
        return "deferred", "d", "DEFERRED"
    return None


def _outcome(report: pytest.TestReport, error: BaseException | None) -> Outcome:
    if isinstance(error, UnknownValue):
        return Outcome.UNKNOWN
    if isinstance(error, Deferred):
        return Outcome.DEFERRED
    if hasattr(report, "wasxfail"):
        return Outcome.SKIPPED
    if report.failed and report.when != "call":
        return Outcome.ERROR
    return _OUTCOMES[report.outcome]


def _settle_unknown(item: pytest.Item, report: pytest.TestReport, error: BaseException | None) -> Outcome:
    """`tf_policy(unknown=...)`: "fail" fails, "pass" passes, "report" (the default) says so and lets it through."""
    marker = item.get_closest_marker("tf_policy")
    otherwise = state_of(item.config).run.settings["unknown"]
    wish = marker.kwargs.get("unknown", otherwise) if marker else otherwise
    if wish == "fail":
        return Outcome.FAILED
    report.outcome = "passed" if wish == "pass" else "skipped"
    report.longrepr = None if wish == "pass" else (str(item.path), (item.location[1] or 0) + 1, f"Skipped: {error}")
    return Outcome.PASSED if wish == "pass" else Outcome.UNKNOWN


def _record(item: pytest.Item, report: pytest.TestReport, outcome: Outcome) -> Record:
    state = state_of(item.config)
    check = state.key(item.config, item.nodeid)
    if isinstance(item, CheckItem):
        found = item.stash.get(RECORD, None)
        if found is not None and (report.when == "call" or found.outcome is not Outcome.PASSED):
            return found
        summary = _short(report)
        return Record(item.check.id, item.check.kind, outcome, item.check.dir, item.check.environment, summary=summary)
    subject = subject_of(item)
    kind = CheckKind.TEST if subject is None else CheckKind.POLICY_TEST
    return Record(
        check,
        kind,
        outcome,
        subject.dir if subject else None,
        subject.environment if subject else None,
        seconds=report.duration,
        findings=tuple(_findings(item, report, outcome)),
        summary="" if outcome is Outcome.PASSED else _short(report),
    )


def _findings(item: pytest.Item, report: pytest.TestReport, outcome: Outcome) -> list[Finding]:
    if outcome not in (Outcome.FAILED, Outcome.ERROR, Outcome.UNKNOWN):
        return []
    marker = item.get_closest_marker("tf_policy")
    given: Mapping[str, Any] = marker.kwargs if marker else {}
    severity = Severity(given["severity"]) if given.get("severity") in list(Severity) else Severity.ERROR
    file, line, _ = item.location
    return [Finding(str(given.get("id", item.name)), severity, _short(report), None, file, (line or 0) + 1)]


def _short(report: pytest.TestReport) -> str:
    """The first line of what went wrong."""
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash is not None else report.longreprtext
    return next((line.strip() for line in text.splitlines() if line.strip()), report.outcome)
