"""Whatever is done to the files in which rules are loosened or fixed: an answer, or a refusal that names the file and
what to do. Evidence, approvals, signatures and signers have the same beside their own tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from damage import Change, changes
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.operator import overruled, read_operator, tighten
from pytest_tfpipeline.config.reviewed import read_allowances, read_waivers
from pytest_tfpipeline.errors import ConfigurationError

WAIVERS = b"""[[waiver]]
rule = "CKV_AWS_18"
address = "terraform/core//aws_s3_bucket.logs"
owner = "platform"
reason = "it is the log bucket itself"
expires = 2030-01-31
environment = "staging"
"""
ALLOWED = b"""[[allow]]
root = "terraform/core"
address = "aws_s3_bucket.old"
environment = "staging"
reason = "moved to the lake"
expires = "2030-01-31"
"""
OPERATOR = b"""signers = "keys"
waivers = false
isolation = "jobs"
providers = ["registry.terraform.io/hashicorp/*"]

[tools]
terraform = "1.11.4"

[environment.production]
after = "staging"
approval = "signed"
signatures = 2
protect = ["aws_s3_bucket"]
identity = { aws_account = "123456789012" }
"""


def _operator(path: Path) -> object:
    own = Config.model_validate({"environments": ["staging", "production"]})
    operator = read_operator(path, path.parent / "checkout")
    return tighten(own, operator), overruled(own, operator)


#: (what is sound, how it is read)
KINDS: dict[str, tuple[bytes, Callable[[Path], object]]] = {
    "waivers.toml": (WAIVERS, lambda path: read_waivers(path, path.name)),
    "allow.toml": (ALLOWED, lambda path: read_allowances(path, path.name)),
    "operator.toml": (OPERATOR, _operator),
}
ROUGHLY = {
    "empty": b"",
    "huge": b"#" * (1 << 20),
    "deep": b"x = " + b"[" * 5000 + b"]" * 5000,
    "not text": bytes(range(256)),
    "a newer schema": b"schema_version = 99\n",
    "a list of numbers": b"waiver = [1]\nallow = [1]\nenvironment = [1]\n",
    "a long number": b"schema_version = " + b"9" * 6000 + b"\n",
}


def answer(place: Path, name: str, data: bytes) -> str:
    """What a file with this content is refused with; "" where it is read."""
    (place / "checkout").mkdir(exist_ok=True)
    path = place / name
    path.write_bytes(data)
    path.chmod(0o600)
    try:
        KINDS[name][1](path)
    except ConfigurationError as error:
        said = str(error)
    else:
        return ""
    assert name in said
    assert "->" in said
    return said


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.mark.parametrize("name", KINDS)
def test_what_is_sound_is_read(place: Path, name: str) -> None:
    assert answer(place, name, KINDS[name][0]) == ""


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("what", ROUGHLY)
def test_what_is_not_is_refused_by_name(place: Path, name: str, what: str) -> None:
    assert answer(place, name, ROUGHLY[what])


@pytest.mark.parametrize("name", KINDS)
def test_a_key_twice_and_a_newer_schema_are_refused_by_name(place: Path, name: str) -> None:
    sound = KINDS[name][0]
    last = sound.splitlines(keepends=True)[-1]
    assert answer(place, name, sound + last)
    assert "schema_version" in answer(place, name, b"schema_version = 99\n" + sound)


@pytest.mark.parametrize("name", KINDS)
@given(change=changes() | st.binary(max_size=200).map(lambda data: lambda _: data))
@example(change=lambda data: data[:-40])
@settings(max_examples=200, deadline=None)
def test_whatever_is_done_to_it_there_is_an_answer(place: Path, name: str, change: Change) -> None:
    answer(place, name, change(KINDS[name][0]))
