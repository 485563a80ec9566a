"""Evidence of the environment that comes before: every cause for which it does not count is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_tfpipeline.gate.prior import Apply, apply_of, last, to_after, to_rollback
from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.model import EnvironmentRun
from pytest_tfpipeline.proof.document import evidence_of
from pytest_tfpipeline.proof.ssh import Signature
from pytest_tfpipeline.proof.verify import Proof

Document = Callable[..., dict[str, Any]]

ALICE = Signature("alice", "SHA256:x")
COMMIT = "1" * 40
REPOSITORY = "https://example.org/lake.git"
PRODUCTION = EnvironmentRun("production", after="staging")
EMULATED = EnvironmentRun("production", "aws", after="staging")

#: When the run of `document()` ended.
ENDED = 1767225600 + 90.5


@pytest.fixture
def proof(document: Document) -> Callable[..., Proof]:
    def make(
        *edits: Callable[[dict[str, Any]], Any], problems: tuple[str, ...] = (), file: str = "prior.json"
    ) -> Proof:
        evidence = evidence_of(document(*edits), file)
        return Proof(file, evidence, () if problems else (ALICE,), problems)

    return make


def against(*proofs: Proof, environment: EnvironmentRun = PRODUCTION, known: tuple[Apply, ...] = ()) -> list[Reason]:
    emulated = environment.emulator is not None
    return [*to_after(environment, proofs, COMMIT, REPOSITORY, emulated, known)]


def an_apply(**changed: Any) -> Apply:
    given = {
        "environment": "staging",
        "run": "20260102T000000-fedcba",
        "repository": REPOSITORY,
        "commit": "2" * 40,
        "ended": ENDED + 1,
        "emulated": False,
        "complete": True,
        "file": "later.json",
    }
    return Apply(**{**given, **changed})


def staging(value: dict[str, Any]) -> Any:
    return value["environments"][0]


def test_a_signed_and_complete_apply_of_this_commit_counts(proof: Callable[..., Proof]) -> None:
    assert against(proof()) == []
    assert against(environment=EnvironmentRun("staging")) == []


def test_without_any_evidence_it_is_missing_and_what_was_given_is_named(proof: Callable[..., Proof]) -> None:
    (reason,) = against()
    assert reason.code is Code.PRIOR_MISSING
    assert "--tf-prior" in reason.text
    other = proof(lambda value: staging(value).update(name="dev"), file="dev.json")
    (reason,) = against(other)
    assert reason.code is Code.PRIOR_MISSING
    assert "dev.json says nothing about it" in reason.text


def failed_test(**changed: Any) -> Callable[[dict[str, Any]], Any]:
    """A test of the outputs, which ran after the apply."""
    record = {"id": "t.py::test_out", "check": "test", "environment": "staging", "outcome": "failed", **changed}
    return lambda value: value["checks"].append({**value["checks"][0], **record})


CAUSES: list[tuple[str, Callable[[dict[str, Any]], Any]]] = [
    ("of another commit (222222222222; this is 111111111111)", lambda value: value["run"].update(commit="2" * 40)),
    ("of another repository", lambda value: value["run"].update(repository="https://example.org/other.git")),
    ("names no commit", lambda value: value["run"].update(commit=None)),
    ("work tree was not clean", lambda value: value["run"].update(tree_clean=False)),
    ("work tree was not clean", lambda value: value["run"].update(tree_clean=None)),
    ("emulated cloud", lambda value: staging(value).update(emulated=True)),
    ("was not judged", lambda value: staging(value).update(verdict=None)),
    ("the gate was closed", lambda value: staging(value).update(verdict={"open": False, "reasons": []})),
    (
        "the gate was closed (tree-dirty: not committed)",
        lambda value: staging(value)["verdict"].update(reasons=[{"code": "tree-dirty", "text": "not committed"}]),
    ),
    ("nothing was applied", lambda value: staging(value).update(applied=[])),
    ("the apply failed in etl", lambda value: staging(value)["applied"][1].update(outcome="failed", error="x")),
    ("etl was left", lambda value: staging(value).update(left=[{"root": "etl", "why": "x"}])),
    ("tests after the apply did not pass: t.py::test_out", failed_test()),
    ("tests after the apply did not pass", failed_test(outcome="error")),
    ("tests after the apply did not pass", failed_test(outcome="skipped")),
    ("tests after the apply did not pass", failed_test(outcome="missing", environment=None, check=None)),
    ("the run broke off (exit code 2)", lambda value: value["run"].update(exit_code=2)),
    ("the run broke off (exit code 3)", lambda value: value["run"].update(exit_code=3)),
]


@pytest.mark.parametrize(("cause", "edit"), CAUSES)
def test_every_cause_closes_and_is_named(
    cause: str, edit: Callable[[dict[str, Any]], Any], proof: Callable[..., Proof]
) -> None:
    reasons = against(proof(edit))
    assert {reason.code for reason in reasons} == {Code.PRIOR_INVALID}
    assert any(cause in reason.text for reason in reasons)
    assert all(reason.text.startswith("prior.json does not count as evidence of staging: ") for reason in reasons)


def test_all_causes_are_named_at_once(proof: Callable[..., Proof]) -> None:
    edits = [edit for _, edit in CAUSES[:2]]
    texts = [reason.text for reason in against(proof(*edits, problems=("nobody signed",)))]
    assert len(texts) == 3


def test_what_nobody_vouches_for_does_not_count(proof: Callable[..., Proof]) -> None:
    (reason,) = against(proof(problems=("evidence.sig is by a key that is not in signers",)))
    assert "is by a key that is not in signers" in reason.text
    (reason,) = against(Proof("prior.json", proof().evidence))
    assert "is not signed" in reason.text


def test_another_environment_of_the_same_run_may_be_unfinished(proof: Callable[..., Proof]) -> None:
    """Staging was applied; production waits for its approval, or its checks failed."""

    def add(value: dict[str, Any]) -> None:
        later = {**staging(value), "name": "production", "applied": [], "verdict": {"open": False, "reasons": []}}
        value["environments"].append(later)
        value["run"]["exit_code"] = 10

    assert against(proof(add, failed_test(environment="production"))) == []


def test_one_proof_that_counts_is_enough(proof: Callable[..., Proof]) -> None:
    unsigned = proof(problems=("nobody signed",), file="unsigned.json")
    assert against(unsigned, proof()) == []
    assert against(proof(), unsigned) == []


def emulated(value: dict[str, Any]) -> None:
    staging(value)["emulated"] = True


def test_an_emulated_environment_takes_what_nobody_signed(proof: Callable[..., Proof]) -> None:
    unsigned = ("nobody signed",)
    dirty = CAUSES[3][1]
    assert against(proof(emulated, dirty, problems=unsigned), environment=EMULATED) == []
    assert against(proof(emulated, CAUSES[0][1], problems=unsigned), environment=EMULATED) != []
    assert against(proof(emulated, CAUSES[9][1], problems=unsigned), environment=EMULATED) != []
    assert against(proof(problems=unsigned), environment=EMULATED) != []
    assert against(proof(), environment=EMULATED) == []
    assert against(proof(emulated)) != []


@pytest.mark.parametrize(
    ("later", "cause"),
    [
        ({}, "staging was applied from 222222222222 since (later.json)"),
        ({"complete": False}, "staging was applied from 222222222222 since (later.json)"),
        ({"commit": None}, "staging was applied from no commit since"),
        ({"commit": COMMIT, "complete": False}, "a later apply of staging was not completed (later.json)"),
        ({"ended": ENDED}, "since"),
        ({"commit": COMMIT}, ""),
        ({"ended": ENDED - 1}, ""),
        ({"environment": "production"}, ""),
        ({"emulated": True}, ""),
        ({"repository": "https://example.org/other.git"}, ""),
        ({"run": "20260101T000000-abcdef"}, ""),
    ],
)
def test_a_later_apply_supersedes(later: dict[str, Any], cause: str, proof: Callable[..., Proof]) -> None:
    reasons = against(proof(), known=(an_apply(**later),))
    assert bool(reasons) == bool(cause)
    assert cause in "".join(reason.text for reason in reasons)


def test_a_later_apply_that_another_proof_tells_of_supersedes_too(proof: Callable[..., Proof]) -> None:
    def later(value: dict[str, Any]) -> None:
        value["run"].update(id="2", started="2026-01-03T00:00:00+00:00", commit="2" * 40)

    reasons = against(proof(), proof(later, file="later.json", problems=("nobody signed",)))
    assert any("applied from 222222222222 since (later.json)" in reason.text for reason in reasons)


def test_a_claim_does_not_hide_that_another_commit_was_applied(proof: Callable[..., Proof]) -> None:
    again = an_apply(run="3", commit=COMMIT, ended=ENDED + 2)
    assert against(proof(), known=(an_apply(), again)) != []


def test_an_apply_is_told_of_only_where_one_was_begun(proof: Callable[..., Proof]) -> None:
    evidence = proof().evidence
    assert apply_of(evidence, "prior.json", "production") is None
    assert apply_of(proof(CAUSES[9][1]).evidence, "prior.json", "staging") is None
    found = apply_of(evidence, "prior.json", "staging")
    assert found == an_apply(run=evidence.run.id, commit=COMMIT, ended=ENDED, file="prior.json")
    broken = apply_of(proof(CAUSES[10][1]).evidence, "prior.json", "staging")
    assert broken is not None
    assert not broken.complete


def test_the_last_apply_is_the_one_that_ended_last() -> None:
    old, new = an_apply(ended=1.0), an_apply(ended=2.0)
    assert last([new, old], "staging", REPOSITORY, False) == new
    assert last([old, new], "staging", REPOSITORY, True) is None
    assert last([], "staging", REPOSITORY, False) is None


def test_going_back_wants_to_be_asked_for() -> None:
    done = an_apply(environment="production")
    (reason,) = to_rollback(done, False, False)
    assert reason.code is Code.ROLLBACK
    assert "production was applied from 222222222222 last (later.json)" in reason.text
    assert "--tf-rollback" in reason.text
    (unsure,) = to_rollback(done, None, False)
    assert "fetch the whole history" in unsure.text
    assert [*to_rollback(done, True, False), *to_rollback(None, None, False)] == []
    assert [*to_rollback(done, False, True), *to_rollback(done, None, True)] == []
