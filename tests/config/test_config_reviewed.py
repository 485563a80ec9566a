"""The files in which somebody answers for an exception: read strictly, refused by name."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.config.reviewed import expired, in_force, read_allowances, read_waivers
from pytest_tfpipeline.errors import ConfigurationError
from pytest_tfpipeline.model import Waiver

WAIVER = """[[waiver]]
rule = "CKV_AWS_18"
address = "terraform/core//aws_s3_bucket.logs"
owner = "platform"
reason = "it is the log bucket itself"
expires = 2030-01-31
"""
ALLOW = """[[allow]]
root = "terraform/core"
address = "aws_s3_bucket.old"
environment = "staging"
reason = "moved to the lake"
expires = "2030-01-31"
"""


def waivers(tmp_path: Path, text: str | bytes) -> tuple[Waiver, ...]:
    path = tmp_path / "waivers.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_waivers(path, "waivers.toml")


def refused(tmp_path: Path, text: str | bytes) -> str:
    with pytest.raises(ConfigurationError) as caught:
        waivers(tmp_path, text)
    said = str(caught.value)
    assert "waivers.toml" in said
    assert "->" in said
    return said


def test_a_waiver_is_read_with_its_place(tmp_path: Path) -> None:
    (found,) = waivers(tmp_path, WAIVER)
    assert found == Waiver(
        "CKV_AWS_18",
        "terraform/core//aws_s3_bucket.logs",
        "platform",
        "it is the log bucket itself",
        "2030-01-31",
        None,
        "waivers.toml: waiver[0]",
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("# nothing\n", "is empty"),
        (WAIVER[:-20], "not valid TOML"),
        (WAIVER[:40], "not valid TOML"),
        (b"\xff\xfe", "is not UTF-8"),
        ("x = 1\n" * 90_000, "is larger than 512 KiB"),
        (WAIVER + 'rule = "other"\n', "not valid TOML"),
        (WAIVER + WAIVER, "waiver[1]: says the same as waiver[0]"),
        (WAIVER.replace("owner", "ownr"), 'waiver[0] (rule = "CKV_AWS_18").ownr: unknown key; did you mean `owner`?'),
        (WAIVER.replace("owner", "ownr"), 'waiver[0] (rule = "CKV_AWS_18").owner: is required and not there'),
        ("[[waver]]\n", "waver: unknown key; did you mean `waiver`? (known here: waiver)"),
        (WAIVER.replace("[[waiver]]", "[waiver]"), "expected an array of tables, `[[waiver]]` with two brackets"),
        (WAIVER.replace("2030-01-31", "true"), "expected a day such as 2030-01-31"),
        (WAIVER.replace("2030-01-31", '"soon"'), "expected a day such as 2030-01-31"),
        (WAIVER.replace("2030-01-31", "2030-01-31T00:00:00Z"), "expected a day such as 2030-01-31"),
        (WAIVER.replace('"platform"', "7"), "expected a string, found 7"),
        (WAIVER.replace('"platform"', '" "'), "expected a text that says something"),
        (WAIVER.replace("CKV_AWS_18", "protected-destroy"), "cannot be waived: `allow_destroy` names a file for that"),
        (WAIVER + 'environment = "a b"\n', "a name of letters"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, text: str | bytes, said: str) -> None:
    assert said in refused(tmp_path, text)


def test_a_missing_file_and_a_directory_are_refused_by_name(tmp_path: Path) -> None:
    for path in (tmp_path / "no.toml", tmp_path):
        with pytest.raises(ConfigurationError, match=r"waivers\.toml"):
            read_waivers(path, "waivers.toml")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)), st.integers(0, len(WAIVER)))
def test_whatever_is_in_it_the_answer_is_waivers_or_a_refusal(tmp_path: Path, noise: bytes, at: int) -> None:
    text = WAIVER.encode()
    for damaged in (noise, text[:at], text[:at] + noise + text[at:]):
        said = "waivers.toml"
        try:
            waivers(tmp_path, damaged)
        except ConfigurationError as error:
            said = str(error)
        assert "waivers.toml" in said


def test_an_allowed_deletion_counts_to_the_end_of_its_last_day_and_in_its_environment(tmp_path: Path) -> None:
    path = tmp_path / "allow.toml"
    path.write_text(ALLOW)
    found = read_allowances(path, "allow.toml")
    last, next_day = date(2030, 1, 31), date(2030, 2, 1)
    assert in_force(found, "staging", last) == ("terraform/core//aws_s3_bucket.old",)
    assert in_force(found, "staging", next_day) == ()
    assert in_force(found, "production", last) == ()
    assert list(expired(found, "staging", last)) == []
    (note,) = expired(found, "staging", next_day)
    assert "terraform/core//aws_s3_bucket.old" in note
    assert list(expired(found, "production", next_day)) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ALLOW + ALLOW, "allow[1]: says the same as allow[0]"),
        (ALLOW.replace('environment = "staging"\n', ""), "environment: is required and not there"),
        (ALLOW.replace('"terraform/core"', '"../core"'), "expected the directory of a root"),
        (ALLOW.replace("reason", "resaon"), "unknown key; did you mean `reason`?"),
    ],
)
def test_a_bad_allowance_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "allow.toml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        read_allowances(path, "allow.toml")
    assert said in str(caught.value)
    assert "allow.toml" in str(caught.value)
