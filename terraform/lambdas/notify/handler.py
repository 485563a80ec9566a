"""Say every day which sources have sent nothing, and how much was rejected.

The refined zone is `SOURCE/day=YYYY-MM-DD/NAME` and `_rejected/SOURCE/NAME`. A source that was there in the week
before the reported day, but not on the day itself, is missing. Nothing to say is nothing said.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import iso8601

KEY = re.compile(r"(?P<source>[^/]+)/day=(?P<day>\d{4}-\d{2}-\d{2})/.+")
WEEK = 7


@dataclass(frozen=True)
class Report:
    """What is known about one day: sources that sent nothing, and objects with rejected lines by source."""

    day: date
    missing: tuple[str, ...]
    rejected: tuple[tuple[str, int], ...]

    @property
    def subject(self) -> str:
        return f"Data platform, {self.day}: {len(self.missing)} missing, {sum(n for _, n in self.rejected)} rejected"

    @property
    def text(self) -> str:
        lines = [f"{source}: nothing arrived" for source in self.missing]
        lines += [f"{source}: {count} object(s) with rejected lines" for source, count in self.rejected]
        return "\n".join(lines)


def reported_day(time: str) -> date:
    """The day before the event's time, in UTC; raises `iso8601.ParseError`."""
    return iso8601.parse_date(time).date() - timedelta(days=1)


def make_report(keys: Iterable[str], day: date) -> Report:
    """Report on `day` from the keys of the refined zone."""
    days_of: dict[str, set[date]] = {}
    rejected: Counter[str] = Counter()
    for key in keys:
        if key.startswith("_rejected/"):
            rejected[key.split("/")[1]] += 1
        elif match := KEY.fullmatch(key):
            days_of.setdefault(match["source"], set()).add(date.fromisoformat(match["day"]))
    week = {day - timedelta(days=back) for back in range(1, WEEK + 1)}
    missing = tuple(sorted(source for source, days in days_of.items() if day not in days and days & week))
    return Report(day, missing, tuple(sorted(rejected.items())))


def refined_keys(bucket: str) -> Iterable[str]:
    """Every key of the bucket."""
    import boto3

    for page in boto3.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for item in page.get("Contents", []):
            yield item["Key"]


def publish(topic: str, report: Report) -> None:
    """Send the report to the topic; its subject has at most 100 characters, as SNS asks for."""
    import boto3

    boto3.client("sns").publish(TopicArn=topic, Subject=report.subject[:100], Message=report.text)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """What Lambda calls, with EventBridge's scheduled event."""
    report = make_report(refined_keys(os.environ["REFINED_BUCKET"]), reported_day(event["time"]))
    if report.text:
        publish(os.environ["TOPIC_ARN"], report)
    return {"day": report.day.isoformat(), "missing": list(report.missing), "rejected": dict(report.rejected)}
