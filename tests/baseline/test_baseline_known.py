"""What makes two findings the same one: properties of the comparison, whatever is compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.checks.baseline import of_diff, of_message, of_resource
from pytest_tfpipeline.model import Finding, KnownFinding, Severity
from pytest_tfpipeline.policies.baseline import (
    Scope,
    difference,
    digest_of,
    entry_of,
    gone,
    in_both,
    known_among,
    merged,
    raw_digest,
    total,
)

#: A slow machine is no finding.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
CORE: Scope = ("policy", "core", None)
DIGESTS = [raw_digest(text) for text in "abc"]
#: Few values, so that what is generated is often the same.
others = st.builds(
    KnownFinding,
    st.sampled_from(["lint", "policy"]),
    st.sampled_from(["core", "etl"]),
    st.sampled_from(["R1", "R2"]),
    st.sampled_from(DIGESTS).map(lambda one: (one,)),
    st.sampled_from([None, "staging"]),
    st.sampled_from(["main.tf", None]),
    st.sampled_from(["a.b", None]),
    st.integers(1, 3),
)
files = st.builds(
    KnownFinding,
    st.just("fmt"),
    st.just("core"),
    st.just("terraform-fmt"),
    st.lists(st.sampled_from(DIGESTS), min_size=1, max_size=4).map(lambda lines: tuple(sorted(lines))),
    file=st.sampled_from(["main.tf", "more.tf"]),
)


def one_for_each_file(entries: list[KnownFinding]) -> list[KnownFinding]:
    """An unformatted file is one finding."""
    seen = {entry.file: entry for entry in entries if entry.check == "fmt"}
    return [*(entry for entry in entries if entry.check != "fmt"), *seen.values()]


baselines = st.lists(others | files, max_size=8).map(one_for_each_file).map(merged)


def spread(entries: tuple[KnownFinding, ...]) -> list[KnownFinding]:
    return [replace(entry, count=1) for entry in entries for _ in range(entry.count)]


@given(baselines, st.randoms())
@PATIENT
def test_what_was_recorded_is_known_in_any_order_and_nothing_is_left(
    entries: tuple[KnownFinding, ...], order: object
) -> None:
    found = spread(entries)
    order.shuffle(found)  # type: ignore[attr-defined]
    known, left = known_among(found, entries)
    assert all(known)
    assert left == ()
    assert merged(found) == entries


@given(baselines, others)
@PATIENT
def test_one_more_than_were_counted_is_new(entries: tuple[KnownFinding, ...], more: KnownFinding) -> None:
    found = [*spread(entries), replace(more, count=1)]
    known, left = known_among(found, entries)
    assert known == [True] * (len(found) - 1) + [False]
    assert left == ()


@given(baselines, baselines)
@PATIENT
def test_no_finding_is_known_twice_over_and_what_is_left_adds_up(
    found: tuple[KnownFinding, ...], entries: tuple[KnownFinding, ...]
) -> None:
    known, left = known_among(spread(found), entries)
    assert sum(known) + total(left) == total(entries)
    change = difference(entries, found)
    assert change.kept == sum(known)
    assert change.kept + total(change.added) == total(found)
    assert change.removed == left
    assert change.moved <= min(total(change.added), total(change.removed))


@given(baselines, baselines)
@PATIENT
def test_a_limit_never_lets_through_what_either_does_not(
    own: tuple[KnownFinding, ...], limit: tuple[KnownFinding, ...]
) -> None:
    both = in_both(own, limit)
    for allowed in (own, limit):
        known, _ = known_among(spread(both), allowed)
        assert all(known)
    assert in_both(own, own) == own
    assert in_both(own, ()) == in_both((), own) == ()


@given(baselines, st.text(max_size=5))
@PATIENT
def test_what_a_text_says_does_not_count(entries: tuple[KnownFinding, ...], text: str) -> None:
    known, left = known_among([replace(one, text=text) for one in spread(entries)], entries)
    assert all(known)
    assert left == ()


LINES = st.lists(st.sampled_from(["a=1", "b  = 2", " c = 3", "a=1 "]), min_size=1, max_size=5)


@given(LINES, LINES)
@PATIENT
def test_a_file_is_known_as_long_as_each_unformatted_line_is(before: list[str], now: list[str]) -> None:
    def entry(lines: list[str]) -> KnownFinding:
        diff = "--- old/main.tf\n+++ new/main.tf\n" + "".join(f"@@ -1 +1 @@\n-{one}\n+x\n" for one in lines)
        found = Finding("terraform-fmt", Severity.ERROR, "x", file="core/main.tf", line=3, excerpt=diff)
        return entry_of(("fmt", "core", None), found, of_diff(found))

    (known,), _ = known_among([entry(now)], [entry(before)])
    assert known == (Counter(now) <= Counter(before))


def test_a_file_with_more_unformatted_lines_is_not_gone() -> None:
    more, less, other = (
        KnownFinding("fmt", "core", "fmt", lines, file="a.tf") for lines in (("1", "2"), ("1",), ("3",))
    )
    known, left = known_among([more], [less])
    assert known == [False]
    assert gone(left, [more]) == ()
    assert gone([less], [replace(other, file="b.tf")]) == (less,)
    assert gone([replace(less, check="lint")], [replace(more, check="lint")]) == (replace(less, check="lint"),)


def finding(**changes: object) -> Finding:
    given = {
        "address": "aws_s3_bucket.a",
        "file": "core/s3.tf",
        "line": 4,
        "excerpt": '  4 | resource "aws_s3_bucket" "a" {',
    }
    return Finding("CKV_1", Severity.ERROR, "No logging\n-> log", **{**given, **changes})  # type: ignore[arg-type]


def entry(found: Finding, scope: Scope = CORE) -> KnownFinding:
    return entry_of(scope, found, of_resource(found))


@pytest.mark.parametrize(
    "changes",
    [
        {"line": 90, "excerpt": '  90 | resource "aws_s3_bucket" "a" {'},
        {"excerpt": '  4 |   resource   "aws_s3_bucket"  "a"   {'},
        {"text": "A title of the next version"},
        {"address": "module.x.aws_s3_bucket.a"},
        {"address": 'module.x["a.b"].module.y[0].aws_s3_bucket.a'},
        {"severity": Severity.WARNING},
    ],
)
def test_the_same_finding_elsewhere_in_its_file_is_known(changes: dict[str, object]) -> None:
    assert known_among([entry(replace(finding(), **changes))], [entry(finding())])[0] == [True]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {"rule": "CKV_2"},
        {"address": "aws_s3_bucket.b"},
        {"address": None},
        {"file": "core/more.tf"},
        {"excerpt": '  4 | resource "aws_s3_bucket" "c" {'},
    ],
)
def test_another_finding_is_new(changes: dict[str, object]) -> None:
    found, was = entry(replace(finding(), **changes)), entry(finding())  # type: ignore[arg-type]
    assert known_among([found], [was]) == ([False], (replace(was, text=""),))


@pytest.mark.parametrize("scope", [("policy", "etl", None), ("policy", "core", "staging"), ("lint", "core", None)])
def test_a_finding_of_another_check_is_new(scope: Scope) -> None:
    assert known_among([entry(finding(), scope)], [entry(finding())])[0] == [False]


def test_an_instance_in_a_plan_is_known_by_its_whole_address() -> None:
    plan: Scope = ("policy", "core", "staging")
    one, two = (entry(finding(address=f"module.x[{index}].aws_s3_bucket.a"), plan) for index in range(2))
    assert [one.address, two.address] == ["module.x[0].aws_s3_bucket.a", "module.x[1].aws_s3_bucket.a"]
    assert known_among([one, two], [one])[0] == [True, False]


def test_a_moved_file_is_new_and_said_to_be_moved() -> None:
    was, now = entry(finding()), entry(finding(file="core/bucket.tf"))
    assert difference([was], [now]).moved == 1
    elsewhere = entry(finding(file="stack/s3.tf"), ("policy", "stack", None))
    assert difference([was], [elsewhere]).moved == 1
    assert difference([was], [entry(replace(finding(), rule="CKV_2"))]).moved == 0


def test_a_linters_finding_is_its_message_and_its_line() -> None:
    def content(text: str, excerpt: str) -> tuple[str, ...]:
        return of_message(Finding("F811", Severity.ERROR, text, excerpt=excerpt))

    said = content("`x` of line 12 is defined again in main.py:3:4\n-> link", "  30 | x = 1")
    assert said == content("`x` of line 9 is defined again in main.py:80\n-> other", "  7 | x  =  1")
    assert said != content("`y` of line 12 is defined again in main.py:3:4", "  30 | x = 1")
    assert said != content("`x` of line 12 is defined again in main.py:3:4", "  30 | x = 2")
    assert content("port 22 is open to 10.0.0.0/8", "") != content("port 23 is open to 10.0.0.0/8", "")


def test_a_shipped_rule_is_known_by_what_it_says() -> None:
    one, other = (Finding("TFP003", Severity.ERROR, f"{what}\n-> mend", "check.size") for what in ("small", "gone"))
    assert of_resource(one) == of_resource(replace(one, text="small\n-> something else"))
    assert of_resource(one) != of_resource(other)


def test_lines_that_only_have_to_be_added_count_too() -> None:
    def content(diff: str) -> tuple[str, ...]:
        return of_diff(Finding("terraform-fmt", Severity.ERROR, "", excerpt=diff))

    head = "--- old/a.tf\n+++ new/a.tf\n@@ -1,2 +1,3 @@\n"
    assert content(f"{head} a\n+b\n c") == (raw_digest("+b"),)
    assert content(f"{head} a\n-x\n+b\n c") == (raw_digest("-x"),)
    assert content(head) == (raw_digest(""),)


@given(st.text(max_size=20), st.text(max_size=20))
@PATIENT
def test_white_space_does_not_count_where_lines_are_compared(one: str, other: str) -> None:
    assert (digest_of(one) == digest_of(other)) == (one.split() == other.split())
