"""Waves: order, what is planned again, what is left, and an interrupt, with steps that only remember."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence

import interruptible
import pytest

from pytest_tfpipeline.errors import WorkspaceError
from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.gate.waves import MAX_PARALLEL, Applied, Left, apply_in_waves
from pytest_tfpipeline.model import Changes, Finding, PlanResult, PlanStatus, Severity, Target

ENV = "staging"
DONE = Changes(add=1)


def target(root: str, *after: str, apply: bool = True) -> Target:
    return Target(root, ENV, after=after, apply=apply)


def plan(root: str, status: PlanStatus = PlanStatus.PLANNED, behind: tuple[str, ...] = ()) -> PlanResult:
    return PlanResult(root, ENV, status, behind, changes=DONE)


class Memory:
    """Steps that apply everything but `failing`, and refuse the new plans of `refused`."""

    def __init__(
        self,
        failing: Sequence[str] = (),
        refused: Sequence[str] = (),
        unchanged: Sequence[str] = (),
        unplannable: Sequence[str] = (),
        interrupting: str = "",
    ) -> None:
        self.failing, self.refused, self.unchanged = failing, refused, unchanged
        self.unplannable, self.interrupting = unplannable, interrupting
        self.planned: list[tuple[str, int]] = []
        self.policed: list[tuple[str, int]] = []
        self.interrupted = False

    def plan(self, target: Target, wave: int) -> PlanResult:
        self.planned.append((target.root, wave))
        if target.root in self.unplannable:
            finding = Finding("plan", Severity.ERROR, "no such output")
            return PlanResult(target.root, ENV, PlanStatus.FAILED, findings=(finding,))
        return plan(target.root)

    def police(self, targets: Sequence[Target], wave: int) -> Mapping[str, Sequence[Reason]]:
        self.policed += [(one.root, wave) for one in targets]
        return {
            one.root: [Reason(Code.CHECK_FAILED, "public bucket", "x")] if one.root in self.refused else []
            for one in targets
        }

    def apply(self, target: Target, plan: PlanResult, wave: int) -> Applied:
        assert plan.status is PlanStatus.PLANNED
        if target.root in self.failing:
            return Applied(target.root, wave, "failed", error="quota")
        return Applied(target.root, wave, "unchanged" if target.root in self.unchanged else "applied")

    def interrupt(self) -> None:
        self.interrupted = True


CHAIN = (target("net"), target("core", "net"), target("etl", "core"))
FIRST_RUN = {
    "net": plan("net"),
    "core": plan("core", PlanStatus.DEFERRED, ("net",)),
    "etl": plan("etl", PlanStatus.DEFERRED, ("core",)),
}
ALL_PLANNED = {one.root: plan(one.root) for one in CHAIN}


def test_a_chain_from_nothing_is_planned_and_policed_wave_by_wave() -> None:
    steps = Memory()
    result = apply_in_waves(CHAIN, FIRST_RUN, steps)
    assert [(one.root, one.wave, one.outcome) for one in result.applied] == [
        ("net", 1, "applied"),
        ("core", 2, "applied"),
        ("etl", 3, "applied"),
    ]
    assert steps.planned == steps.policed == [("core", 2), ("etl", 3)]
    assert result.complete


def test_what_nothing_changed_above_keeps_its_plan() -> None:
    steps = Memory(unchanged=["net", "core"])
    result = apply_in_waves(CHAIN, ALL_PLANNED, steps)
    assert steps.planned == []
    assert [one.outcome for one in result.applied] == ["unchanged", "unchanged", "applied"]


def test_a_change_above_makes_dependants_plan_again_but_not_strangers() -> None:
    steps = Memory()
    targets = (*CHAIN[:2], target("other"))
    apply_in_waves(targets, {**ALL_PLANNED, "other": plan("other")}, steps)
    assert steps.planned == [("core", 2)]


def test_each_root_of_a_wave_is_looked_at_for_itself() -> None:
    steps, names = Memory(unchanged=["a"]), "abcde"
    targets = (target("a"), target("b"), target("c", "a"), target("d", "b"), target("e", "a"))
    apply_in_waves(targets, {name: plan(name) for name in names}, steps)
    assert steps.planned == steps.policed == [("d", 2)]


def test_a_failure_leaves_its_dependants_and_nothing_else() -> None:
    targets = (*CHAIN, target("other"))
    result = apply_in_waves(targets, {**FIRST_RUN, "other": plan("other")}, Memory(failing=["net"]))
    assert [(one.root, one.outcome) for one in result.applied] == [("net", "failed"), ("other", "applied")]
    assert result.left == (
        Left("core", "it depends on net, which was not applied"),
        Left("etl", "it depends on core, which was not applied"),
    )
    assert not result.complete


@pytest.mark.parametrize("upstreams", [("x", "y"), ("y", "x")])
def test_of_several_causes_a_failure_is_the_one_to_name(upstreams: tuple[str, str]) -> None:
    """`x` waits for an approval, and `y` failed: nobody's yes would let the root behind both be applied."""

    class Waiting(Memory):
        def police(self, targets: Sequence[Target], wave: int) -> Mapping[str, Sequence[Reason]]:
            return {one.root: [Reason(Code.APPROVAL_MISSING, "waits")] for one in targets}

    targets = (target("x"), target("y"), target("z", *upstreams))
    plans = {"x": plan("x", PlanStatus.DEFERRED), "y": plan("y"), "z": plan("z")}
    result = apply_in_waves(targets, plans, Waiting(failing=["y"]))
    assert result.left[-1] == Left("z", "it depends on y, which was not applied")
    assert [left.waits for left in result.left] == [True, False]


