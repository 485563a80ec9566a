"""An approval as a document: what people sign, and what is believed of what they have signed.

The statement is a small JSON file. Its signatures are files beside it, `FILE.sig` and `FILE.NAME.sig`, made by
`ssh-keygen -Y sign` over its exact bytes in a namespace of their own.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from pytest_tfpipeline.errors import ProofError
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.proof.ssh import Signature, verify
from pytest_tfpipeline.proof.strict import parse_document, read_bytes
from pytest_tfpipeline.workspace import make_private, write_private

SCHEMA_VERSION = 1
KIND = "tfpipeline-approval"
#: The namespace of the signatures: one made for anything else does not count.
NAMESPACE = "tfpipeline-approval"
#: How long a statement holds that was written for signing.
DEFAULT_VALIDITY = timedelta(hours=24)
#: The furthest that an expiry may lie ahead.
MAX_AHEAD = timedelta(days=7)
#: Bytes of a statement, and signature files beside it.
MAX_BYTES = 16 * 1024
MAX_SIGNATURES = 32

_ANEW = "let a run write it anew, and sign that"
_TIME = "%Y-%m-%dT%H:%M:%SZ"
_PLAIN = r"[^\x00-\x1f\x7f]{1,500}"
_FIELDS = {
    "repository": _PLAIN,
    "environment": _PLAIN,
    "commit": r"[0-9a-f]{40}|[0-9a-f]{64}",
    "plan_set_digest": r"sha256:[0-9a-f]{64}",
    "expires": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z",
}
_SHAPES = {
    "repository": "a text of one line",
    "environment": "a text of one line",
    "commit": "the whole name of a commit, in hex",
    "plan_set_digest": "sha256: and 64 hex digits",
    "expires": "a time in UTC, as 2026-01-31T12:00:00Z",
}


class Asked(Protocol):
    """What an approval is asked for."""

    @property
    def repository(self) -> str: ...

    @property
    def environment(self) -> str: ...

    @property
    def commit(self) -> str: ...

    @property
    def digest(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Statement:
    """What a signature agrees to. `expires` is in UTC; a statement that was read always has one."""

    repository: str
    environment: str
    commit: str
    plan_set_digest: str
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class SignedApproval:
    """An `--approval FILE` (`source`), as far as it can be believed.

    `statement` is None where the file cannot be read as one; `signers` are those whose signatures over its bytes hold.
    `problems` says what is wrong with the file or with single signatures.
    """

    source: str
    statement: Statement | None
    signers: tuple[Signature, ...] = ()
    problems: tuple[str, ...] = ()


#: `ssh.verify`, or what stands in for it.
Verifier = Callable[[Runner, bytes, Path, Path, str, datetime], Signature]


def request_path(output: Path, environment: str) -> Path:
    """Where the statement for an environment is written; no name of an environment leads out of `output`."""
    return output / f"approval-{re.sub(r'[^A-Za-z0-9_.-]', '_', environment)}.json"


def write_request(output: Path, request: Asked, now: datetime) -> Path:
    """Write the statement to sign and return its path.

    One that is there already for exactly this stays as it is while it is good: signed until it expires, not signed
    for half of its time. Otherwise the signatures beside it go with it, since they sign nothing any more. Raises
    ProofError without a commit that an approval could be bound to.
    """
    path = request_path(output, request.environment)
    if not request.commit:
        raise ProofError("nobody can sign for what is no commit", where=str(path), mend="commit first, then run again")
    wanted = Statement(
        request.repository,
        request.environment,
        request.commit,
        request.digest,
        now.astimezone(UTC).replace(microsecond=0) + DEFAULT_VALIDITY,
    )
    if _still_good(path, wanted, now):
        return path
    for signature in signature_files(path):
        signature.unlink(missing_ok=True)
    return write_private(make_private(output) / path.name, dump_statement(wanted))


def dump_statement(statement: Statement) -> str:
    """The document: one key a line, so that whoever signs it can read it."""
    document = {
        "schema_version": SCHEMA_VERSION,
        "kind": KIND,
        "repository": statement.repository,
        "environment": statement.environment,
        "commit": statement.commit,
        "plan_set_digest": statement.plan_set_digest,
        **({"expires": statement.expires.astimezone(UTC).strftime(_TIME)} if statement.expires else {}),
    }
    return json.dumps(document, indent=1) + "\n"


def read_approval(path: Path) -> Statement:
    """The statement in that file; raises ProofError. Nothing of it is proved: see `verify_approval`."""
    return _parse(read_bytes(path, limit=MAX_BYTES), path)


def signature_files(path: Path) -> tuple[Path, ...]:
    """The signatures beside a statement, `FILE.sig` and `FILE.NAME.sig`, by name."""
    try:
        beside = sorted(path.parent.iterdir())
    except OSError:
        return ()
    return tuple(
        one for one in beside if one.name.startswith(f"{path.name}.") and one.name.endswith(".sig") and one.is_file()
    )


def verify_approval(
    runner: Runner, path: Path, signers: Path | None, now: datetime, verifier: Verifier = verify
) -> SignedApproval:
    """Read a statement and verify each signature beside it over the very bytes that were read.

    What is wrong with them is in `problems` and never raised; ToolError where there is no ssh-keygen. `signers` is the
    file of those who may approve (`allowed_signers`).
    """
    source = str(path)
    try:
        data = read_bytes(path, limit=MAX_BYTES)
        statement = _parse(data, path)
        if signers is None:
            raise ProofError(
                "nobody is named who may approve", where=source, mend="name an allowed_signers file: `signers`"
            )
    except ProofError as error:
        return SignedApproval(source, None, problems=(_told(error, source),))
    try:
        files = _beside(path)
    except ProofError as error:  # the statement is what it is, and nobody has signed it
        return SignedApproval(source, statement, problems=(_told(error, source),))
    found: list[Signature] = []
    problems: list[str] = []
    for file in files:
        try:
            found.append(verifier(runner, data, file, signers, NAMESPACE, now))
        except ProofError as error:
            problems.append(_told(error, source))
    return SignedApproval(source, statement, tuple(found), tuple(dict.fromkeys(problems)))


def _beside(path: Path) -> tuple[Path, ...]:
    files = signature_files(path)
    if not files:
        raise ProofError("has no signature beside it", where=str(path), mend=f"sign it: {sign_command(path)}")
    if len(files) > MAX_SIGNATURES:
        raise ProofError(
            f"has {len(files)} signatures beside it, and {MAX_SIGNATURES} are looked at",
            where=str(path),
            mend="remove those that are of nobody named in `signers`",
        )
    return files


def sign_command(path: Path | str) -> str:
    """The command for a person who approves: a signature of their own beside the statement."""
    quoted = shlex.quote(str(path))
    return f"ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n {NAMESPACE} < {quoted} > {quoted}.$USER.sig"


def _told(error: ProofError, source: str) -> str:
    """In one line; the file is named by whoever shows it, so one beside it needs no directory."""
    beside = error.where and Path(error.where).parent == Path(source).parent
    named = Path(error.where).name if error.where and beside else error.where
    where = f"{named}: " if error.where and error.where != source else ""
    return f"{where}{error.what}" + (f" ({error.mend})" if error.mend else "")


def _still_good(path: Path, wanted: Statement, now: datetime) -> bool:
    with suppress(ProofError):
        there = read_approval(path)
        left = (there.expires or now) - now
        enough = timedelta(0) if signature_files(path) else DEFAULT_VALIDITY / 2
        return replace(there, expires=wanted.expires) == wanted and enough < left <= MAX_AHEAD
    return False


def _parse(data: bytes, path: Path) -> Statement:
    document = parse_document(data, str(path))
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise ProofError(f"is no approval: its `kind` is not {KIND!r}", where=str(path), mend=_ANEW)
    version = document.get("schema_version")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise ProofError(
            f"has schema version {version!r:.40}, and {SCHEMA_VERSION} is known",
            where=str(path),
            mend="use the version of pytest-tfpipeline that wrote it",
        )
    unknown = sorted(set(document) - {*_FIELDS, "kind", "schema_version"})
    if unknown:
        raise ProofError(f"has an unknown key {unknown[0]!r:.80}", where=str(path), mend=_ANEW)
    texts = {name: _text(document, name, path) for name in _FIELDS}
    return Statement(
        texts["repository"],
        texts["environment"],
        texts["commit"],
        texts["plan_set_digest"],
        _time(texts["expires"], path),
    )


def _text(document: dict[str, object], name: str, path: Path) -> str:
    value = document.get(name)
    if not isinstance(value, str) or re.fullmatch(_FIELDS[name], value) is None:
        what = "is missing" if name not in document else f"is not {_SHAPES[name]}"
        raise ProofError(f"`{name}` {what}", where=str(path), mend=_ANEW)
    return value


def _time(text: str, path: Path) -> datetime:
    try:
        return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
    except ValueError as error:
        raise ProofError(f"`expires` is not {_SHAPES['expires']}", where=str(path), mend=_ANEW) from error
