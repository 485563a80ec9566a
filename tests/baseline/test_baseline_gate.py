"""What was let through is in verdict and evidence, and counts in another job only if that lets it through too."""

from __future__ import annotations

import pytest

from pytest_tfpipeline.gate.claim import claimed_records, to_claim
from pytest_tfpipeline.gate.evidence import evidence
from pytest_tfpipeline.gate.known import let_through
from pytest_tfpipeline.gate.reasons import Code, Verdict
from pytest_tfpipeline.gate.result import BaselineResult, EnvironmentResult, RunResult, Source
from pytest_tfpipeline.gate.verdict import decide
from pytest_tfpipeline.model import (
    Check,
    CheckKind,
    EnvironmentRun,
    Finding,
    KnownFinding,
    Outcome,
    Record,
    Severity,
)
from pytest_tfpipeline.proof.document import Evidence, evidence_of
from pytest_tfpipeline.reports.text import verdict_text

STAGING = EnvironmentRun("staging")
PLAN, FMT = Check("p", CheckKind.PLAN, "core", "staging"), Check("f", CheckKind.FMT, "core")
KNOWN = Finding("R", Severity.ERROR, "text", known=True)
NEW = Finding("R", Severity.ERROR, "text")
OURS, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def record(check: Check, *findings: Finding) -> Record:
    outcome = Outcome.PASSED if all(one.known for one in findings) else Outcome.FAILED
    return Record(check.id, check.kind, outcome, check.dir, check.environment, findings=findings)


def judged(*findings: Finding) -> Verdict:
    return decide("staging", [PLAN, FMT], [record(PLAN), record(FMT, *findings)])


def claim(*findings: Finding, digest: str | None = OURS) -> Evidence:
    records = (record(PLAN), record(FMT, *findings))
    result = RunResult(
        "run",
        "plan",
        "2026-01-01T00:00:00+00:00",
        1.0,
        Source("lake", "1" * 40, None, True),
        ("pytest",),
        0,
        0,
        environments=(EnvironmentResult(STAGING, claim=judged(*findings)),),
        records=records,
        baseline=BaselineResult("known.json", digest, 2, (KnownFinding("fmt", "core", "R", ("0",), count=3),))
        if digest
        else None,
    )
    return evidence_of(evidence(result), "evidence.json")


def test_known_findings_are_counted_and_told_and_do_not_close() -> None:
    verdict = judged(KNOWN, KNOWN)
    assert verdict.open
    assert verdict.known == 2
    assert verdict.notes == ("2 known findings were let through: the baseline has them",)
    assert verdict_text(verdict) == (
        "the gate to staging is open (2 known findings were let through: the baseline has them)"
    )
    assert judged().notes == ()


def test_a_new_finding_among_known_ones_closes() -> None:
    verdict = judged(KNOWN, NEW)
    assert [reason.code for reason in verdict.reasons] == [Code.CHECK_FAILED]
    assert verdict.known == 1


def test_a_check_that_was_performed_twice_counts_once() -> None:
    assert let_through([record(FMT, KNOWN, KNOWN), record(FMT, KNOWN), record(PLAN, KNOWN)]) == 3


def test_evidence_says_what_was_let_through_and_what_is_gone() -> None:
    found = claim(KNOWN, KNOWN)
    part = found.environment("staging")
    assert part is not None
    assert part.verdict is not None
    assert part.verdict.known == 2
    assert found.baseline is not None
    assert (found.baseline.file, found.baseline.digest, found.baseline.gone) == ("known.json", OURS, 3)
    assert [finding.known for check in found.checks for finding in check.findings] == [True, True]
    assert claim(digest=None).baseline is None


@pytest.mark.parametrize(
    ("theirs", "here", "counts"),
    [(OURS, OURS, True), (OURS, OTHER, False), (OURS, None, False), (None, OURS, False), (None, None, False)],
)
def test_what_the_check_job_let_through_counts_only_by_the_same_baseline(
    theirs: str | None, here: str | None, counts: bool
) -> None:
    reasons = list(to_claim(claim(KNOWN, digest=theirs), STAGING, "1" * 40, "lake", here))
    assert [reason.code for reason in reasons] == ([] if counts else [Code.ISOLATION])
    assert list(to_claim(claim(digest=theirs), STAGING, "1" * 40, "lake", here)) == []


@pytest.mark.parametrize(
    ("count", "baseline", "said"),
    [
        (1, None, "1 known finding through by its baseline, and none"),
        (1200, OTHER, "1,200 known findings through by its baseline, and another one"),
    ],
)
def test_whose_baseline_counts_is_said(count: int, baseline: str | None, said: str) -> None:
    (reason,) = to_claim(claim(*[KNOWN] * count), STAGING, "1" * 40, "lake", baseline)
    mend = "counts here: give both jobs the same operator file"
    assert (reason.code, reason.text) == (Code.ISOLATION, f"the check job let {said} {mend}")


def test_what_was_let_through_is_taken_over_whole() -> None:
    known = Finding("R", Severity.WARNING, "text", "a.b", "core/main.tf", 7, known=True)
    (found,) = [one for one in claimed_records(claim(known), "staging") if one.findings]
    assert (found.check, found.findings) == ("f", (known,))


def test_an_apply_job_says_how_many_the_check_job_let_through() -> None:
    records = claimed_records(claim(KNOWN, KNOWN), "staging")
    assert let_through(records) == 2
    assert decide("staging", [PLAN, FMT], records).known == 2
