"""Waivers: what they cover, when they count, when they stand against the run."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.gate.waivers import to_notes, to_waivers, used, wholly_judged
from pytest_tfpipeline.model import CheckKind, Finding, Outcome, Record, Repository, Run, Severity, Waiver
from pytest_tfpipeline.pipeline.exceptions import judge_waivers
from pytest_tfpipeline.policies.waivers import Place, covers, waive

TODAY = date(2030, 1, 15)
WAIVER = Waiver(
    "CKV_1", "tf/core//aws_s3_bucket.logs", "platform", "is the log", "2030-01-15", place="w.toml: waiver[0]"
)
FINDING = Finding("CKV_1", Severity.ERROR, "no logging\n-> log", "aws_s3_bucket.logs", "tf/core/main.tf", 3)
CORE: Place = ("tf/core", None)
POLICED: tuple[Place, ...] = (CORE, ("tf/core", "staging"), ("tf/core", "production"), ("tf/etl", None))


def record(place: Place, *findings: Finding, outcome: Outcome = Outcome.PASSED) -> Record:
    name = f"{place[0]}::policy[{place[1]}]"
    return Record(name, CheckKind.POLICY, outcome, place[0], place[1], findings=findings)


@pytest.mark.parametrize(
    ("address", "place", "found", "expected"),
    [
        ("tf/core//aws_s3_bucket.logs", CORE, "aws_s3_bucket.logs", True),
        ("tf/core//aws_s3_bucket.logs", ("tf/core", "staging"), "aws_s3_bucket.logs", True),
        ("tf/core//aws_s3_bucket.logs", ("tf/etl", None), "aws_s3_bucket.logs", False),
        ("tf/core//aws_s3_bucket.logs", CORE, "aws_s3_bucket.logs2", False),
        ("aws_s3_bucket.logs", ("tf/etl", None), "aws_s3_bucket.logs", True),
        ("aws_s3_bucket.*", CORE, "aws_s3_bucket.logs", True),
        ("tf/*//aws_s3_bucket.log?", CORE, "aws_s3_bucket.logs", True),
        ("tf/*//*", CORE, None, True),
        ("aws_*", CORE, None, False),
        ('aws_x.y["a"]', CORE, 'aws_x.y["a"]', True),
        ("aws_x.y[0]", CORE, "aws_x.y0", False),
        ('aws_x.y["a//b"]', CORE, 'aws_x.y["a//b"]', True),
        ("AWS_S3_BUCKET.logs", CORE, "aws_s3_bucket.logs", False),
    ],
)
def test_what_an_address_means(address: str, place: Place, found: str | None, expected: bool) -> None:
    assert covers(replace(WAIVER, address=address), place, replace(FINDING, address=found)) is expected


def test_another_rule_or_environment_is_not_covered() -> None:
    assert not covers(WAIVER, CORE, replace(FINDING, rule="CKV_10"))
    staging = replace(WAIVER, environment="staging")
    assert covers(staging, ("tf/core", "staging"), FINDING)
    assert not covers(staging, ("tf/core", "production"), FINDING)
    assert not covers(staging, CORE, FINDING)


def test_a_waived_finding_stays_to_be_seen_and_does_not_fail() -> None:
    (found,) = waive([FINDING], [WAIVER], CORE, TODAY)
    assert found.severity is Severity.NOTICE
    assert found.text == "waived until 2030-01-15 by platform (is the log): no logging\n-> log"
    assert (found.rule, found.address, found.file, found.line) == ("CKV_1", "aws_s3_bucket.logs", "tf/core/main.tf", 3)
    assert waive([FINDING], [], CORE, TODAY) == (FINDING,)


def test_the_day_after_its_last_one_it_waives_nothing_and_the_finding_says_so() -> None:
    (found,) = waive([FINDING], [WAIVER], CORE, TODAY + timedelta(days=1))
    assert found.severity is Severity.ERROR
    assert "its waiver (w.toml: waiver[0], platform) expired: the last day was 2030-01-15" in found.text
    other = replace(WAIVER, address="*", expires="2031-01-01")
    (renewed,) = waive([FINDING], [WAIVER, other], CORE, TODAY + timedelta(days=1))
    assert renewed.severity is Severity.NOTICE


def reasons(waiver: Waiver, *records: Record, today: date = TODAY) -> list[Code]:
    judged = wholly_judged([waiver], POLICED, records)
    return [reason.code for reason in to_waivers([waiver], used([waiver], records), judged, today)]


EVERYWHERE = tuple(record(place) for place in POLICED)


def test_one_that_waives_nothing_fails_only_where_its_whole_scope_was_judged() -> None:
    assert reasons(WAIVER, *EVERYWHERE) == [Code.WAIVER_UNUSED]
    assert reasons(WAIVER, *EVERYWHERE[:2]) == []
    assert reasons(WAIVER, *EVERYWHERE[:3]) == [Code.WAIVER_UNUSED]
    staging = replace(WAIVER, environment="staging")
    assert reasons(staging, record(("tf/core", "staging"))) == [Code.WAIVER_UNUSED]
    assert reasons(staging, record(CORE), record(("tf/core", "production"))) == []


@pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.SKIPPED, Outcome.DEFERRED, Outcome.MISSING])
def test_a_check_that_did_not_judge_leaves_its_waivers_alone(outcome: Outcome) -> None:
    staging = replace(WAIVER, environment="staging")
    assert reasons(staging, record(("tf/core", "staging"), outcome=outcome)) == []
    assert reasons(staging, record(("tf/core", "staging"), outcome=Outcome.FAILED)) == [Code.WAIVER_UNUSED]


def test_one_that_is_used_anywhere_is_used() -> None:
    found = (record(CORE, FINDING), *EVERYWHERE[1:])
    assert reasons(WAIVER, *found) == []
    assert reasons(WAIVER, *found, today=TODAY + timedelta(days=1)) == [Code.WAIVER_EXPIRED]
    assert reasons(WAIVER, *EVERYWHERE, today=TODAY + timedelta(days=1)) == [Code.WAIVER_EXPIRED]


@pytest.mark.parametrize(
    ("days", "said"), [(0, "expires today"), (1, "in 1 day,"), (14, "in 14 days,"), (15, ""), (-1, "has expired")]
)
def test_one_that_expires_within_a_fortnight_is_announced(days: int, said: str) -> None:
    notes = list(to_notes([replace(WAIVER, expires=(TODAY + timedelta(days=days)).isoformat())], TODAY))
    assert (said in notes[0]) if said else notes == []


def run(*waivers: Waiver, policed: tuple[Place, ...] = POLICED) -> Run:
    return Run("1", "plan", Repository("/x"), "/o", "/w", waivers=waivers, policed=policed, today=TODAY.isoformat())


def codes(found: tuple[Reason, ...]) -> list[Code]:
    return [reason.code for reason in found]


def test_a_run_that_polices_nothing_is_not_failed_by_a_waiver() -> None:
    gone = replace(WAIVER, expires="2029-01-01")
    lint = Record("tf/core/main.tf::lint", CheckKind.LINT, Outcome.PASSED, "tf/core")
    assert judge_waivers(run(gone), [lint]) == ()
    assert judge_waivers(run(gone), [record(("tf/etl", None))]) == ()
    assert codes(judge_waivers(run(gone), [record(CORE)])) == [Code.WAIVER_EXPIRED]


def test_one_for_a_directory_that_is_not_there_is_found_out() -> None:
    nowhere = replace(WAIVER, address="tf/gone//aws_s3_bucket.logs")
    assert codes(judge_waivers(run(nowhere), [record(CORE)])) == [Code.WAIVER_UNUSED]


def test_productions_waiver_does_not_close_staging() -> None:
    gone = replace(WAIVER, environment="production", expires="2029-01-01")
    assert judge_waivers(run(gone), EVERYWHERE, "staging") == ()
    assert codes(judge_waivers(run(gone), EVERYWHERE, "production")) == [Code.WAIVER_EXPIRED]
    assert codes(judge_waivers(run(gone), EVERYWHERE)) == [Code.WAIVER_EXPIRED]
