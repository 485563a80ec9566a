"""What comes from outside is read whole and plain, or refused by name with what to do."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.errors import ProofError
from pytest_tfpipeline.proof.strict import MAX_DEPTH, parse_document, read_bytes, read_document


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b'{"a": 1', "not all of it is there"),
        (b'{"a": 1} x', "is not JSON"),
        (b"\xef\xbb\xbf{}", "is not JSON"),
        (b'{"a": "\xff"}', "is not UTF-8 (byte 7)"),
        (b"\xff\xfe{\x00}\x00", "is not UTF-8 (byte 0)"),
        (b'{"open": false, "open": true}', "the key 'open' twice"),
        (b'[{"a": {"b": 1, "b": 1}}]', "the key 'b' twice"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "-Infinity"),
        (b"[1e999]", "1e999, which is too large"),
        (b"[" + b"9" * 5000 + b"]", "is not JSON"),
        (b'["\\ud800"]', "half of a character"),
        (b'{"\\udfff": 1}', "half of a character"),
        (b"[" * 100_000, "is n"),
        (b"[" * 100_000 + b"]" * 100_000, "is nested deeper than"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "is nested deeper than"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "is nested deeper than"),
    ],
)
def test_what_is_not_plain_json_is_refused_by_name(data: bytes, what: str) -> None:
    with pytest.raises(ProofError) as caught:
        parse_document(data, "given.json")
    assert what in caught.value.what
    assert caught.value.where == "given.json"
    assert caught.value.mend
    assert len(str(caught.value)) < 400


def test_what_is_plain_is_read() -> None:
    assert parse_document('{"a": [1, 2.5, "\\ud83d\\ude00é", null]}'.encode(), "x") == {"a": [1, 2.5, "😀é", None]}
    assert parse_document(b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1), "x")


def test_what_is_no_plain_file_is_refused(tmp_path: Path) -> None:
    """A pipe that nobody writes to would be waited for; a device never ends."""
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    expected = {
        "missing": "is not there",
        "empty": "is empty",
        ".": "is a directory",
        "pipe": "is a pipe",
        "loop": "cannot be read",
        "x" * 300: "cannot be read",
        "nul\0": "cannot be read",
    }
    for name, what in expected.items():
        with pytest.raises(ProofError, match=what) as caught:
            read_document(tmp_path / name)
        assert caught.value.mend
    with pytest.raises(ProofError, match="is a pipe, a socket or a device"):
        read_document(Path("/dev/zero"))


def test_a_file_is_read_up_to_its_limit_and_not_a_byte_further(tmp_path: Path) -> None:
    path = tmp_path / "given.json"
    path.write_bytes(b'"' + b"x" * 2046 + b'"')
    assert read_bytes(path, limit=2048) == path.read_bytes()
    with pytest.raises(ProofError, match="is larger than 1 KiB"):
        read_document(path, limit=1024)
    with path.open("r+b") as stream:
        stream.truncate(2**40)
    with pytest.raises(ProofError, match="is larger than 32 MiB"):
        read_document(path)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(PLAIN)
@settings(deadline=None)
def test_every_plain_value_comes_back(value: object) -> None:
    assert parse_document(json.dumps(value).encode(), "x") == value


@given(st.binary() | st.text(alphabet='{}[]":,0123456789eE+-. \\utrnfalsNI').map(str.encode))
@settings(deadline=None)
def test_any_bytes_are_a_value_or_refused(data: bytes) -> None:
    with suppress(ProofError):
        value = parse_document(data, "x")
        assert json.loads(json.dumps(value, ensure_ascii=False, allow_nan=False).encode()) == value
