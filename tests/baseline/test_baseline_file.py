"""The file: what is written is what is read, a line for each finding; whatever else is in it is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.config.baseline import read_baseline, render_baseline
from pytest_tfpipeline.errors import ConfigurationError
from pytest_tfpipeline.model import KnownFinding
from pytest_tfpipeline.policies.baseline import merged

NAME = "known.json"
DIGEST = "0123456789abcdef"
ENTRY: dict[str, Any] = {"check": "lint", "dir": "core", "rule": "R1", "file": "core/a.tf", "content": [DIGEST]}

said = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
entries = st.lists(
    st.builds(
        KnownFinding,
        st.sampled_from(["fmt", "lint", "ruff", "policy"]),
        said,
        said,
        st.lists(st.text("0123456789abcdef", min_size=16, max_size=16), min_size=1, max_size=3).map(
            lambda found: tuple(sorted(found))
        ),
        st.none() | st.just("staging"),
        st.none() | said,
        st.none() | said,
        st.integers(1, 2000),
        st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
    ),
    max_size=6,
).map(merged)


def read(tmp_path: Path, text: str | bytes) -> tuple[KnownFinding, ...]:
    path = tmp_path / NAME
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_baseline(path, NAME)


def refused(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, text)
    assert "->" in str(caught.value)
    return str(caught.value)


def document(*findings: object, **changes: object) -> str:
    return json.dumps({"version": 1, "findings": list(findings), **changes})


@given(entries)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_what_is_written_is_read_and_written_again_the_same(tmp_path: Path, entries: tuple[KnownFinding, ...]) -> None:
    text = render_baseline(entries)
    assert read(tmp_path, text) == entries
    assert render_baseline(read(tmp_path, text)) == text
    assert len(text.encode().split(b"\n")) == len(entries) + (7 if entries else 6)


def test_a_finding_is_a_line_that_can_be_reviewed() -> None:
    text = render_baseline(
        [KnownFinding("policy", "core", "CKV_1", (DIGEST,), None, "core/a.tf", "a.b", 2, "No «log»")]
    )
    (line,) = [line for line in text.splitlines() if "CKV_1" in line]
    assert line == (
        '  {"check": "policy", "dir": "core", "rule": "CKV_1", "file": "core/a.tf", "address": "a.b", '
        f'"text": "No «log»", "content": ["{DIGEST}"], "count": 2}}'
    )


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "is not valid JSON"),
        ("[]", "expected a table"),
        (document(ENTRY)[:-3], "is not valid JSON"),
        ('{\n"version": 1,\n<<<<<<< HEAD\n', f"{NAME}:3: is not valid JSON"),
        (b"\xff\xfe", "is not valid JSON"),
        ("[" * 200_000, "is nested too deeply"),
        ('{"version": 1, "findings": [], "findings": []}', "`findings` is there twice"),
        (document(ENTRY, ENTRY), "findings[1]: says the same as findings[0]; keep one of them"),
        (document(ENTRY, {**ENTRY, "text": "other", "count": 4}), "findings[1]: says the same"),
        (document(version=2), "was made by a newer pytest-tfpipeline"),
        (document(version="1"), "version: expected"),
        (json.dumps({"findings": []}), "version: is required"),
        (document(finding=1), "finding: unknown key; did you mean `findings`?"),
        (document({**ENTRY, "adress": "x"}), "findings[0].adress: unknown key; did you mean `address`?"),
        (document({**ENTRY, "content": []}), "findings[0].content: expected at least one digest"),
        (document({**ENTRY, "content": ["x"]}), "expected a digest of 16 hexadecimal digits"),
        (document({**ENTRY, "check": "validate"}), 'expected "fmt" or "lint" or "ruff" or "policy"'),
        (document({**ENTRY, "count": 0}), "findings[0].count: expected at least 1"),
        (document({**ENTRY, "count": True}), "findings[0].count: expected an integer"),
        (document({**ENTRY, "rule": ""}), "findings[0].rule: expected a text that says something"),
        (document({**ENTRY, "dir": None}), "findings[0].dir: expected a string"),
        (document("x"), "findings[0]: expected a table"),
    ],
    ids=str,
)
def test_what_is_not_understood_is_refused(tmp_path: Path, text: str | bytes, what: str) -> None:
    assert what in refused(tmp_path, text)


def test_a_file_that_is_not_there_or_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: no such file"):
        read_baseline(tmp_path / "no.json", NAME)
    (tmp_path / "other.json").write_text(document())
    (tmp_path / NAME).symlink_to("other.json")
    with pytest.raises(ConfigurationError, match="is not a plain file"):
        read_baseline(tmp_path / NAME, NAME)
    with pytest.raises(ConfigurationError, match="is not a plain file"):
        read_baseline(tmp_path, NAME)


def test_many_problems_stay_readable(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_text(document(*[{**ENTRY, "check": "x", "rule": str(index)} for index in range(500)]))
    with pytest.raises(ConfigurationError) as caught:
        read_baseline(path, NAME)
    assert len(str(caught.value).splitlines()) <= 22
