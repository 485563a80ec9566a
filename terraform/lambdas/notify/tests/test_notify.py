from datetime import date, timedelta
from importlib.metadata import version

import handler
import iso8601
import pytest
from handler import make_report, reported_day

DAY = date(2026, 3, 10)


def key(source, day):
    return f"{source}/day={day}/object.jsonl"


def test_a_source_that_stopped_is_missing():
    assert make_report([key("tides", DAY - timedelta(days=1))], DAY).missing == ("tides",)


def test_a_source_that_arrived_is_not():
    assert make_report([key("tides", DAY - timedelta(days=1)), key("tides", DAY)], DAY).missing == ()


@pytest.mark.parametrize(("days_ago", "missing"), [(7, ("tides",)), (8, ())])
def test_a_source_is_missed_for_a_week(days_ago, missing):
    assert make_report([key("tides", DAY - timedelta(days=days_ago))], DAY).missing == missing


def test_rejects_are_counted_by_source_and_are_no_arrival():
    report = make_report(["_rejected/tides/a", "_rejected/tides/b", "_rejected/ships/a"], DAY)
    assert report.rejected == (("ships", 1), ("tides", 2))
    assert report.missing == ()
    assert report.subject == "Data platform, 2026-03-10: 0 missing, 3 rejected"


def test_keys_that_are_none_of_ours_are_left_alone():
    assert make_report(["README", "tides/2026/object", "tides/day=2026-03/x"], DAY).text == ""


@pytest.mark.parametrize(("time", "day"), [("2026-03-11T05:00:00Z", DAY), ("2026-01-01T05:00:00Z", date(2025, 12, 31))])
def test_the_report_is_about_the_day_before(time, day):
    assert reported_day(time) == day


def test_a_time_that_is_none_is_an_error():
    with pytest.raises(iso8601.ParseError):
        reported_day("soon")


@pytest.mark.parametrize(("keys", "sent"), [([key("tides", "2026-03-09")], 1), ([key("tides", DAY)], 0)])
def test_nothing_to_say_is_nothing_sent(monkeypatch, keys, sent):
    reports = []
    monkeypatch.setenv("REFINED_BUCKET", "refined")
    monkeypatch.setenv("TOPIC_ARN", "topic")
    monkeypatch.setattr(handler, "refined_keys", lambda bucket: keys)
    monkeypatch.setattr(handler, "publish", lambda topic, report: reports.append(report))
    assert handler.handler({"time": "2026-03-11T05:00:00Z"}, None)["day"] == "2026-03-10"
    assert len(reports) == sent


def test_it_runs_with_the_version_that_it_pins():
    assert version("iso8601") == "1.1.0"
