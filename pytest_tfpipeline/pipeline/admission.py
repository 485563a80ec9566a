"""What stands against an environment beside its own checks: the tree, the order of environments, states that moved."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.errors import PipelineError, ProofError
from pytest_tfpipeline.gate import objections
from pytest_tfpipeline.gate.claim import differ, to_plans
from pytest_tfpipeline.gate.prior import Apply, apply_of, last, to_after, to_rollback, to_unread
from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.gate.result import EnvironmentResult, Proposal, Source
from pytest_tfpipeline.model import EnvironmentRun, PlanStatus
from pytest_tfpipeline.parallel import in_parallel
from pytest_tfpipeline.pipeline.build import changed_since
from pytest_tfpipeline.pipeline.claims import Claims
from pytest_tfpipeline.pipeline.deciding import changed_deciding, not_committed
from pytest_tfpipeline.pipeline.expected import plan_check_id
from pytest_tfpipeline.pipeline.history import Kept, is_ancestor, kept_evidence, last_kept
from pytest_tfpipeline.pipeline.judge import Reading
from pytest_tfpipeline.pipeline.proposal import needs_apply, propose
from pytest_tfpipeline.pipeline.source import read_commit, read_tree_state
from pytest_tfpipeline.proof.document import EnvironmentPart, Evidence, read_evidence
from pytest_tfpipeline.proof.verify import Proof, verify_evidence
from pytest_tfpipeline.terraform.current import current_state
from pytest_tfpipeline.terraform.locked import unlocked

#: States that are read at the same time.
_PARALLEL = 4


@dataclass(frozen=True)
class Admission:
    """One per run that can apply.

    `key` is what secrets enter digests under, and `lasting` whether other runs know it. `proofs` is the evidence that
    was given, verified.
    """

    ctx: Context
    top: Path
    source: Source
    claims: Claims
    key: bytes
    lasting: bool
    proofs: tuple[Proof, ...] = ()
    #: What the check job says, where check and apply are jobs of their own.
    claimed: Evidence | None = None

    @property
    def output(self) -> Path:
        """Where evidence is, of this run and of earlier ones."""
        return Path(self.ctx.run.output_path)

    def to_tree(self, environment: EnvironmentRun) -> Iterator[Reason]:
        """The tree is not the commit any more, or never was."""
        run, runner = self.ctx.run, self.ctx.runner
        yield from objections.to_changes_of_tree(tuple(dict.fromkeys((*changed_since(run), *changed_deciding(run)))))
        yield from objections.to_moved_commit(run.commit, read_commit(runner, self.top))
        roots = tuple(target.root for target in run.targets)
        tree = read_tree_state(runner, self.top, roots)
        yield from objections.to_tree(tree.dirty, tree.ignored, environment)
        yield from objections.to_deciding(not_committed(runner, run), environment)
        yield from objections.to_locks(unlocked(self.ctx, environment.name), environment)

    def to_order(self, environment: EnvironmentRun, earlier: Sequence[EnvironmentResult]) -> Iterator[Reason]:
        """The environment that comes before this one, and the commit that was applied here last."""
        emulated = environment.emulator is not None
        done = {one.environment.name: one for one in earlier}
        if environment.after in done:
            yield from _to_emulated(environment, done[environment.after])
        elif environment.after is not None:
            known = self._kept(environment.after, emulated=emulated).apply
            commit, repository = self.source.commit, self.source.repository
            yield from to_after(environment, self.proofs, commit, repository, emulated, [known] if known else [])
        if not emulated:  # trying things out may go back and forth
            for found in self._last_applies(environment.name, emulated=False):
                follows = is_ancestor(self.ctx.runner, self.top, found.commit, self.source.commit)
                yield from to_rollback(found, follows, self.claims.rollback)
            yield from to_unread(environment, self._unread(environment, done), self.claims.rollback)

    def to_proposal(
        self, environment: EnvironmentRun, proposal: Proposal, readings: Sequence[Reading]
    ) -> Iterator[Reason]:
        """Plans that are not those that the check job saw, and would change anything."""
        if self.claimed is not None:
            part, idle = self.claimed.environment(environment.name), self._idle(environment, readings)
            yield from to_plans(environment.name, part, proposal.digest, lasting=self.lasting, idle=idle)

    def idle_notes(
        self, environment: EnvironmentRun, proposal: Proposal, readings: Sequence[Reading]
    ) -> tuple[str, ...]:
        """That the check job saw other plans, and nothing is left to change."""
        if self.claimed is None or not self._idle(environment, readings):
            return ()
        other = differ(self.claimed.environment(environment.name), proposal.digest)
        return ("the check job saw other plans; nothing is left to change now",) if other else ()

    def _idle(self, environment: EnvironmentRun, readings: Sequence[Reading]) -> bool:
        """Whether every root that would be applied was planned, and none of these plans does anything."""
        found = [(self.ctx.run.target(one.result.root, environment.name), one) for one in readings]
        return all(
            one.plan is not None and one.result.status is PlanStatus.PLANNED and not needs_apply(target, one.result)
            for target, one in found
            if target.apply
        )

    def to_unfinished(self, earlier: Sequence[EnvironmentResult]) -> Iterator[Reason]:
        """Of an environment that was never judged: an earlier one was not completed."""
        for one in earlier:
            if not one.complete:
                yield Reason(Code.PRIOR_MISSING, f"{one.environment.name}, which comes before, was not completed")

    def notes(self, environment: EnvironmentRun) -> tuple[str, ...]:
        """Kept evidence that could not be read where that does not stand against an apply."""
        if environment.emulator is None and not self.claims.rollback:
            return ()
        kept = self._kept(environment.name, emulated=environment.emulator is not None)
        return tuple(f"kept evidence was not counted: {one}" for one in kept.unread)

    def last_evidence(self, environment: EnvironmentRun) -> tuple[Evidence, bool] | None:
        """The evidence of the last apply here that is known, and whether it is signed."""
        found = next(iter(self._last_applies(environment.name, emulated=environment.emulator is not None)), None)
        if found is None:
            return None
        for proof in self.proofs:
            if proof.file == found.file:
                return proof.evidence, bool(proof.signed_by)
        with suppress(ProofError):
            return read_evidence(Path(found.file)), False
        return None

    def last_changed(self, environment: str, *, emulated: bool) -> tuple[EnvironmentPart, bool] | None:
        """What the last known run of this commit that changed anything there says of it, and whether that is signed:
        given, else kept."""
        given = ((proof.evidence, bool(proof.signed_by)) for proof in self.proofs)
        kept = ((evidence, False) for evidence in kept_evidence(self.output))
        for evidence, signed in chain(given, kept):
            part, run = evidence.environment(environment), evidence.run
            if (run.repository, run.commit) != (self.source.repository, self.source.commit) or part is None:
                continue
            if part.emulated == emulated and any(one.outcome == "applied" for one in part.applied):
                return part, signed
        return None

    def moved(self, environment: EnvironmentRun, readings: Iterable[Reading]) -> dict[str, Reason]:
        """By root, what stands against its plan because its state is not any more the one that it was made on."""
        planned = [one for one in readings if one.result.status is PlanStatus.PLANNED]
        planned = [one for one in planned if self.ctx.run.target(one.result.root, environment.name).apply]
        runner = self.ctx.runner
        found = in_parallel(lambda one: self._moved(environment, one), planned, _PARALLEL, runner.interrupt)
        return {one.result.root: reason for one, reason in zip(planned, found, strict=True) if reason is not None}

    def propose(
        self, environment: EnvironmentRun, readings: Sequence[Reading], account: str | None, done: Sequence[str] = ()
    ) -> Proposal:
        """The digests of what would be applied."""
        return propose(
            self.ctx,
            environment.name,
            readings,
            account=account,
            repository=self.source.repository,
            key=self.key,
            done=done,
        )

    def _moved(self, environment: EnvironmentRun, reading: Reading) -> Reason | None:
        result = reading.result
        check = plan_check_id(self.ctx.run.repository, result.root, environment.name)
        try:
            now = current_state(self.ctx, self.ctx.run.target(result.root, environment.name))
        except PipelineError as error:
            return Reason(Code.STATE_MOVED, str(error), check)
        if now == (result.state_lineage, result.state_serial):
            return None
        return Reason(
            Code.STATE_MOVED,
            f"its state has serial {now[1]}, and the plan was made on {result.state_serial}: somebody applied or "
            "changed it meanwhile; run again",
            check,
        )

    def _last_applies(self, environment: str, *, emulated: bool) -> tuple[Apply, ...]:
        """The last one, from kept evidence or signed; and where unsigned evidence tells of a later one, that one too: a
        claim may stand against an apply, and never in the place of what is known."""
        kept = self._kept(environment, emulated=emulated).apply
        told = [(apply_of(proof.evidence, proof.file, environment), bool(proof.signed_by)) for proof in self.proofs]
        known = [kept, *(one for one, signed in told if signed)]
        found = [
            last([one for one in among if one is not None], environment, self.source.repository, emulated)
            for among in (known, [*known, *(one for one, _ in told)])
        ]
        return tuple(dict.fromkeys(one for one in found if one is not None))

    def _unread(self, environment: EnvironmentRun, earlier: Collection[str]) -> Iterator[str]:
        """Kept evidence that may tell of a later apply here, or of the environment that this run relies on."""
        names = {environment.name, environment.after} - {None, *earlier}
        for name in sorted(filter(None, names)):
            yield from self._kept(name, emulated=False).unread

    def _kept(self, environment: str, *, emulated: bool) -> Kept:
        return last_kept(self.output, environment, self.source.repository, emulated)


def read_priors(ctx: Context, claims: Claims, signers: Path | None) -> tuple[Proof, ...]:
    """The evidence that was given, each verified; raises ProofError for what cannot be read as evidence."""
    return tuple(verify_evidence(ctx.runner, path, signers) for path in claims.priors)


def _to_emulated(environment: EnvironmentRun, before: EnvironmentResult) -> Iterator[Reason]:
    if before.environment.emulator is not None and environment.emulator is None:
        text = f"{before.environment.name} is emulated, which says nothing about {environment.name}"
        yield Reason(Code.PRIOR_INVALID, text)
