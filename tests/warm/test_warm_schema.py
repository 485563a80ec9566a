"""A part of a schema answer: the entries that are named, and everything that is no entry."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.warm.schema import only


def varint(number: int) -> bytes:
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def field(number: int, value: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(value)) + value


def entry(number: int, key: str, value: bytes = b"schema") -> bytes:
    return field(number, field(1, key.encode()) + field(2, value))


NAMES = st.text(st.characters(codec="utf-8"), max_size=6)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from([2, 3, 8, 21]), NAMES, st.binary(max_size=300))), st.sets(NAMES))
def test_it_keeps_the_named_entries_in_their_order_and_no_other(
    entries: list[tuple[int, str, bytes]], names: set[str]
) -> None:
    message = b"".join(entry(*one) for one in entries)
    assert only(message, names) == b"".join(entry(*one) for one in entries if one[1] in names)


def test_what_is_no_map_by_type_name_stays() -> None:
    provider, function = field(1, b"\x08\x01"), entry(7, "arn_build")
    capabilities = varint(6 << 3) + varint(300)
    fixed = varint(12 << 3 | 5) + b"\1\2\3\4" + varint(13 << 3 | 1) + bytes(8)
    whole = provider + function + capabilities + fixed
    assert only(whole + entry(2, "aws_vpc"), set()) == whole


def test_another_answer_has_its_map_in_another_field() -> None:
    message = entry(1, "aws_vpc") + entry(1, "aws_eip") + field(2, b"said")
    assert only(message, {"aws_eip"}, kept_whole={2}) == entry(1, "aws_eip") + field(2, b"said")


@pytest.mark.parametrize("broken", [b"\x80", b"\x12\x05ab", b"\x13", b"\xff" * 11, b"\x09\x00"])
def test_what_is_no_message_is_refused(broken: bytes) -> None:
    with pytest.raises(ValueError, match="not a message"):
        only(broken, set())
