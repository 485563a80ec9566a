"""The statement as a file: written once, read strictly."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.errors import ProofError
from pytest_tfpipeline.gate.approval import Request
from pytest_tfpipeline.proof.approval import (
    DEFAULT_VALIDITY,
    MAX_BYTES,
    Statement,
    dump_statement,
    read_approval,
    request_path,
    signature_files,
    write_request,
)

NOW = datetime(2026, 3, 1, 12, 0, 0, 400, tzinfo=UTC)
REQUEST = Request("example/platform", "production", "c" * 40, "sha256:" + "a" * 64, kind="signed")
DOCUMENT: dict[str, Any] = {
    "schema_version": 1,
    "kind": "tfpipeline-approval",
    "repository": "example/platform",
    "environment": "production",
    "commit": "c" * 40,
    "plan_set_digest": "sha256:" + "a" * 64,
    "expires": "2026-03-02T12:00:00Z",
}


def refused(path: Path) -> str:
    with pytest.raises(ProofError) as caught:
        read_approval(path)
    assert str(path) in str(caught.value)
    assert caught.value.mend
    return str(caught.value)


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes | dict[str, Any]], Path]:
    def write(content: str | bytes | dict[str, Any]) -> Path:
        path = tmp_path / "approval.json"
        text = json.dumps(content) if isinstance(content, dict) else content
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


Write = Callable[[str | bytes | dict[str, Any]], Path]


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    path = write_request(tmp_path / "output", REQUEST, NOW)
    assert path == tmp_path / "output" / "approval-production.json"
    assert json.loads(path.read_bytes()) == DOCUMENT
    expected = Statement(
        "example/platform", "production", "c" * 40, REQUEST.digest, datetime(2026, 3, 2, 12, tzinfo=UTC)
    )
    assert read_approval(path) == expected


def test_a_name_of_an_environment_leads_nowhere_else(tmp_path: Path) -> None:
    path = write_request(tmp_path, replace(REQUEST, environment="../pr/12 x"), NOW)
    assert path.parent == tmp_path
    assert path.name == "approval-.._pr_12_x.json"


def test_a_statement_that_may_be_signed_already_stays(tmp_path: Path) -> None:
    path = write_request(tmp_path, REQUEST, NOW)
    first = path.read_bytes()
    write_request(tmp_path, REQUEST, NOW + timedelta(hours=11))
    assert path.read_bytes() == first
    signature = path.with_name(f"{path.name}.ann.sig")
    signature.touch()
    write_request(tmp_path, REQUEST, NOW + timedelta(hours=23))
    assert path.read_bytes() == first
    assert signature.exists()


@pytest.mark.parametrize("hours", [13, 24])
def test_one_that_is_not_signed_and_nearly_over_is_written_anew(tmp_path: Path, hours: int) -> None:
    later = NOW + timedelta(hours=hours)
    write_request(tmp_path, REQUEST, NOW)
    expires = read_approval(write_request(tmp_path, REQUEST, later)).expires
    assert expires == later.replace(microsecond=0) + DEFAULT_VALIDITY


@pytest.mark.parametrize(
    "request_",
    [
        replace(REQUEST, digest="sha256:" + "b" * 64),
        replace(REQUEST, commit="d" * 40),
        replace(REQUEST, repository="example/fork"),
    ],
)
def test_signatures_of_other_plans_go_with_their_statement(tmp_path: Path, request_: Request) -> None:
    path = write_request(tmp_path, REQUEST, NOW)
    for name in (f"{path.name}.sig", f"{path.name}.ann.sig", "approval-staging.json.sig", f"{path.name}.txt"):
        (tmp_path / name).touch()
    (tmp_path / f"{path.name}.d.sig").mkdir()
    write_request(tmp_path, request_, NOW)
    assert read_approval(path).plan_set_digest == request_.digest
    left = sorted(one.name for one in tmp_path.iterdir())
    assert left == [path.name, f"{path.name}.d.sig", f"{path.name}.txt", "approval-staging.json.sig"]


def test_an_expiry_that_is_too_far_is_not_kept(tmp_path: Path) -> None:
    path = request_path(tmp_path, "production")
    far = replace(read_approval(write_request(tmp_path, REQUEST, NOW)), expires=NOW + timedelta(days=8))
    path.write_text(dump_statement(far))
    path.with_name(f"{path.name}.ann.sig").touch()
    assert read_approval(write_request(tmp_path, REQUEST, NOW)).expires == NOW.replace(microsecond=0) + DEFAULT_VALIDITY


def test_what_is_no_statement_is_overwritten(tmp_path: Path) -> None:
    request_path(tmp_path, "production").write_text("{")
    assert read_approval(write_request(tmp_path, REQUEST, NOW)).commit == REQUEST.commit


def test_without_a_commit_there_is_nothing_to_sign(tmp_path: Path) -> None:
    with pytest.raises(ProofError, match="no commit"):
        write_request(tmp_path, replace(REQUEST, commit=""), NOW)
    assert list(tmp_path.iterdir()) == []


def test_signatures_are_those_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "a[1].json"
    for name in (
        "a[1].json.sig",
        "a[1].json.bob.sig",
        "a1.json.sig",
        "a[1].jsonx.sig",
        "a[1].json.sig.bak",
        "b.json.sig",
    ):
        (tmp_path / name).touch()
    assert [file.name for file in signature_files(path)] == ["a[1].json.bob.sig", "a[1].json.sig"]
    assert signature_files(tmp_path / "none" / "a.json") == ()


def test_a_document_as_documented(write: Write) -> None:
    assert read_approval(write(DOCUMENT)).environment == "production"


@pytest.mark.parametrize("key", sorted(DOCUMENT))
def test_every_key_is_needed(write: Write, key: str) -> None:
    said = refused(write({name: value for name, value in DOCUMENT.items() if name != key}))
    assert {"kind": "is no approval", "schema_version": "schema version None"}.get(key, f"`{key}` is missing") in said


@pytest.mark.parametrize("key", sorted(DOCUMENT))
@pytest.mark.parametrize("value", [None, True, 1.5, "", " \n", [], {}, ["x"], "x" * 501, "x\x00", "x\nexpires: never"])
def test_every_value_has_its_type(write: Write, key: str, value: object) -> None:
    refused(write({**DOCUMENT, key: value}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("commit", "c" * 12),
        ("commit", "C" * 40),
        ("commit", "HEAD"),
        ("plan_set_digest", "sha256:" + "a" * 63),
        ("plan_set_digest", "md5:" + "a" * 64),
        ("expires", "2026-03-02"),
        ("expires", "2026-03-02T12:00:00"),
        ("expires", "2026-03-02T12:00:00+02:00"),
        ("expires", "2026-02-31T12:00:00Z"),
        ("expires", "2026-03-02T24:00:00Z"),
        ("expires", "9999-12-31T23:59:60Z"),
        ("expires", "٢٠٢٦-03-02T12:00:00Z"),
    ],
)
def test_a_value_of_another_shape_is_named(write: Write, key: str, value: str) -> None:
    assert f"`{key}` is not" in refused(write({**DOCUMENT, key: value}))


@pytest.mark.parametrize("version", [0, 2, "1", True, None, [1], 10**30])
def test_another_schema_is_refused_by_name(write: Write, version: object) -> None:
    assert "schema version" in refused(write({**DOCUMENT, "schema_version": version}))


def test_a_key_that_nobody_knows_is_refused(write: Write) -> None:
    assert "'only_if'" in refused(write({**DOCUMENT, "only_if": "friday"}))


@pytest.mark.parametrize("cut", [0, 1, 2, 40, 100, -3])
def test_a_part_of_it_is_refused(write: Write, cut: int) -> None:
    text = json.dumps(DOCUMENT)
    refused(write(text[:cut]))


@pytest.mark.parametrize(
    "content",
    ["null", "[]", '"tfpipeline-approval"', "1", b"\xff\xfe{}", "{" * 5000, "[" * 5000, "NaN"],
    ids=["null", "list", "text", "number", "utf-16", "nested", "lists", "nan"],
)
def test_what_is_no_document_is_refused(write: Write, content: str | bytes) -> None:
    refused(write(content))


def test_a_statement_that_is_huge_is_refused(write: Write) -> None:
    text = json.dumps(DOCUMENT)
    assert read_approval(write(text.ljust(MAX_BYTES))).environment == "production"
    assert "larger than" in refused(write(text.ljust(MAX_BYTES + 1)))


def test_a_key_twice_is_refused(write: Write) -> None:
    text = json.dumps(DOCUMENT)[:-1] + ', "environment": "staging"}'
    assert "twice" in refused(write(text))


@given(st.integers(0, 400), st.integers(0, 40), st.one_of(st.binary(max_size=20), st.text(max_size=9).map(str.encode)))
@settings(deadline=None)
def test_whatever_is_changed_in_it_is_read_or_refused(at: int, cut: int, put: bytes) -> None:
    data = json.dumps(DOCUMENT).encode()
    with TemporaryDirectory() as folder:
        path = Path(folder, "approval.json")
        path.write_bytes(data[:at] + put + data[at + cut :])
        with suppress(ProofError):
            assert read_approval(path).expires is not None


def test_a_place_without_a_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path)
    refused(tmp_path / "none.json")
