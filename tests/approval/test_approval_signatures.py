"""Approvals that real keys have signed, from the written statement to the decision."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from damage import Change, changes
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.gate.approval import Approval, Request, to_approval
from pytest_tfpipeline.gate.reasons import Code
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.proof.approval import MAX_SIGNATURES, NAMESPACE, sign_command, verify_approval, write_request
from pytest_tfpipeline.proof.ssh import Signature

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REQUEST = Request("example/platform", "production", "c" * 40, "sha256:" + "a" * 64, kind="signed", signatures=2)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A private key for each of three people, and one of nobody."""
    folder = tmp_path_factory.mktemp("keys")
    for name in ("ann", "bob", "cem", "eve"):
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)]
        subprocess.run(argv, check=True, timeout=60)
    return {name: folder / name for name in ("ann", "bob", "cem", "eve")}


class Desk:
    """A statement that waits, and the people who may sign it."""

    def __init__(self, folder: Path, keys: dict[str, Path]) -> None:
        self.keys = keys
        self.statement = write_request(folder, REQUEST, NOW)
        self.signers = folder / "signers"
        self.allow("ann", "bob", "cem")

    def allow(self, *names: str, options: str = "") -> None:
        """Who may sign; `name=holder` lists a key under another name."""
        lines = []
        for name in names:
            principal, _, holder = name.partition("=")
            public = self.keys[holder or principal].with_suffix(".pub").read_text()
            lines.append(f"{principal} {options}{public}")
        self.signers.write_text("".join(lines))

    def sign(
        self, name: str, *, namespace: str = NAMESPACE, suffix: str | None = None, data: bytes | None = None
    ) -> Path:
        argv = ["ssh-keygen", "-Y", "sign", "-f", str(self.keys[name]), "-n", namespace]
        given = self.statement.read_bytes() if data is None else data
        done = subprocess.run(argv, input=given, capture_output=True, check=True, timeout=60)
        path = self.statement.with_name(f"{self.statement.name}{f'.{name}' if suffix is None else suffix}.sig")
        path.write_bytes(done.stdout)
        return path

    def decide(self, now: datetime = NOW) -> tuple[Approval | None, str]:
        claim = verify_approval(Runner(), self.statement, self.signers, now)
        approval, reasons = to_approval(REQUEST, [claim], now)
        assert {reason.code for reason in reasons} <= {Code.APPROVAL_INVALID, Code.APPROVAL_MISSING}
        return approval, "\n".join(reason.text for reason in reasons)


@pytest.fixture
def desk(tmp_path: Path, keys: dict[str, Path]) -> Desk:
    return Desk(tmp_path, keys)


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory, keys: dict[str, Path]) -> Desk:
    """One that two people have signed."""
    made = Desk(tmp_path_factory.mktemp("signed"), keys)
    made.sign("ann")
    made.sign("bob")
    assert made.decide()[0] is not None
    return made


@given(
    name=st.sampled_from(("approval-production.json", "approval-production.json.ann.sig", "signers")), change=changes()
)
@settings(max_examples=60, deadline=None)
def test_whatever_is_done_to_one_of_its_files_nothing_else_is_approved(name: str, change: Change, signed: Desk) -> None:
    """A signature may still be good with another line break, and a list of signers without a line; never more."""
    file = signed.statement.with_name(name)
    whole = file.read_bytes()
    file.write_bytes(change(whole))
    try:
        approval, said = signed.decide()
    finally:
        file.write_bytes(whole)
    assert (approval is None) == bool(said)
    if approval is not None:
        assert (approval.digest, len(approval.by)) == (REQUEST.digest, 2)
        assert file != signed.statement or change(whole) == whole


def test_two_of_three_are_enough(desk: Desk) -> None:
    desk.sign("ann")
    assert "1 of 2 signatures" in desk.decide()[1]
    desk.sign("cem", suffix="")
    approval, reasons = desk.decide()
    assert reasons == ""
    assert approval is not None
    assert [who.split()[0] for who in approval.by] == ["ann", "cem"]
    assert approval.expires == "2026-03-02T12:00:00Z"


def test_the_command_that_is_shown_signs(desk: Desk, keys: dict[str, Path]) -> None:
    for name in ("ann", "bob"):
        command = sign_command(desk.statement).replace("~/.ssh/id_ed25519", str(keys[name]))
        env = {"PATH": "/usr/bin:/bin", "USER": name}
        subprocess.run(["sh", "-c", command], check=True, capture_output=True, env=env, timeout=60)
    assert desk.decide()[0] is not None


def test_the_same_person_twice_is_one(desk: Desk) -> None:
    desk.sign("ann")
    desk.sign("ann", suffix=".again")
    approval, said = desk.decide()
    assert approval is None
    assert "1 of 2 signatures" in said


def test_one_key_under_two_names_is_one(desk: Desk) -> None:
    desk.allow("ann", "bob=ann")
    desk.sign("ann")
    desk.sign("ann", suffix=".bob")
    approval, said = desk.decide()
    assert approval is None
    assert "1 of 2 signatures" in said


