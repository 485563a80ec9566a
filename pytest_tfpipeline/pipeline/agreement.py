"""Seek the approval that an environment wants, and keep in mind what exactly was agreed to."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.gate.approval import MANUAL, Approval, Claim, Request, Typed, meant_for, to_approval
from pytest_tfpipeline.gate.digest import only_became_known
from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.gate.result import EnvironmentResult, Proposal, Source
from pytest_tfpipeline.model import EnvironmentRun, PlanResult, PlanStatus, Target
from pytest_tfpipeline.pipeline.claims import Claims
from pytest_tfpipeline.pipeline.judge import Reading
from pytest_tfpipeline.pipeline.proposal import needs_apply
from pytest_tfpipeline.proof.approval import verify_approval, write_request
from pytest_tfpipeline.terraform.init import directory_of
from pytest_tfpipeline.terraform.inputs import named_files
from pytest_tfpipeline.terraform.plan import Plan
from pytest_tfpipeline.terraform.planning import planned_inputs
from pytest_tfpipeline.workspace import changed_files

NONE = "none"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of seeking an approval. Without one, `reasons` say why, and `waits` is the digest it is missing for.

    `request` is what was sought, if any was needed; `asked` says that a person was asked, which may have taken hours.
    """

    approval: Approval | None = None
    reasons: tuple[Reason, ...] = ()
    waits: str | None = None
    asked: bool = False
    request: Request | None = None


@dataclass(frozen=True, slots=True)
class _Agreed:
    """A plan that was agreed to; `inputs` is {file: SHA-256} of what it could read."""

    result: PlanResult
    plan: Plan
    inputs: Mapping[str, str]


class Agreement:
    """One per run that can apply. `waits` is the digest that an approval was missing for in a later wave."""

    def __init__(self, ctx: Context, source: Source, claims: Claims, signers: Path | None) -> None:
        self._ctx = ctx
        self._source = source
        self._claims = claims
        self._signers = signers
        self._used: set[str] = set()
        self._agreed: dict[tuple[str, str], _Agreed] = {}
        self.waits: str | None = None

    def seek(
        self,
        one: EnvironmentResult,
        proposal: Proposal,
        wave: int,
        ask: Callable[[Request], bool | None],
        others: Callable[[], Mapping[str, str | None]] = dict,
    ) -> Answer:
        """The approval of what is proposed, if it needs any: from what was claimed, else from a person.

        `others` tells the digests over the plans of the run's other environments, as far as they are known: what was
        claimed for those is left for their turn.
        """
        environment = one.environment
        if environment.approval == NONE or not self._needed(one):
            return Answer()
        request = self._request(one, proposal.digest, wave)
        given = self._meant_for(request, others)
        approval, reasons = to_approval(request, given, datetime.now(UTC))
        asked = approval is None and not given and environment.approval == MANUAL
        if asked and (said := ask(request)) is not None:
            given = (Typed(request.digest, f"{_who()}, on the terminal"),) if said else ()
            approval, reasons = to_approval(request, given, datetime.now(UTC))
            if not said:
                reasons = (Reason(Code.APPROVAL_MISSING, f"the apply to {environment.name} was not agreed to"),)
        if approval is not None:
            self._used.add(request.digest)
            return Answer(approval, asked=asked, request=request)
        return self._missing(request, reasons)

    def keep(self, environment: EnvironmentRun, readings: Sequence[Reading]) -> None:
        """These plans were agreed to, or needed no agreement."""
        for reading in readings:
            if reading.plan is not None:
                result = reading.result
                inputs = planned_inputs(self._ctx, self._ctx.run.target(result.root, environment.name))
                self._agreed[environment.name, result.root] = _Agreed(result, reading.plan, inputs)

    def not_agreed(
        self, environment: EnvironmentRun, targets: Sequence[Target], known: Mapping[str, Reading]
    ) -> tuple[str, ...]:
        """The roots among these whose new plan is another one than what was agreed to. One that was deferred has not
        been seen at all."""
        if environment.approval == NONE:
            return ()
        return tuple(target.root for target in targets if self._is_new(environment, target, known[target.root]))

    def _is_new(self, environment: EnvironmentRun, target: Target, reading: Reading) -> bool:
        if reading.plan is None or not needs_apply(target, reading.result):
            return False
        agreed = self._agreed.get((environment.name, target.root))
        if agreed is None or _state(agreed.result) != _state(reading.result):  # moved by another hand than this run's
            return True
        return not (self._same_files(target, agreed, reading.plan) and only_became_known(agreed.plan, reading.plan))

    def _same_files(self, target: Target, agreed: _Agreed, plan: Plan) -> bool:
        """Whether the plan could read the files that the agreed one could, and others only where its values name them:
        what was to be built during the apply, from values that are known now, may be there already."""
        now = planned_inputs(self._ctx, target)
        changed = changed_files(agreed.inputs, now)
        if not changed:
            return True
        named = named_files(directory_of(self._ctx, target.root, target.environment), plan)
        return all(name not in agreed.inputs and name in named for name in changed)

    def _needed(self, one: EnvironmentResult) -> bool:
        """No changes need no approval."""
        run = self._ctx.run
        return any(
            plan.status is PlanStatus.DEFERRED or needs_apply(run.target(plan.root, one.environment.name), plan)
            for plan in one.plans
        )

    def _request(self, one: EnvironmentResult, digest: str, wave: int) -> Request:
        return Request(
            repository=self._source.repository,
            environment=one.environment.name,
            commit=self._source.commit or "",
            digest=digest,
            wave=wave,
            kind=one.environment.approval,
            signatures=one.environment.signatures,
            not_seen=tuple(plan.root for plan in one.plans if plan.status is PlanStatus.DEFERRED),
        )

    def _meant_for(self, request: Request, others: Callable[[], Mapping[str, str | None]]) -> tuple[Claim, ...]:
        """What was claimed for this. Digests of other environments are asked for only where one may be theirs."""
        given = self._given()
        digests: dict[str, str | None] = {each.name: None for each in self._ctx.run.environments}
        if len(digests) > 1 and any(isinstance(one, Typed) and one.digest != request.digest for one in given):
            digests.update(others())
        return meant_for(request, given, digests)

    def _given(self) -> list[Claim]:
        """What was typed, without what has been used up by an earlier wave."""
        now = datetime.now(UTC)
        signed = [verify_approval(self._ctx.runner, path, self._signers, now) for path in self._claims.approvals]
        fresh = [one for one in signed if one.statement is None or one.statement.plan_set_digest not in self._used]
        return [*(Typed(digest) for digest in self._claims.approve if digest not in self._used), *fresh]

    def _missing(self, request: Request, reasons: tuple[Reason, ...]) -> Answer:
        if request.commit:  # without one the gate is closed, or the cloud is emulated, where a digest is enough
            write_request(Path(self._ctx.run.output_path), request, datetime.now(UTC))
        if any(reason.code is not Code.APPROVAL_MISSING for reason in reasons):
            return Answer(reasons=reasons, request=request)
        self.waits = request.digest if request.wave > 1 else None
        return Answer(reasons=reasons, waits=request.digest, request=request)


def _state(result: PlanResult) -> tuple[str, int]:
    return result.state_lineage, result.state_serial


def _who() -> str:
    """Whoever sits at the terminal, as the system knows them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"
