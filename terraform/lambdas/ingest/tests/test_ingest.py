import json
from importlib.metadata import version

import pytest
from handler import Rejected, ingest, ingest_batch, refine, split


class Memory:
    def __init__(self, **objects):
        self.objects = {key.replace("__", "/"): text for key, text in objects.items()}

    def read(self, bucket, key):
        return self.objects[f"{bucket}/{key}"]

    def write(self, bucket, key, text):
        self.objects[f"{bucket}/{key}"] = text


def line(**fields):
    return json.dumps({"id": "1", "occurred_at": "2026-03-01T10:00:00Z", **fields})


def message(key, name="m1"):
    return {
        "messageId": name,
        "body": json.dumps({"Records": [{"s3": {"bucket": {"name": "raw"}, "object": {"key": key}}}]}),
    }


def test_times_become_utc():
    assert refine(line(occurred_at="2026-03-01T00:30:00+02:00"))["occurred_at"] == "2026-02-28T22:30:00+00:00"


def test_other_fields_are_kept():
    assert refine(line(weight=3.5, note="é"))["note"] == "é"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON"),
        ("[1]", "not an object"),
        (line(id=""), "no id"),
        (line(id=7), "no id"),
        (line(occurred_at="yesterday"), "ISO 8601"),
        (line(occurred_at=None), "ISO 8601"),
    ],
)
def test_a_bad_line_says_why(text, reason):
    with pytest.raises(Rejected, match=reason):
        refine(text)


def test_a_record_belongs_to_its_day_in_utc():
    days, rejected = split(line(occurred_at="2026-03-01T00:30:00+02:00") + "\n\n" + line())
    assert {day: len(records) for day, records in days.items()} == {"2026-02-28": 1, "2026-03-01": 1}
    assert rejected == []


def test_an_object_becomes_one_per_day_and_one_of_rejects():
    store = Memory(raw__tides__a=f"{line()}\n{line(occurred_at='2026-03-02')}\nnonsense\n")
    assert ingest(store, "refined", "raw", "tides/a") == [
        "tides/day=2026-03-01/a",
        "tides/day=2026-03-02/a",
        "_rejected/tides/a",
    ]
    assert json.loads(store.objects["refined/_rejected/tides/a"]) == {"reason": "not JSON", "line": "nonsense"}


def test_the_same_object_twice_changes_nothing():
    store = Memory(raw__tides__a=line())
    ingest(store, "refined", "raw", "tides/a")
    before = dict(store.objects)
    ingest(store, "refined", "raw", "tides/a")
    assert store.objects == before


def test_only_the_failed_message_comes_again():
    store = Memory(raw__tides__a=line())
    answer = ingest_batch(store, "refined", [message("tides/gone", "bad"), message("tides/a", "good")])
    assert answer == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert "refined/tides/day=2026-03-01/a" in store.objects


def test_keys_of_events_are_url_encoded():
    store = Memory(**{"raw/tides/low water.jsonl": line()})
    assert ingest_batch(store, "refined", [message("tides/low+water.jsonl")]) == {"batchItemFailures": []}


def test_the_test_message_of_s3_is_no_failure():
    answer = ingest_batch(Memory(), "refined", [{"messageId": "m1", "body": '{"Event": "s3:TestEvent"}'}])
    assert answer == {"batchItemFailures": []}


def test_it_runs_with_the_version_that_it_pins():
    assert version("iso8601") == "2.1.0"
