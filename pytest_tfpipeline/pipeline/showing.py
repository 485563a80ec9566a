"""Gather what is shown before an approval: beside the plans, what the earlier environment did and what was reviewed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pytest_tfpipeline.gate.approval import SIGNED, Request
from pytest_tfpipeline.gate.digest import AddressChange
from pytest_tfpipeline.gate.parity import to_parity
from pytest_tfpipeline.gate.reasons import Code
from pytest_tfpipeline.gate.result import EnvironmentResult, Proposal
from pytest_tfpipeline.gate.review import Review, to_dropped, to_review
from pytest_tfpipeline.gate.verdict import NOT_SEEN
from pytest_tfpipeline.model import EnvironmentRun
from pytest_tfpipeline.pipeline.admission import Admission
from pytest_tfpipeline.proof.approval import request_path
from pytest_tfpipeline.proof.document import EnvironmentPart
from pytest_tfpipeline.reports.approval import Showing

Changes = Mapping[str, Sequence[AddressChange]]


def showing(
    admission: Admission,
    request: Request,
    one: EnvironmentResult,
    earlier: Sequence[EnvironmentResult],
    checks: Collection[str],
    command: Sequence[str],
    *,
    asked: bool,
    asks: bool = True,
) -> Showing:
    """All of it. `checks` are the ids that this run has, `command` is the one that goes on, but for the approval."""
    proposal = one.proposal or Proposal(request.digest)
    before = _before(admission, one.environment, earlier)
    review, review_signed = _review(admission, one, proposal)
    last, last_signed = _last_checks(admission, one.environment)
    return Showing(
        request=request,
        result=one,
        changes=proposal.changes,
        ref=admission.source.ref,
        earlier=before[0] if before else None,
        parity=to_parity(proposal.changes, _comparable(before[1], proposal.changes, admission, one))
        if before
        else None,
        parity_signed=before is None or before[2],
        review=review,
        review_signed=review_signed,
        dropped=to_dropped(last, checks),
        dropped_signed=last_signed,
        notes=tuple(note for note in (one.verdict.notes if one.verdict else ()) if not note.startswith(NOT_SEEN)),
        so_far=() if asked else tuple(_so_far(request, one)),
        command=tuple(command),
        statement=_from_here(request_path(admission.output, request.environment)),
        holds=admission.lasting,
        asked=asked,
        asks=asks,
    )


_OfRoot = TypeVar("_OfRoot")


def _comparable(
    earlier: Mapping[str, _OfRoot], here: Collection[str], admission: Admission, one: EnvironmentResult
) -> dict[str, _OfRoot]:
    """Without those of roots that wait for a later wave or are done: they are not missing `here`."""
    targets = admission.ctx.run.targets
    roots = {target.root for target in targets if target.environment == one.environment.name}
    return {root: found for root, found in earlier.items() if root in here or root not in roots}


def _so_far(request: Request, one: EnvironmentResult) -> Iterator[str]:
    """What is wrong with what was given, and what is missing of the signatures; not that nothing was given at all."""
    for reason in one.verdict.reasons if one.verdict else ():
        if reason.code is Code.APPROVAL_INVALID or (request.kind == SIGNED and request.digest not in reason.text):
            yield reason.text


def _from_here(path: Path) -> str:
    """As it is typed in this directory, where it lies below it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _before(
    admission: Admission, environment: EnvironmentRun, earlier: Sequence[EnvironmentResult]
) -> tuple[str, Changes, bool] | None:
    """The environment that went before, and what it was changed by: in this run, or, where that had nothing left to
    do, in the last one of this commit that is known; and whether this run or a signature vouches for that."""
    done = {one.environment.name: one for one in earlier if one.proposal is not None}
    name = environment.after or next(reversed(done), None)
    if name is None:
        return None
    now = done[name].proposal if name in done else None
    if now is not None and any(now.changes.values()):
        return name, now.changes, True
    emulated = (done[name].environment if name in done else environment).emulator is not None
    found = admission.last_changed(name, emulated=emulated)
    return (name, dict(_changes(found[0])), found[1]) if found is not None else None


def _review(admission: Admission, one: EnvironmentResult, proposal: Proposal) -> tuple[Review | None, bool]:
    """What was reviewed against what is proposed, and whether that evidence is signed."""
    for proof in admission.proofs:
        part = proof.evidence.environment(one.environment.name)
        if part is not None and part.plans and not part.applied:
            plans = {plan.root: plan.digest for plan in part.plans if plan.digest is not None}
            here = proposal.plans
            reviewed = Proposal(
                "",
                _comparable(plans, here, admission, one),
                _comparable(dict(_changes(part)), here, admission, one),
            )
            return to_review(reviewed, proposal, same_key=admission.lasting), bool(proof.signed_by)
    return None, True


def _changes(part: EnvironmentPart) -> Iterator[tuple[str, tuple[AddressChange, ...]]]:
    for plan in part.plans:
        yield plan.root, tuple(AddressChange(one.address, one.type, one.actions, one.digest) for one in plan.changes)


def _last_checks(admission: Admission, environment: EnvironmentRun) -> tuple[dict[str, str], bool]:
    """The checks that the last known apply here had, by id, and whether its evidence is signed."""
    found = admission.last_evidence(environment)
    if found is None:
        return {}, True
    evidence, signed = found
    about = (None, environment.name)
    checks = {one.id: one.check.value for one in evidence.checks if one.check is not None and one.environment in about}
    return checks, signed
