"""What a file of evidence proves: whether it is whole, and who vouches for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pytest_tfpipeline.errors import ProofError
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.proof.document import Evidence, evidence_of
from pytest_tfpipeline.proof.ssh import EVIDENCE_NAMESPACE, Signature, read_signers, verify
from pytest_tfpipeline.proof.statement import STATEMENT, evidence_of_statement
from pytest_tfpipeline.proof.strict import parse_document, read_bytes

NO_SIGNERS = "no list of signers was given (`--signers FILE`, or `signers` in the configuration): no signature counts"
CHECKSUM_ONLY = (
    f"it is not signed: its checksum finds damage, but anybody can compute one; {STATEMENT}, with its .sig, is signed"
)


@dataclass(frozen=True, slots=True)
class Proof:
    """A file of evidence that could be read, and whose word it is.

    `signed_by` is empty, and `problems` says why, each in a clause, where nobody who counts vouches for it.
    """

    file: str
    evidence: Evidence
    signed_by: tuple[Signature, ...] = ()
    problems: tuple[str, ...] = ()


def verify_evidence(runner: Runner, file: Path, signers: Path | None, now: datetime | None = None) -> Proof:
    """Read `evidence.json`, or `evidence.statement.json` with its signature beside it.

    `signers` is the `allowed_signers` file; without one, no signature counts. Raises ProofError where the file or that
    list cannot be read, or the file is no evidence; a signature that is not good is a problem of the proof.
    """
    data = read_bytes(file)
    value = parse_document(data, str(file))
    if not isinstance(value, dict) or "_type" not in value:
        return Proof(str(file), evidence_of(value, str(file)), problems=(CHECKSUM_ONLY,))
    evidence = evidence_of_statement(value, str(file))
    if signers is None:
        return Proof(str(file), evidence, problems=(NO_SIGNERS,))
    read_signers(signers)
    try:
        signature = verify(runner, data, _beside(file), signers, EVIDENCE_NAMESPACE, now)
    except ProofError as error:
        return Proof(str(file), evidence, problems=tuple(_unsigned(error, _beside(file))))
    return Proof(str(file), evidence, (signature,))


def _beside(file: Path) -> Path:
    return file.with_name(file.name + ".sig")


def _unsigned(error: ProofError, signature: Path) -> Iterator[str]:
    if not signature.exists():
        yield f"it is not signed: there is no {signature.name} beside it"
    else:
        yield f"{signature.name} {error.what}"
