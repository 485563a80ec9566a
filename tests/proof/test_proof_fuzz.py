"""Whatever is done to evidence, statements, signatures and lists of signers: an answer, never a traceback, and never
a proof of what was not signed."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from damage import Change, changes
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.errors import ProofError
from pytest_tfpipeline.gate.prior import to_after
from pytest_tfpipeline.model import EnvironmentRun
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.proof.document import evidence_of
from pytest_tfpipeline.proof.statement import write_statement
from pytest_tfpipeline.proof.verify import Proof, verify_evidence
from pytest_tfpipeline.reports.proof import not_proved, proof_text


@pytest.fixture(scope="module")
def files(
    tmp_path_factory: pytest.TempPathFactory, document: Callable[..., dict[str, Any]], runner: Runner, people: Any
) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("whole")
    path = write_statement(runner, folder, document(), people.key("alice"))
    assert path is not None
    return {
        "statement": path.read_bytes(),
        "signature": path.with_name(path.name + ".sig").read_bytes(),
        "signers": people.signers(
            "mallory@x {mallory}", 'alice@x namespaces="tfpipeline-evidence" {alice}'
        ).read_bytes(),
        "evidence": json.dumps(document(), indent=1).encode(),
    }


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory, runner: Runner) -> Callable[..., bool]:
    """A function that verifies these contents; whether they are a proof."""
    folder = tmp_path_factory.mktemp("fuzz")

    def verify(statement: bytes, signature: bytes, signers: bytes) -> bool:
        file = folder / "evidence.statement.json"
        for path, data in ((file, statement), (folder / f"{file.name}.sig", signature), (folder / "signers", signers)):
            path.write_bytes(data)
        try:
            proof = verify_evidence(runner, file, folder / "signers")
        except ProofError:
            return False
        proved = not not_proved(proof, None)
        assert ("Proved: " in proof_text(proof, None)) == proved
        return proved

    return verify


def test_what_was_signed_is_proved(files: dict[str, bytes], ask: Callable[..., bool]) -> None:
    assert ask(files["statement"], files["signature"], files["signers"])


@given(change=changes())
@settings(max_examples=150, deadline=None)
def test_a_changed_statement_is_never_proved(change: Change, files: dict[str, bytes], ask: Callable[..., bool]) -> None:
    changed = change(files["statement"])
    assert not ask(changed, files["signature"], files["signers"]) or changed == files["statement"]


@given(change=changes())
@settings(max_examples=150, deadline=None)
def test_a_changed_signature_proves_nothing_else(
    change: Change, files: dict[str, bytes], ask: Callable[..., bool], document: Callable[..., dict[str, Any]]
) -> None:
    """It may still be good, with another line break; for another statement it never is."""
    other = files["statement"].replace(b"staging", b"stagins")
    ask(files["statement"], change(files["signature"]), files["signers"])
    assert not ask(other, change(files["signature"]), files["signers"])


@given(change=changes())
@settings(max_examples=150, deadline=None)
def test_a_changed_list_of_signers_gives_an_answer(
    change: Change, files: dict[str, bytes], ask: Callable[..., bool]
) -> None:
    ask(files["statement"], files["signature"], change(files["signers"]))


@given(change=changes() | st.binary(max_size=200).map(lambda data: lambda _: data))
@settings(max_examples=300, deadline=None)
def test_bare_evidence_is_never_proved(change: Change, files: dict[str, bytes], ask: Callable[..., bool]) -> None:
    assert not ask(change(files["evidence"]), files["signature"], files["signers"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, each in inner for found in places(each, (*path, key)))]


@given(data=st.data(), value=JSON)
@settings(max_examples=500, deadline=None)
def test_any_value_anywhere_is_read_or_refused(
    data: st.DataObject, value: Any, document: Callable[..., dict[str, Any]]
) -> None:
    """With a right checksum: the shape alone has to hold."""
    where = data.draw(st.sampled_from(places(document())[1:]))

    def edit(made: dict[str, Any]) -> None:
        inner: Any = made
        for key in where[:-1]:
            inner = inner[key]
        inner[where[-1]] = value

    made = document(edit)
    with suppress(ProofError):
        proof = Proof("given", evidence_of(made, "given"))
        assert "Proved: " not in proof_text(proof, None)
        assert [*to_after(EnvironmentRun("production", after="staging"), [proof], "1" * 40, "x", False)]
