"""Whether an apply is approved: what was asked for, held against what was given. Pure: files and clocks come in.

An approval is bound to the digest over the plans of the whole environment. Plans that come out differently, because
the state, a file, a variable or a provider has changed, have another digest, and no approval yet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.proof.approval import MAX_AHEAD, SignedApproval, Statement
from pytest_tfpipeline.proof.ssh import Signature

MANUAL = "manual"
SIGNED = "signed"

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Request:
    """What has to be approved.

    `digest` is over the plans of all roots of the environment; `commit` is "" where there is none. `wave` is the one
    that would begin, and `not_seen` the roots whose plans can only be made after an earlier wave: both are shown and
    not bound, since the digest says as much. `kind` is "manual" or "signed", which wants so many `signatures`.
    """

    repository: str
    environment: str
    commit: str
    digest: str
    wave: int = 1
    kind: str = MANUAL
    signatures: int = 1
    not_seen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Typed:
    """A digest that a person agreed to: with `--approve`, or by answering on a terminal that showed it.

    `by` says how, and who as far as that is known; nobody has verified it.
    """

    digest: str
    by: str = "--approve"


#: What was given for an approval.
Claim = Typed | SignedApproval


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval that holds. `at` is when that was found, `expires` when it ends (both ISO 8601, UTC)."""

    kind: str
    digest: str
    by: tuple[str, ...]
    at: str
    expires: str | None = None


def to_approval(request: Request, given: Sequence[Claim], now: datetime) -> tuple[Approval | None, tuple[Reason, ...]]:
    """The approval, or the reasons why there is none: `approval-missing` where nothing was given that could be one, or
    the right statement and not enough signatures, `approval-invalid` where something was and does not hold.

    `now` is aware of its time zone. Claims for other environments of the same run are taken out by `meant_for`.
    """
    if request.kind == MANUAL:
        return _manual(request, given, now)
    if request.kind == SIGNED:
        return _signed(request, given, now)
    text = f"`approval` of {request.environment} is {request.kind!r}, which nobody can give"
    return None, (Reason(Code.APPROVAL_INVALID, text),)


def is_digest(text: str) -> bool:
    """Whether that can be the digest over any plans."""
    return _DIGEST.fullmatch(text) is not None


def meant_for(request: Request, given: Iterable[Claim], others: Mapping[str, str | None]) -> tuple[Claim, ...]:
    """The claims without those that plainly are for another environment of this run.

    `others` holds these environments, each with the digest over its plans where that is known.
    """
    digests = {digest for digest in others.values() if digest is not None} - {request.digest}
    names = others.keys() - {request.environment}
    return tuple(claim for claim in given if not _is_for(claim, names, digests))


def _is_for(claim: Claim, environments: Iterable[str], digests: Iterable[str]) -> bool:
    if isinstance(claim, Typed):
        return claim.digest in digests
    return claim.statement is not None and claim.statement.environment in environments


def _manual(request: Request, given: Sequence[Claim], now: datetime) -> tuple[Approval | None, tuple[Reason, ...]]:
    typed = [claim for claim in given if isinstance(claim, Typed)]
    found = next((claim for claim in typed if _same_digest(claim.digest, request.digest)), None)
    if found is not None:
        return Approval(MANUAL, request.digest, (found.by,), to_iso(now)), ()
    against = [*(_wrong_digest(claim, request) for claim in typed)]
    against += [_wrong_kind(claim.source, request) for claim in given if isinstance(claim, SignedApproval)]
    return None, _reasons(request, against)


def _same_digest(given: str, wanted: str) -> bool:
    return given == wanted and is_digest(wanted)


def _wrong_digest(claim: Typed, request: Request) -> str:
    if not is_digest(claim.digest):
        return f"{claim.by} {_short(claim.digest)} is not a digest: it takes all of it, sha256: and 64 hex digits"
    return f"{claim.by} {claim.digest} is for other plans than those of {request.environment}, {request.digest}"