def test_a_diamond_waits_for_both_sides() -> None:
    targets = (target("a"), target("b", "a"), target("c", "a"), target("d", "b", "c"))
    plans = {one.root: plan(one.root) for one in targets}
    result = apply_in_waves(targets, plans, Memory())
    assert {one.root: one.wave for one in result.applied} == {"a": 1, "b": 2, "c": 2, "d": 3}
    broken = apply_in_waves(targets, plans, Memory(failing=["c"]))
    assert [left.root for left in broken.left] == ["d"]


def test_a_refused_plan_stops_its_root_and_its_dependants() -> None:
    result = apply_in_waves(CHAIN, FIRST_RUN, Memory(refused=["core"]))
    assert [one.root for one in result.applied] == ["net"]
    assert result.left[0] == Left("core", "its plan of wave 2 was refused: x: public bucket")
    assert result.left[1].why == "it depends on core, which was not applied"


def test_a_plan_that_fails_again_is_left_with_its_reason() -> None:
    result = apply_in_waves(CHAIN, FIRST_RUN, Memory(unplannable=["core"]))
    assert result.left[0].why == "it could not be planned in wave 2: no such output"


def test_what_is_not_to_be_applied_never_is() -> None:
    targets = (target("a", apply=False), target("b", "a"))
    result = apply_in_waves(targets, {one.root: plan(one.root) for one in targets}, Memory())
    assert [one.root for one in result.applied] == ["b"]


def test_a_cycle_ends_and_is_named() -> None:
    targets = (target("a", "b"), target("b", "a"))
    result = apply_in_waves(targets, {one.root: plan(one.root) for one in targets}, Memory())
    assert result.applied == ()
    assert {left.root for left in result.left} == {"a", "b"}


class Breaking(Memory):
    """Breaks, with `error`, while it plans or applies the root `at`."""

    def __init__(self, at: str, error: BaseException) -> None:
        super().__init__()
        self.at, self.error = at, error

    def plan(self, target: Target, wave: int) -> PlanResult:
        if target.root == self.at:
            raise self.error
        return super().plan(target, wave)

    def apply(self, target: Target, plan: PlanResult, wave: int) -> Applied:
        if target.root == self.at:
            raise self.error
        return super().apply(target, plan, wave)


@pytest.mark.parametrize(("at", "known"), [("net", {"net": "failed"}), ("core", {"net": "applied"})])
def test_what_breaks_the_pipeline_is_told_beside_what_was_applied(at: str, known: dict[str, str]) -> None:
    error = RuntimeError("disk")
    result = apply_in_waves(CHAIN, ALL_PLANNED, Breaking(at, error))
    assert result.broken is error
    assert not result.complete
    assert {one.root: one.outcome for one in result.applied} == known
    assert all("disk" in left.why for left in result.left)


def test_a_known_problem_leaves_only_what_it_concerns() -> None:
    result = apply_in_waves(CHAIN, ALL_PLANNED, Breaking("core", WorkspaceError("the disk is full")))
    assert result.broken is None
    assert [one.root for one in result.applied] == ["net"]
    assert [left.root for left in result.left] == ["core", "etl"]
    assert "the disk is full" in result.left[0].why


def test_an_interrupt_while_a_later_wave_is_planned_keeps_what_was_applied() -> None:
    steps = Breaking("core", KeyboardInterrupt())
    result = apply_in_waves(CHAIN, ALL_PLANNED, steps)
    assert (steps.interrupted, result.interrupted, result.complete) == (True, True, False)
    assert [one.root for one in result.applied] == ["net"]
    assert [left.why for left in result.left] == ["the run was interrupted"] * 2


class Slow(Memory):
    """Applies until it is asked to stop. The last of a batch to begin interrupts the run, as an impatient user does."""

    def __init__(self, signal_to: Callable[[], None]) -> None:
        super().__init__()
        self._signal_to = signal_to
        self._all_begun = threading.Barrier(MAX_PARALLEL, action=signal_to)
        self.asked = threading.Event()
        self.times = 0

    def apply(self, target: Target, plan: PlanResult, wave: int) -> Applied:
        self._all_begun.wait(30)
        assert self.asked.wait(30)
        return Applied(target.root, wave, "failed", error="interrupted")

    def interrupt(self) -> None:
        self.times += 1
        self._signal_to()
        self.asked.set()


@pytest.mark.parametrize(
    "signal_to",
    [
        pytest.param(lambda: os.kill(os.getpid(), signal.SIGINT), id="to the process"),
        pytest.param(lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT), id="to another thread"),
    ],
)
def test_an_interrupt_is_passed_on_once_and_begins_nothing_more(signal_to: Callable[[], None]) -> None:
    steps, roots = Slow(signal_to), [f"r{number}" for number in range(MAX_PARALLEL + 2)]
    with interruptible.raising():
        result = apply_in_waves([target(root) for root in roots], {root: plan(root) for root in roots}, steps)
    assert steps.asked.is_set()
    assert steps.times == 1, "a second one would make terraform drop its lock and its state"
    assert [one.root for one in result.applied] == roots[:MAX_PARALLEL]
    assert [left.root for left in result.left] == roots[MAX_PARALLEL:]
    assert result.interrupted