def test_one_name_with_two_keys_is_one(desk: Desk) -> None:
    desk.allow("ann", "ann=bob")
    desk.sign("ann")
    desk.sign("bob")
    approval, said = desk.decide()
    assert approval is None
    assert "1 of 2 signatures" in said


def bad_namespace(desk: Desk) -> None:
    desk.sign("bob", namespace="tfpipeline-evidence")


def other_bytes(desk: Desk) -> None:
    desk.sign("bob", data=desk.statement.read_bytes() + b"\n")


def nobody(desk: Desk) -> None:
    desk.sign("eve", suffix=".bob")


def not_a_signature(desk: Desk) -> None:
    desk.statement.with_name(f"{desk.statement.name}.bob.sig").write_text("bob agrees")


def empty(desk: Desk) -> None:
    desk.statement.with_name(f"{desk.statement.name}.bob.sig").touch()


def cut_off(desk: Desk) -> None:
    path = desk.sign("bob")
    path.write_bytes(path.read_bytes()[:-60])


@pytest.mark.parametrize("forge", [bad_namespace, other_bytes, nobody, not_a_signature, empty, cut_off])
def test_a_signature_that_is_none_does_not_count(desk: Desk, forge: Callable[[Desk], None]) -> None:
    desk.sign("ann")
    forge(desk)
    approval, said = desk.decide()
    assert approval is None
    assert "approval-production.json.bob.sig" in said
    assert "1 of 2 signatures" in said


def test_it_does_not_stop_those_that_are(desk: Desk) -> None:
    desk.sign("ann")
    desk.sign("cem")
    not_a_signature(desk)
    assert desk.decide()[0] is not None


def test_a_statement_that_was_changed_after_it_was_signed(desk: Desk) -> None:
    desk.sign("ann")
    desk.sign("bob")
    desk.statement.write_text(desk.statement.read_text().replace("2026-03-02T12", "2026-03-05T12"))
    approval, said = desk.decide()
    assert approval is None
    assert "0 of 2 signatures" in said


def test_who_was_taken_off_the_list(desk: Desk) -> None:
    desk.sign("ann")
    desk.sign("bob")
    assert desk.decide()[0] is not None
    desk.allow("ann", "cem")
    approval, said = desk.decide()
    assert approval is None
    assert "1 of 2 signatures" in said


def test_a_key_whose_time_is_over(desk: Desk) -> None:
    desk.sign("ann")
    desk.sign("bob")
    desk.allow("ann", "bob", options='valid-before="20260301130000Z" ')
    assert desk.decide()[0] is not None
    approval, said = desk.decide(NOW + timedelta(hours=2))
    assert approval is None
    assert "0 of 2 signatures" in said


def test_a_key_that_is_not_for_approvals(desk: Desk) -> None:
    desk.sign("ann")
    desk.sign("bob")
    desk.allow("ann", "bob", options='namespaces="tfpipeline-evidence" ')
    assert "0 of 2 signatures" in desk.decide()[1]


def test_a_statement_that_has_expired(desk: Desk) -> None:
    desk.sign("ann")
    desk.sign("bob")
    assert "expired at 2026-03-02T12:00:00Z" in desk.decide(NOW + timedelta(hours=24))[1]


def test_a_statement_that_nobody_signed_says_how(desk: Desk) -> None:
    said = desk.decide()[1]
    assert "has no signature beside it" in said
    assert sign_command(desk.statement) in said


def test_without_a_list_nobody_may(desk: Desk) -> None:
    desk.sign("ann")
    claim = verify_approval(Runner(), desk.statement, None, NOW)
    assert claim.signers == ()
    assert "`signers`" in "".join(claim.problems)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"ann ssh-ed25519 AAAA\n", b"# nobody\n"])
def test_a_list_that_names_nobody(desk: Desk, content: bytes) -> None:
    desk.sign("ann")
    desk.sign("bob")
    desk.signers.write_bytes(content)
    assert "0 of 2 signatures" in desk.decide()[1]


def test_a_heap_of_signatures_is_not_looked_at(desk: Desk) -> None:
    one = desk.sign("ann")
    for index in range(MAX_SIGNATURES):
        one.with_name(f"{desk.statement.name}.{index}.sig").symlink_to(one)
    assert f"{MAX_SIGNATURES + 1} signatures" in desk.decide()[1]


def test_what_was_verified_is_what_was_read(desk: Desk) -> None:
    """The statement is read once: a file that is swapped in between does not matter."""
    desk.sign("ann")
    desk.sign("bob")
    original = desk.statement.read_bytes()
    seen: list[bytes] = []

    def verifier(_runner: object, data: bytes, *_rest: object) -> Signature:
        seen.append(data)
        desk.statement.write_bytes(original.replace(b"production", b"staging"))
        return Signature("ann", "SHA256:1")

    claim = verify_approval(Runner(), desk.statement, desk.signers, NOW, verifier)
    assert seen == [original, original]
    assert claim.statement is not None
    assert claim.statement.environment == "production"
