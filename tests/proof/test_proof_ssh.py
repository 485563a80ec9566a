"""Signatures by real ssh-keygen: whose they are, for what, and when; and keys that cannot be used."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.errors import ProofError, ToolError
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.proof.ssh import sign, verify

SPACE = "tfpipeline-evidence"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture
def letter(tmp_path: Path, runner: Runner, people: Any) -> Path:
    """A file that alice signed."""
    path = tmp_path / "letter"
    path.write_bytes(b"yes\n")
    sign(runner, people.key("alice"), path, SPACE)
    return path


def signature_of(path: Path) -> Path:
    return path.with_name(path.name + ".sig")


def check(runner: Runner, letter: Path, signers: Path, now: datetime = NOW) -> Any:
    return verify(runner, letter.read_bytes(), signature_of(letter), signers, SPACE, now)


def test_a_signature_tells_who_and_with_which_key(letter: Path, runner: Runner, people: Any) -> None:
    signers = people.signers(
        "# who may", "bob@example.org {bob}", 'alice@example.org namespaces="tfpipeline-*" {alice}'
    )
    found = check(runner, letter, signers)
    listed = subprocess.run(["ssh-keygen", "-lf", people.key("alice")], capture_output=True, text=True, check=True)
    assert found.principal == "alice@example.org"
    assert found.key == listed.stdout.split()[1]
    assert signature_of(letter).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        (("mallory@example.org {mallory}",), "is by a key that is not in"),
        (('alice@example.org namespaces="tfpipeline-approval" {alice}',), "does not allow to sign this"),
        (('alice@example.org namespaces="tfpipeline-*,!tfpipeline-evidence" {alice}',), "does not allow to sign this"),
        (('alice@example.org valid-before="20260601" {alice}',), "does not hold valid at this time"),
        (('alice@example.org valid-after="20260602" {alice}',), "does not hold valid at this time"),
        (("*@example.org {alice}",), "which names nobody"),
        (("!bob@example.org,*@example.org {alice}",), "which names nobody"),
        (("alice@example.org cert-authority {alice}",), "is by a key that is not in"),
        (("alice@example.org nonsense=1 {alice}",), "line 1: bad options"),
        (("alice@example.org",), "line 1: missing key"),
        (("alice@example.org ssh-ed25519 AAAA",), "is by a key that is not in"),
    ],
)
def test_who_is_not_allowed_has_not_signed(
    lines: tuple[str, ...], what: str, letter: Path, runner: Runner, people: Any
) -> None:
    with pytest.raises(ProofError) as caught:
        check(runner, letter, people.signers(*lines))
    assert what in caught.value.what
    assert caught.value.mend


def test_a_signature_that_is_cut_off_is_none(letter: Path, runner: Runner, people: Any) -> None:
    whole = signature_of(letter).read_bytes()
    signature_of(letter).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ProofError) as caught:
        check(runner, letter, people.signers("alice {alice}"))
    assert (caught.value.what, caught.value.mend) == ("is not an SSH signature", "sign again: ssh-keygen -Y sign")


def test_times_in_the_list_are_utc_wherever_it_is_read(letter: Path, people: Any) -> None:
    signers = people.signers('alice valid-after="202606011200",valid-before="202606011300" {alice}')
    elsewhere = Runner({"PATH": os.environ["PATH"], "TZ": "Pacific/Kiritimati"})
    assert check(elsewhere, letter, signers, NOW).principal == "alice"
    for hour, minute in ((11, 59), (13, 1)):
        with pytest.raises(ProofError, match="does not hold valid"):
            check(elsewhere, letter, signers, NOW.replace(hour=hour, minute=minute))


def test_a_key_may_have_a_line_for_each_purpose_and_time(letter: Path, runner: Runner, people: Any) -> None:
    signers = people.signers(
        'old valid-before="20200101" {alice}',
        'alice,alias namespaces="tfpipeline-approval" {alice}',
        'alice namespaces="tfpipeline-evidence" {alice}',
    )
    assert check(runner, letter, signers).principal == "alice"


def test_a_certificate_of_an_authority_names_its_holder(
    letter: Path, runner: Runner, people: Any, tmp_path: Path
) -> None:
    key = tmp_path / "carol"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    argv = ["ssh-keygen", "-q", "-s", people.key("bob"), "-I", "id", "-n", "carol@example.org", f"{key}.pub"]
    subprocess.run(argv, check=True)
    with agent(runner, key) as holding:
        sign(holding, tmp_path / "carol-cert.pub", letter, SPACE)
    signers = people.signers("*@example.org cert-authority {bob}")
    assert check(runner, letter, signers, datetime.now(UTC)).principal == "carol@example.org"


def test_changed_content_another_purpose_and_a_broken_signature_are_told_apart(
    letter: Path, runner: Runner, people: Any
) -> None:
    signers = people.signers("alice {alice}")
    with pytest.raises(ProofError, match="is the signature of other content"):
        verify(runner, b"no\n", signature_of(letter), signers, SPACE)
    with pytest.raises(ProofError, match="was made for something else"):
        verify(runner, b"yes\n", signature_of(letter), signers, "tfpipeline-approval")
    whole = signature_of(letter).read_text()
    for broken in ("x", whole[:80], whole.replace("U1NI", "U1NJ"), whole + "\0", f"\n{whole}"):
        signature_of(letter).write_text(broken)
        with pytest.raises(ProofError) as caught:
            check(runner, letter, signers)
        assert caught.value.where == str(signature_of(letter))
    signature_of(letter).write_bytes(b"x" * 2**17)
    with pytest.raises(ProofError, match="is larger than 64 KiB"):
        check(runner, letter, signers)


@pytest.mark.parametrize("content", [b"# nobody\n\n", b"\n", b"alice \0 ssh-ed25519"])
def test_a_list_that_names_nobody_is_said_to(content: bytes, letter: Path, runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "signers").write_bytes(content)
    with pytest.raises(ProofError, match="names nobody"):
        check(runner, letter, tmp_path / "signers")


def test_a_key_with_a_passphrase_is_an_error_and_not_a_question(letter: Path, people: Any, tmp_path: Path) -> None:
    """Neither on a terminal nor in a window, whatever the environment offers."""
    asked = tmp_path / "asked"
    program = tmp_path / "askpass"
    program.write_text(f"#!/bin/sh\ntouch '{asked}'\necho secret\n")
    program.chmod(0o755)
    offers = {"SSH_ASKPASS": str(program), "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0"}
    before = signature_of(letter).read_bytes()
    with pytest.raises(ProofError, match="it has a passphrase") as caught:
        sign(Runner({"PATH": os.environ["PATH"], **offers}), people.key("locked", "secret"), letter, SPACE)
    assert "ssh-add" in str(caught.value)
    assert not asked.exists()
    assert signature_of(letter).read_bytes() == before


@contextmanager
def agent(runner: Runner, key: Path) -> Iterator[Runner]:
    """A real ssh-agent that holds one key; gives a runner that knows it."""
    path = runner.environ["PATH"]
    said = subprocess.run(["ssh-agent", "-s"], capture_output=True, text=True, check=True).stdout
    found = dict(re.findall(r"(\w+)=([^;]+);", said))
    try:
        env = {"PATH": path, "SSH_AUTH_SOCK": found["SSH_AUTH_SOCK"]}
        subprocess.run(["ssh-add", "-q", key], env=env, check=True)
        yield Runner(env)
    finally:
        os.kill(int(found["SSH_AGENT_PID"]), signal.SIGTERM)


def test_the_public_half_is_enough_where_an_agent_holds_the_key(
    letter: Path, runner: Runner, people: Any, tmp_path: Path
) -> None:
    public = tmp_path / "alice.pub"
    public.write_bytes(people.key("alice").with_name("alice.pub").read_bytes())
    signature_of(letter).unlink()
    with pytest.raises(ProofError, match="neither beside it nor in an agent"):
        sign(runner, public, letter, SPACE)
    assert not signature_of(letter).exists()
    with agent(runner, people.key("alice")) as holding:
        sign(holding, public, letter, SPACE)
    assert check(runner, letter, people.signers("alice {alice}")).principal == "alice"


def test_a_key_that_cannot_be_used_is_named_with_what_to_do(
    letter: Path, runner: Runner, people: Any, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("no key")
    (tmp_path / "open").write_bytes(people.key("alice").read_bytes())
    (tmp_path / "open").chmod(0o644)
    expected = {
        "missing": "is not there",
        ".": "not a file",
        "text": "nothing can be signed",
        "open": "others may read",
    }
    for name, what in expected.items():
        with pytest.raises(ProofError) as caught:
            sign(runner, tmp_path / name, letter, SPACE)
        assert what in caught.value.what
        assert caught.value.mend


def test_a_machine_without_ssh_keygen_is_told_what_it_lacks(letter: Path, people: Any, tmp_path: Path) -> None:
    for act in (
        lambda runner: sign(runner, people.key("alice"), letter, SPACE),
        lambda runner: check(runner, letter, people.signers("alice {alice}")),
    ):
        with pytest.raises(ToolError, match="openssh-client"):
            act(Runner({"PATH": str(tmp_path)}))


def test_ssh_keygen_inherits_nothing_that_could_steer_it(letter: Path, people: Any, tmp_path: Path) -> None:
    program = tmp_path / "bin" / "ssh-keygen"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n/usr/bin/env > '{tmp_path}/seen'\nexit 1\n")
    program.chmod(0o755)
    steering = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C.UTF-8", "SSH_SK_PROVIDER": "x.so", "LD_PRELOAD": ""}
    runner = Runner({"PATH": str(program.parent), "SSH_AUTH_SOCK": "agent", **steering})
    for act in (
        lambda: sign(runner, people.key("alice"), letter, SPACE),
        lambda: check(runner, letter, people.signers("alice {alice}")),
    ):
        with pytest.raises(ProofError):
            act()
        seen = dict(line.split("=", 1) for line in (tmp_path / "seen").read_text().splitlines())
        assert seen.keys() - {"PWD", "SHLVL", "_"} == {"PATH", "SSH_AUTH_SOCK", "LC_ALL", "TZ", "SSH_ASKPASS_REQUIRE"}
        assert (seen["TZ"], seen["SSH_ASKPASS_REQUIRE"]) == ("UTC", "never")


def test_names_of_files_are_no_options(runner: Runner, people: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-n").mkdir()
    Path("-n/-Y").write_bytes(b"yes\n")
    Path("-Y.key").write_bytes(people.key("alice").read_bytes())
    Path("-Y.key").chmod(0o600)
    assert sign(runner, Path("-Y.key"), Path("-n/-Y"), SPACE) == Path("-n/-Y.sig")
    Path("-f").write_bytes(people.signers("-I {alice}").read_bytes())
    assert verify(runner, b"yes\n", Path("-n/-Y.sig"), Path("-f"), SPACE).principal == "-I"
