"""Bytes that something has happened to, for tests of whatever reads files that others have written."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

Change = Callable[[bytes], bytes]


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """Flip, cut, double, insert or replace bytes somewhere."""
    kind = draw(st.sampled_from(("flip", "cut", "drop", "double", "insert", "replace")))
    at, span = draw(st.floats(0, 1)), draw(st.integers(1, 40))
    bit, extra = draw(st.integers(0, 7)), draw(st.binary(min_size=1, max_size=40))

    def change(data: bytes) -> bytes:
        start = min(int(at * len(data)), len(data) - 1)
        return {
            "flip": data[:start] + bytes([data[start] ^ (1 << bit)]) + data[start + 1 :],
            "cut": data[:start],
            "drop": data[:start] + data[start + span :],
            "double": data[: start + span] + data[start:],
            "insert": data[:start] + extra + data[start:],
            "replace": extra,
        }[kind]

    return change