def _wrong_kind(source: str, request: Request) -> str:
    how = "--approve DIGEST, or an answer on a terminal" if request.kind == MANUAL else "--approval FILE"
    return f"{source} does not count: {request.environment} is approved with {how}"


def _signed(request: Request, given: Sequence[Claim], now: datetime) -> tuple[Approval | None, tuple[Reason, ...]]:
    documents = [claim for claim in given if isinstance(claim, SignedApproval)]
    against = [_wrong_kind(claim.by, request) for claim in given if isinstance(claim, Typed)]
    holding: list[tuple[Signature, Statement]] = []
    right = False
    for document in documents:
        wrong = [*_against(document.statement, request, now)]
        against += [f"{document.source}: {text}" for text in (*document.problems, *wrong)]
        if document.statement is not None and not wrong:
            right = True
            holding += [(signer, document.statement) for signer in document.signers]
    people = different_people([signer for signer, _ in holding])
    if len(people) >= max(request.signatures, 1):
        until = min(statement.expires for signer, statement in holding if signer in people if statement.expires)
        by = tuple(map(str, people))
        return Approval(SIGNED, request.digest, by, to_iso(now), to_iso(until)), ()
    if documents:
        against.append(_too_few(people, request))
    # Of the right statement, signatures may still come: that is no answer yet.
    waits = right and len(documents) == len(given)
    return None, _reasons(request, against, Code.APPROVAL_MISSING if waits else Code.APPROVAL_INVALID)


def _against(statement: Statement | None, request: Request, now: datetime) -> Iterator[str]:
    """What is wrong with a statement that could be read; what could not be read has said so itself."""
    if statement is None:
        return
    bound = (
        ("environment", statement.environment, request.environment),
        ("repository", statement.repository, request.repository),
        ("commit", statement.commit, request.commit),
        ("plans", statement.plan_set_digest, request.digest),
    )
    for what, said, wanted in bound:
        if said != wanted or not wanted:
            yield f"it approves {what} {_short(said)}, and this is {wanted or 'without one'}"
    if statement.expires is None:
        yield "it has no expiry, so it would hold for ever"
    elif statement.expires <= now:
        yield f"it expired at {to_iso(statement.expires)}"
    elif statement.expires > now + MAX_AHEAD:
        yield f"it expires at {to_iso(statement.expires)}, and an approval may hold for {MAX_AHEAD.days} days at most"


def _too_few(people: Sequence[Signature], request: Request) -> str:
    count = len(people)
    wanted = f"{request.signatures} signature{'' if request.signatures == 1 else 's'}"
    who = f" ({', '.join(signer.principal for signer in people)})" if people else ""
    rule = " by different people with different keys" if request.signatures > 1 else ""
    return f"{count} of {wanted}{rule} that {request.environment} wants{who}"


def _reasons(request: Request, against: Sequence[str], code: Code = Code.APPROVAL_INVALID) -> tuple[Reason, ...]:
    if against:
        return tuple(Reason(code, text) for text in dict.fromkeys(against))
    return (Reason(Code.APPROVAL_MISSING, f"{request.environment} waits for an approval of {request.digest}"),)


def different_people(signers: Sequence[Signature]) -> tuple[Signature, ...]:
    """As many of the signers as there are such that no two share a principal, in whatever case, or a key."""
    by_key: dict[str, Signature] = {}

    def place(person: str, tried: set[str]) -> bool:
        """Give the person one of their keys, if need be by giving its holder another one of theirs."""
        for signer in signers:
            if signer.principal.casefold() == person and signer.key not in tried:
                tried.add(signer.key)
                holder = by_key.get(signer.key)
                if holder is None or place(holder.principal.casefold(), tried):
                    by_key[signer.key] = signer
                    return True
        return False

    for person in dict.fromkeys(signer.principal.casefold() for signer in signers):
        place(person, set())
    return tuple(sorted(by_key.values(), key=lambda signer: (signer.principal, signer.key)))


def to_iso(moment: datetime) -> str:
    """`2026-01-31T12:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"{text[:100]}..."
