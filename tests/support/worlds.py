"""Generated runs for `decide`: expected checks, their records, strangers and rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from pytest_tfpipeline.gate.reasons import Reason
from pytest_tfpipeline.gate.verdict import Rules, decide
from pytest_tfpipeline.model import CaseResult, Check, CheckKind, Outcome, Record

ENV, OTHER = "staging", "production"
PLAN = Check("plan", CheckKind.PLAN, "core", ENV)
SKIPPED_INSIDE = (CaseResult("a", Outcome.PASSED), CaseResult("b", Outcome.SKIPPED))

outcomes = st.one_of(st.just(Outcome.PASSED), st.sampled_from(list(Outcome)))
kinds = st.sampled_from(list(CheckKind))
dirs = st.sampled_from(["core", "etl"])
rules_ = st.builds(Rules, deferred=st.frozensets(dirs), skips_fail=st.booleans())


@dataclass(frozen=True)
class World:
    """What `decide` is given, but for the environment and the objections."""

    checks: Sequence[Check]
    records: Sequence[Record]
    rules: Rules

    def opens(self, *objections: Reason) -> bool:
        """Whether the gate of ENV is open."""
        return decide(ENV, self.checks, self.records, objections, self.rules).open

    def expected(self) -> list[Check]:
        """The checks that count in ENV."""
        return [check for check in self.checks if check.environment in (None, ENV)]


def record(check: Check, outcome: Outcome, *, skips: bool = False) -> Record:
    cases = SKIPPED_INSIDE if skips else ()
    return Record(check.id, check.kind, outcome, check.dir, check.environment, summary="said", cases=cases)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Mostly passing checks of two environments and shared ones; some without a record, some with two; strangers."""
    environments = st.sampled_from([None, ENV, ENV, OTHER])
    checks = [
        Check(f"c{number}", draw(kinds), draw(dirs), draw(environments)) for number in range(draw(st.integers(0, 4)))
    ]
    checks.append(PLAN)
    strangers = [
        Check(f"s{number}", draw(kinds), draw(dirs), draw(environments)) for number in range(draw(st.integers(0, 1)))
    ]
    everyone = st.sampled_from([*checks, *strangers])
    about = [check for check in (*checks, *strangers) if draw(st.integers(0, 15))]
    about += draw(st.lists(everyone, max_size=1))
    records = [record(check, draw(outcomes), skips=not draw(st.integers(0, 7))) for check in about]
    return World(checks, records, draw(rules_))
