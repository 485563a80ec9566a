"""Canonical values: RFC 8785 where it can say them, and never two unlike values alike."""

from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.errors import PlanReadError
from pytest_tfpipeline.gate.canonical import canonical, seal
from pytest_tfpipeline.terraform.numbers import ExactFloat, exact_float, exact_int
from pytest_tfpipeline.terraform.unknown import UNKNOWN

SAFE = 2**53 - 1
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)


def values(scalars: st.SearchStrategy[Any], texts: st.SearchStrategy[str] = TEXTS) -> st.SearchStrategy[Any]:
    """JSON values of these scalars."""
    return st.recursive(
        scalars | texts, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)
    )


PLAIN = values(st.none() | st.booleans() | st.integers(-SAFE, SAFE))
ANY = values(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.just(UNKNOWN),
    st.text(max_size=6) | st.text("\0\ud800number unkow1", max_size=12),
)


def read(text: str) -> Any:
    return json.loads(text, parse_float=exact_float, parse_int=exact_int)


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are equal: a truth value is no number, and 1.0 is 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(each, other[name]) for name, each in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if one is UNKNOWN or other is UNKNOWN:
        return one is other
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


@given(PLAIN)
@settings(deadline=None)
def test_what_rfc_8785_can_say_is_said_by_it(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(ANY, ANY)
@settings(deadline=None)
def test_unlike_values_are_unlike_and_nothing_breaks(one: Any, other: Any) -> None:
    assert (canonical(one) == canonical(other)) == same(one, other)


@given(st.dictionaries(TEXTS, ANY, max_size=6))
@settings(deadline=None)
def test_the_order_of_members_does_not_count(value: dict[str, Any]) -> None:
    assert canonical(dict(reversed(value.items()))) == canonical(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("9007199254740993", "9007199254740992"),
        ("12345678901234567890123", "12345678901234567890124"),
        ("0.1234567890123456789012345678", "0.1234567890123456789012345679"),
        ("1" + "0" * 5000, "1" + "0" * 4999 + "1"),
        ("9007199254740993.5", "9007199254740993.25"),
        ("1e400", "1e401"),
        ("true", "1"),
        ("null", "false"),
        ('"1"', "1"),
        ('"\\ud800"', '"\\ud801"'),
        ('"\\u0000ud800\\u0000"', '"\\ud800"'),
        ('"\\u0000number 9007199254740993\\u0000"', "9007199254740993"),
        ('"\\u0000unknown\\u0000"', '"unknown"'),
        ("NaN", "Infinity"),
    ],
)
def test_no_difference_is_lost(one: str, other: str) -> None:
    assert canonical(read(one)) != canonical(read(other))
    assert canonical(read(one)) == canonical(read(one))


def test_a_number_that_a_double_holds_is_an_ordinary_float() -> None:
    assert type(read("0.5")) is float
    exact = read("0.1234567890123456789")
    assert (type(exact), exact) == (ExactFloat, 0.12345678901234568)


def test_a_path_is_the_same_wherever_the_copy_is() -> None:
    one = canonical({"/a/tree/x": ["/a/tree", "-v/a/tree:/mnt", "in /a/tree."]}, "/a/tree")
    assert one == canonical({"/b c/t[1]/x": ["/b c/t[1]", "-v/b c/t[1]:/mnt", "in /b c/t[1]."]}, "/b c/t[1]")
    assert canonical("/a/tree-2", "/a/tree") == canonical("/a/tree-2")
    assert canonical("/a/tree", "/a/tree") != canonical("tree", "/a/tree")
    assert canonical("/etc", "/") == canonical("/etc") == canonical("/etc", "")


@pytest.mark.parametrize("value", [{1: "x"}, {"x": {1, 2}}, [b"x"], object()])
def test_what_is_no_json_is_refused(value: Any) -> None:
    with pytest.raises(PlanReadError, match="no JSON"):
        canonical(value)


def test_what_is_nested_too_deeply_is_refused() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(PlanReadError, match="too deeply"):
        canonical(value)


def test_a_seal_needs_the_key_and_the_label() -> None:
    sealed = {seal(key, label, "x") for key in (b"a" * 32, b"b" * 32) for label in ("one", "two")}
    assert len(sealed) == 4
    assert seal(b"a" * 32, "one", "x") in sealed
