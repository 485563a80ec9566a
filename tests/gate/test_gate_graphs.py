"""Waves over generated graphs, with cycles and unknown upstreams, and steps that fail, refuse and break at will."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.errors import WorkspaceError
from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.gate.waves import Applied, Left, Result, apply_in_waves
from pytest_tfpipeline.model import PlanResult, PlanStatus, Target

ENV = "staging"
ROOTS = "abcdef"
#: What becomes of a root when its turn comes; `refused` and after it only where it is planned again.
FATES = (
    "applied",
    "applied",
    "applied",
    "unchanged",
    "failed",
    "breaks",
    "refused",
    "not approved",
    "unjudged",
    "unplanned",
    "not planned",
)
AGAIN = FATES[6:]


@dataclass
class Steps:
    """Does what the fates say and remembers what happened, in order."""

    fates: Mapping[str, str]
    log: list[tuple[str, str, str]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, what: str, root: str, plan: str = "") -> None:
        with self.lock:
            self.log.append((what, root, plan))

    def plan(self, target: Target, wave: int) -> PlanResult:
        fate = self.fates[target.root]
        if fate == "unplanned":
            raise WorkspaceError("the disk is full")
        name = f"{target.root} of wave {wave}"
        self.note("plan", target.root, name)
        status = PlanStatus.FAILED if fate == "not planned" else PlanStatus.PLANNED
        return PlanResult(target.root, ENV, status, plan_path=name)

    def police(self, targets: Sequence[Target], wave: int) -> Mapping[str, Sequence[Reason]]:
        assert targets, "there is nothing to judge"
        codes = {"refused": Code.CHECK_FAILED, "not approved": Code.APPROVAL_MISSING}
        found: dict[str, Sequence[Reason]] = {}
        for target in targets:
            fate = self.fates[target.root]
            self.note("police", target.root, f"{target.root} of wave {wave}")
            if fate != "unjudged":
                found[target.root] = [Reason(codes[fate], fate)] if fate in codes else []
        return found

    def apply(self, target: Target, plan: PlanResult, wave: int) -> Applied:
        self.note("apply", target.root, str(plan.plan_path))
        fate = self.fates[target.root]
        if fate == "breaks":
            raise RuntimeError("a bug")
        outcome = fate if fate in ("failed", "unchanged") else "applied"
        self.note(outcome, target.root)
        return Applied(target.root, wave, outcome, error="quota" if fate == "failed" else None)

    def interrupt(self) -> None:
        raise AssertionError("nobody interrupted it")


@st.composite
def _graphs(draw: st.DrawFn) -> tuple[list[Target], dict[str, PlanResult], Steps]:
    roots = list(ROOTS[: draw(st.integers(1, len(ROOTS)))])
    near = st.lists(st.sampled_from([*roots, "elsewhere"]), max_size=2, unique=True)
    edges = {root: draw(near) for root in roots}
    if draw(st.integers(0, 3)):  # mostly without cycles
        edges = {root: [up for up in ups if up < root or up == "elsewhere"] for root, ups in edges.items()}
    targets = [Target(root, ENV, after=tuple(edges[root]), apply=draw(st.integers(0, 7)) > 0) for root in roots]
    statuses = st.sampled_from([PlanStatus.PLANNED, PlanStatus.DEFERRED])
    plans = {root: PlanResult(root, ENV, draw(statuses), plan_path=f"{root} of the gate") for root in roots}
    fates = {root: draw(st.sampled_from(FATES)) for root in roots}
    return draw(st.permutations(targets)), plans, Steps(fates)


Graph = tuple[list[Target], dict[str, PlanResult], Steps]


def behind(stopped: set[str], targets: Sequence[Target]) -> set[str]:
    """Everything that depends on these, however far, through roots that are to be applied."""
    found = set(stopped)
    for _ in targets:
        found |= {one.root for one in targets if one.apply and found & set(one.after)}
    return found


@given(_graphs())
@settings(deadline=None, max_examples=300)
def test_each_root_is_applied_once_after_its_upstreams_or_left(graph: Graph) -> None:
    targets, plans, steps = graph
    result = apply_in_waves(targets, plans, steps)
    wanted = {one.root: one for one in targets if one.apply}
    begun = [root for what, root, _ in steps.log if what == "apply"]
    assert len(begun) == len(set(begun))
    done, left = [one.root for one in result.applied], [one.root for one in result.left]
    assert sorted(done) == sorted(begun)
    assert sorted([*done, *left]) == sorted(wanted)
    assert left == [root for root in wanted if root in left]
    assert [(one.wave, list(wanted).index(one.root)) for one in result.applied] == sorted(
        (one.wave, list(wanted).index(one.root)) for one in result.applied
    )
    for root in begun:
        ended = {name for what, name, _ in steps.log[: steps.log.index(at(steps, root))] if what in ENDED}
        assert {up for up in wanted[root].after if up in wanted} <= ended


ENDED = ("applied", "unchanged")


def at(steps: Steps, root: str) -> tuple[str, str, str]:
    return next(entry for entry in steps.log if entry[:2] == ("apply", root))


@given(_graphs())
@settings(deadline=None, max_examples=300)
def test_no_root_behind_a_failed_or_refused_one_is_applied(graph: Graph) -> None:
    targets, plans, steps = graph
    result = apply_in_waves(targets, plans, steps)
    failed = {one.root for one in result.applied if one.outcome == "failed"}
    refused = {root for what, root, _ in steps.log if what in ("plan", "police") and steps.fates[root] in AGAIN}
    never = behind(failed | refused, targets) - failed
    assert not never & {one.root for one in result.applied}
    broken = "breaks" in {steps.fates[root] for what, root, _ in steps.log if what == "apply"}
    assert (result.broken is not None) == broken
    causes = {one.root: one for one in result.left}
    if not broken:
        assert result.complete == (not failed and not result.left)
        assert result.ended == (not failed and all(one.waits for one in result.left))
        open_ways = {one.root for one in targets if one.apply} - behind({*causes, *failed}, targets)
        assert open_ways == {one.root for one in result.applied} - failed
        for one in result.left:
            assert not one.waits or not {*one_cause(one, targets)} & failed
    else:
        assert not result.ended
        assert not result.complete


def one_cause(left: Left, targets: Sequence[Target]) -> list[str]:
    """The upstreams of a root that was left."""
    return [up for target in targets if target.root == left.root for up in target.after]


@given(_graphs())
@settings(deadline=None, max_examples=300)
def test_what_is_applied_is_the_last_plan_and_it_was_judged_after_all_that_it_reads(graph: Graph) -> None:
    targets, plans, steps = graph
    result = apply_in_waves(targets, plans, steps)
    wanted = {one.root: one for one in targets if one.apply}
    for index, (what, root, plan) in enumerate(steps.log):
        if what != "apply":
            continue
        before = steps.log[:index]
        changed = {name for outcome, name, _ in before if outcome == "applied"} & set(wanted[root].after)
        if not changed and plans[root].status is PlanStatus.PLANNED:
            assert plan == f"{root} of the gate"
            assert ("plan", root) not in [entry[:2] for entry in before]
            continue
        made = before.index(("plan", root, plan))
        assert ("police", root, plan) in before[made:]
        assert all(before.index(("applied", name, "")) < made for name in changed)
        assert result.plans[root].plan_path == plan


@given(_graphs())
@settings(deadline=None)
def test_waiting_is_only_said_of_what_nothing_but_an_approval_holds_up(graph: Graph) -> None:
    targets, plans, steps = graph
    calm = Steps({root: fate if fate != "breaks" else "applied" for root, fate in steps.fates.items()})
    result = apply_in_waves(targets, plans, calm)
    waits = {one.root: one.waits for one in result.left}
    unapproved = {root for what, root, _ in calm.log if what == "police" and calm.fates[root] == "not approved"}
    assert all(waits[root] for root in unapproved)
    assert {root for root, waiting in waits.items() if waiting} <= behind(unapproved, targets)
    failed = {one.root for one in result.applied if one.outcome == "failed"}
    for target in targets:
        if target.root in waits and set(target.after) & failed:
            assert not waits[target.root], "of several causes, a failure is the one to name"


def plans_of(*targets: Target) -> dict[str, PlanResult]:
    return {one.root: PlanResult(one.root, ENV, PlanStatus.PLANNED) for one in targets}


NET, CORE, ETL = Target("net", ENV, apply=True), Target("core", ENV, after=("net",), apply=True), Target("etl", ENV)


def run(fate: str, *more: Target) -> Result:
    """`net` is applied, and then this becomes of `core`."""
    steps = Steps({"net": "applied", "core": fate, "etl": "applied"})
    return apply_in_waves([NET, CORE, *more], plans_of(NET, CORE, *more), steps)


@pytest.mark.parametrize(
    ("fate", "left"),
    [
        ("refused", Left("core", "its plan of wave 2 was refused: refused")),
        ("not approved", Left("core", "its plan of wave 2 is not approved: not approved", waits=True)),
        ("unjudged", Left("core", "its plan of wave 2 was not judged")),
        ("unplanned", Left("core", "it could not be planned in wave 2: the disk is full")),
        ("not planned", Left("core", "it could not be planned in wave 2: still waits for ")),
    ],
)
def test_each_cause_is_named_and_so_is_what_stands_behind_it(fate: str, left: Left) -> None:
    behind_it = Left("etl", "it depends on core, which was not applied", left.waits)
    result = run(fate, replace(ETL, after=("core",), apply=True))
    assert result.left == (left, behind_it)
    assert (result.ended, result.complete) == (left.waits, False)


def test_a_plan_with_reasons_beside_the_missing_approval_is_refused() -> None:
    class Both(Steps):
        def police(self, targets: Sequence[Target], wave: int) -> Mapping[str, Sequence[Reason]]:
            missing = Reason(Code.APPROVAL_MISSING, "waits")
            return {one.root: [missing, Reason(Code.CHECK_FAILED, "open", "x")] for one in targets}

    result = apply_in_waves([NET, CORE], plans_of(NET, CORE), Both({"net": "applied", "core": "applied"}))
    assert result.left == (Left("core", "its plan of wave 2 was refused: waits; x: open"),)


def test_plans_that_cannot_be_judged_are_left() -> None:
    class Broken(Steps):
        def police(self, targets: Sequence[Target], wave: int) -> Mapping[str, Sequence[Reason]]:
            raise WorkspaceError("no room")

    result = apply_in_waves([NET, CORE], plans_of(NET, CORE), Broken({"net": "applied", "core": "applied"}))
    assert result.left == (Left("core", "its plan of wave 2 could not be judged: no room"),)


def test_a_root_that_breaks_the_pipeline_has_failed_and_says_so() -> None:
    (net,) = apply_in_waves([NET], plans_of(NET), Steps({"net": "breaks"})).applied
    assert net == Applied("net", 1, "failed", error="the pipeline broke while it was applied: a bug")


def test_roots_that_wait_for_each_other_are_left_with_that() -> None:
    a, b = Target("a", ENV, after=("b",), apply=True), Target("b", ENV, after=("a",), apply=True)
    result = apply_in_waves([a, b], plans_of(a, b), Steps({}))
    assert [one.why for one in result.left] == ["the roots it depends on wait for each other"] * 2
