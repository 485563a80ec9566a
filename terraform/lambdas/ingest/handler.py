"""Check what has arrived in the raw zone and write it to the refined zone, by source and day.

An object of raw is `SOURCE/NAME.jsonl`: JSON lines, each with at least a text `id` and an ISO 8601 `occurred_at`.
Its good lines become `SOURCE/day=YYYY-MM-DD/NAME.jsonl` in refined, times in UTC; its bad ones
`_rejected/SOURCE/NAME.jsonl`, with the reason. The same object gives the same keys again, so a message that is
delivered twice does no harm.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from datetime import UTC
from pathlib import PurePosixPath
from typing import Any, Protocol
from urllib.parse import unquote_plus

import iso8601


class Store(Protocol):
    """Where objects are read from and written to."""

    def read(self, bucket: str, key: str) -> str: ...

    def write(self, bucket: str, key: str, text: str) -> None: ...


class Rejected(ValueError):
    """A line that cannot go to refined; its text is the reason."""


def refine(line: str) -> dict[str, Any]:
    """The record of one line, with `occurred_at` in UTC; raises `Rejected`."""
    try:
        record = json.loads(line)
    except ValueError:
        raise Rejected("not JSON") from None
    if not isinstance(record, dict):
        raise Rejected("not an object")
    if not isinstance(record.get("id"), str) or not record["id"]:
        raise Rejected("no id")
    try:
        occurred = iso8601.parse_date(record.get("occurred_at"))
    except iso8601.ParseError:
        raise Rejected("occurred_at is not an ISO 8601 time") from None
    return {**record, "occurred_at": occurred.astimezone(UTC).isoformat()}


def split(text: str) -> tuple[dict[str, list[dict[str, Any]]], list[dict[str, str]]]:
    """An object's text as good records by day (`YYYY-MM-DD`, UTC), and as rejected lines with their reason."""
    days: dict[str, list[dict[str, Any]]] = defaultdict(list)
    rejected = []
    for line in filter(str.strip, text.splitlines()):
        try:
            record = refine(line)
        except Rejected as reason:
            rejected.append({"reason": str(reason), "line": line})
        else:
            days[record["occurred_at"][:10]].append(record)
    return dict(days), rejected


def ingest(store: Store, refined: str, bucket: str, key: str) -> list[str]:
    """Take one object of raw to `refined`; the keys that were written, in order."""
    path = PurePosixPath(key)
    days, rejected = split(store.read(bucket, key))
    outputs: dict[str, list[Any]] = {f"{path.parent}/day={day}/{path.name}": days[day] for day in sorted(days)}
    if rejected:
        outputs[f"_rejected/{path}"] = rejected
    for name, lines in outputs.items():
        store.write(refined, name, "".join(json.dumps(line, sort_keys=True) + "\n" for line in lines))
    return list(outputs)


def ingest_batch(store: Store, refined: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
    """Handle a batch of queue messages; the failed ones are named, so that only they come again."""
    failed = []
    for message in messages:
        try:
            # S3 also sends a test message without records when the notification is set up.
            for record in json.loads(message["body"]).get("Records", []):
                s3 = record["s3"]
                ingest(store, refined, s3["bucket"]["name"], unquote_plus(s3["object"]["key"]))
        except Exception as error:  # one bad object must not hold up the rest of the batch
            print(json.dumps({"message": message["messageId"], "error": repr(error)}))
            failed.append({"itemIdentifier": message["messageId"]})
    return {"batchItemFailures": failed}


class S3:
    """The store that is S3."""

    def __init__(self) -> None:
        import boto3

        self._client = boto3.client("s3")

    def read(self, bucket: str, key: str) -> str:
        return self._client.get_object(Bucket=bucket, Key=key)["Body"].read().decode("utf-8")

    def write(self, bucket: str, key: str, text: str) -> None:
        self._client.put_object(Bucket=bucket, Key=key, Body=text.encode("utf-8"))


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """What Lambda calls."""
    return ingest_batch(S3(), os.environ["REFINED_BUCKET"], event["Records"])
