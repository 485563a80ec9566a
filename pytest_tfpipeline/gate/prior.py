"""What was applied before, held against what this run wants to apply. Pure: files and git are read elsewhere.

`after` wants evidence that the earlier environment was applied completely, from this commit, and not superseded since.
An environment itself must not be taken back to an older commit unawares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.model import EnvironmentRun
from pytest_tfpipeline.proof.complete import shortcomings, uncommitted
from pytest_tfpipeline.proof.document import Evidence
from pytest_tfpipeline.proof.verify import Proof


@dataclass(frozen=True, slots=True)
class Apply:
    """An apply of one environment that evidence tells of, whether it was completed or not.

    `run` is the id of the run, `ended` its end in seconds since 1970, `file` where it is told.
    """

    environment: str
    run: str
    repository: str
    commit: str | None
    ended: float
    emulated: bool
    complete: bool
    file: str


def apply_of(evidence: Evidence, file: str, environment: str) -> Apply | None:
    """What this evidence tells of an apply of that environment; None where none was begun."""
    part = evidence.environment(environment)
    if part is None or not part.applied:
        return None
    run = evidence.run
    complete = not any(shortcomings(evidence, environment))
    return Apply(environment, run.id, run.repository, run.commit, evidence.ended, part.emulated, complete, file)


def last(applies: Iterable[Apply], environment: str, repository: str, emulated: bool) -> Apply | None:
    """The one that ended last, of those of this environment; what was tried in an emulated cloud is another one."""
    found = _of(applies, environment, repository, emulated)
    return max(found, key=lambda one: (one.ended, one.run), default=None)


def to_after(
    environment: EnvironmentRun,
    proofs: Sequence[Proof],
    commit: str | None,
    repository: str,
    emulated: bool,
    known: Iterable[Apply] = (),
) -> Iterator[Reason]:
    """Nothing if one of the proofs is that of the environment that comes before (`after`); else what is wrong.

    `emulated` is whether this environment is; one that is takes the unsigned evidence of an emulated one. `known` are
    applies that earlier runs have kept; those that the proofs tell of are added.
    """
    before = environment.after
    if before is None:
        return
    about = [proof for proof in proofs if proof.evidence.environment(before) is not None]
    if not about:
        yield Reason(Code.PRIOR_MISSING, _missing(before, environment.name, proofs))
        return
    told = [apply_of(proof.evidence, proof.file, before) for proof in proofs]
    applies = [*known, *(one for one in told if one is not None)]
    against = {id(proof): [*_against(proof, before, commit, repository, emulated, applies)] for proof in about}
    if all(against.values()):
        for proof in about:
            for cause in against[id(proof)]:
                yield Reason(Code.PRIOR_INVALID, f"{proof.file} does not count as evidence of {before}: {cause}")


def to_rollback(last_applied: Apply | None, is_ancestor: bool | None, rollback_given: bool) -> Iterator[Reason]:
    """The commit that was applied here last is newer than this one, or nobody can say.

    `last_applied` is None where no apply is known: then there is nothing to go back behind. `is_ancestor` says whether
    its commit is an ancestor of this one, or this one; None where git cannot tell.
    """
    if last_applied is None or rollback_given or is_ancestor:
        return
    where = f"{last_applied.environment} was applied from {_short(last_applied.commit)} last ({last_applied.file})"
    if is_ancestor is None:
        text = f"{where}, and git cannot tell whether this commit comes after it: fetch the whole history"
    else:
        text = f"{where}, which this commit does not contain"
    yield Reason(Code.ROLLBACK, f"{text}; to go back on purpose: --tf-rollback")


def to_unread(environment: EnvironmentRun, unread: Iterable[str], rollback_given: bool) -> Iterator[Reason]:
    """Evidence of earlier runs that cannot be read, `FILE: WHY` each: any of them may have applied a newer commit."""
    if rollback_given:
        return
    for one in dict.fromkeys(unread):
        text = f"which commit was applied to {environment.name} last is not known: kept evidence cannot be read: {one}"
        yield Reason(Code.ROLLBACK, f"{text}; if that run applied nothing newer, move it away, else give --tf-rollback")


def _missing(before: str, name: str, proofs: Sequence[Proof]) -> str:
    given = f"; {', '.join(proof.file for proof in proofs)} says nothing about it" if proofs else ""
    return f"{name} comes after {before}, and there is no evidence of {before}{given}: give it with --tf-prior=FILE"


def _against(
    proof: Proof, before: str, commit: str | None, repository: str, emulated: bool, applies: Sequence[Apply]
) -> Iterator[str]:
    """Every cause for which this proof does not count, each a clause."""
    part = proof.evidence.environment(before)
    tried = part is not None and part.emulated
    if not (emulated and tried):
        yield from _unsure(proof)
        if tried:
            yield "it was made in an emulated cloud, which says nothing about a real one"
    yield from _elsewhere(proof.evidence, commit, repository)
    yield from shortcomings(proof.evidence, before)
    yield from _superseded(proof, before, tried, applies)


def _unsure(proof: Proof) -> Iterator[str]:
    """Nobody who counts vouches for it, or not for a commit."""
    yield from proof.problems
    if not proof.signed_by and not proof.problems:
        yield "it is not signed"
    yield from uncommitted(proof.evidence)


def _elsewhere(evidence: Evidence, commit: str | None, repository: str) -> Iterator[str]:
    if evidence.run.repository != repository:
        yield f"it is of another repository ({evidence.run.repository}; this is {repository})"
    if evidence.run.commit != commit:
        yield f"it is of another commit ({_short(evidence.run.commit)}; this is {_short(commit)})"


def _superseded(proof: Proof, before: str, emulated: bool, applies: Sequence[Apply]) -> Iterator[str]:
    """Any apply since, whoever tells of it: a claim can take away what a proof says, and not restore it."""
    run = proof.evidence.run
    for later in _of(applies, before, run.repository, emulated):
        if later.run == run.id or later.ended < proof.evidence.ended:
            continue
        if later.commit != run.commit:
            yield f"{before} was applied from {_short(later.commit)} since ({later.file})"
        elif not later.complete:
            yield f"a later apply of {before} was not completed ({later.file})"


def _of(applies: Iterable[Apply], environment: str, repository: str, emulated: bool) -> list[Apply]:
    wanted = (environment, repository, emulated)
    return [one for one in applies if (one.environment, one.repository, one.emulated) == wanted]


def _short(commit: str | None) -> str:
    return commit[:12] if commit else "no commit"
