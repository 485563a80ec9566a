"""Apply an environment in waves: roots whose upstreams are done go together, their dependants after them.

The order, what is planned again and what is left are decided here; how a root is planned, policed and applied comes in
as `Steps`, so that this module neither starts a process nor knows pytest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from pytest_tfpipeline.errors import PipelineError
from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.model import PlanResult, PlanStatus, Target
from pytest_tfpipeline.parallel import finish
from pytest_tfpipeline.signals import interrupts_held_back

#: Roots of one wave that are applied at the same time.
MAX_PARALLEL = 4


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one root. `outcome` is applied, failed or unchanged; `error` says why it failed."""

    root: str
    wave: int
    outcome: str
    seconds: float = 0.0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """A root that was not applied although it should have been, and why; `waits`: nobody has agreed to it yet."""

    root: str
    why: str
    waits: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """An environment's apply: what was done, what was left, and the plans that were carried out.

    `broken` is what broke the pipeline itself on the way: an answer too, so that what was applied before is not lost.
    """

    applied: tuple[Applied, ...] = ()
    left: tuple[Left, ...] = ()
    plans: dict[str, PlanResult] = field(default_factory=dict)
    interrupted: bool = False
    broken: BaseException | None = None

    @property
    def complete(self) -> bool:
        """Whether everything that should be applied was."""
        return self.ended and not self.left

    @property
    def ended(self) -> bool:
        """Whether nothing failed or was cut short; roots may still wait for an approval."""
        going = not self.interrupted and self.broken is None and all(one.waits for one in self.left)
        return going and all(one.outcome != "failed" for one in self.applied)


class Steps(Protocol):
    """What the waves need done. Problems are answers, not exceptions."""

    def plan(self, target: Target, wave: int) -> PlanResult:
        """Plan a root again, now that what it reads is there."""

    def police(self, targets: Sequence[Target], wave: int) -> Mapping[str, Sequence[Reason]]:
        """Judge the new plans of these roots like the first ones; reasons against them by root."""

    def apply(self, target: Target, plan: PlanResult, wave: int) -> Applied:
        """Carry out exactly that saved plan."""

    def interrupt(self) -> None:
        """Ask every running apply to stop, once; their `apply` then answers that they failed."""


def apply_in_waves(targets: Sequence[Target], plans: Mapping[str, PlanResult], steps: Steps) -> Result:
    """Apply every target that is to be applied. `plans` holds, by root, what the gate has judged."""
    state = _Progress(targets, plans)
    wave = 0
    try:
        while state.goes_on and (ready := state.ready()):
            wave += 1
            state.leave(_plan_again(ready, state, steps, wave))
            _apply_batch([target for target in ready if target.root not in state.stopped], state, steps, wave)
    except KeyboardInterrupt:
        if not state.interrupted:
            state.interrupted = True
            steps.interrupt()
    except Exception as error:
        state.broken = error
    return state.result()


def _apply_batch(batch: Sequence[Target], state: _Progress, steps: Steps, wave: int) -> None:
    def apply(target: Target) -> Applied | None:
        return steps.apply(target, state.plans[target.root], wave) if state.goes_on else None

    def interrupt() -> None:
        """Terraform is asked once, and then waited for: cut off, it would leave its lock and lose its state."""
        state.interrupted = True
        steps.interrupt()

    with interrupts_held_back() as came, ThreadPoolExecutor(MAX_PARALLEL, thread_name_prefix="apply") as pool:
        running = {target.root: pool.submit(apply, target) for target in batch}
        finish(running.values(), came, interrupt)
        for root, future in running.items():
            error = future.exception()
            if error is None:
                state.finish(future.result())
            else:
                state.broken = error
                state.finish(Applied(root, wave, "failed", error=f"the pipeline broke while it was applied: {error}"))


def _plan_again(ready: Iterable[Target], state: _Progress, steps: Steps, wave: int) -> list[Left]:
    """Plan and police what waited for an upstream or reads something that has changed; what is left of it, and why."""
    stopped = []
    planned = []
    for target in ready:
        if not state.outdated(target):
            continue
        problem = _plan(target, state, steps, wave)
        if problem:
            stopped.append(Left(target.root, f"it could not be planned in wave {wave}: {problem}"))
        else:
            planned.append(target)
    return [*stopped, *_police(planned, steps, wave)]


def _plan(target: Target, state: _Progress, steps: Steps, wave: int) -> str:
    """Why there is no new plan; "" where there is one."""
    try:
        plan = steps.plan(target, wave)
    except PipelineError as error:
        return str(error)
    state.plans[target.root] = plan
    if plan.status is PlanStatus.PLANNED:
        return ""
    return plan.findings[0].text if plan.findings else f"still waits for {', '.join(plan.behind)}"


def _police(planned: Sequence[Target], steps: Steps, wave: int) -> list[Left]:
    if not planned:
        return []
    try:
        against = steps.police(planned, wave)
    except PipelineError as error:
        return [Left(target.root, f"its plan of wave {wave} could not be judged: {error}") for target in planned]
    silent = [Left(one.root, f"its plan of wave {wave} was not judged") for one in planned if one.root not in against]
    return [*silent, *(_refused(root, reasons, wave) for root, reasons in against.items() if reasons)]


def _refused(root: str, reasons: Sequence[Reason], wave: int) -> Left:
    waits = all(reason.code is Code.APPROVAL_MISSING for reason in reasons)
    about = "; ".join(map(_say, reasons))
    if waits:
        return Left(root, f"its plan of wave {wave} is not approved: {about}", waits=True)
    return Left(root, f"its plan of wave {wave} was refused: {about}")


def _say(reason: Reason) -> str:
    return f"{reason.check}: {reason.text}" if reason.check else reason.text


class _Progress:
    """What is done, what is left and what has changed, while the waves go on."""

    def __init__(self, targets: Sequence[Target], plans: Mapping[str, PlanResult]) -> None:
        self.plans = dict(plans)
        self.stopped: dict[str, Left] = {}
        self.interrupted = False
        self.broken: BaseException | None = None
        self._targets = {target.root: target for target in targets if target.apply}
        self._done: dict[str, Applied] = {}

    @property
    def goes_on(self) -> bool:
        """Whether more may be begun."""
        return not self.interrupted and self.broken is None

    def ready(self) -> list[Target]:
        """The next wave; roots behind a stopped one are stopped on the way, each with the name of the first cause."""
        while self._stop_dependants():
            pass
        return [
            target
            for root, target in self._targets.items()
            if root not in self._done
            and root not in self.stopped
            and all(up in self._done for up in self._upstreams(target))
        ]

    def outdated(self, target: Target) -> bool:
        """Whether its plan was made before something it reads was changed, or not made at all."""
        if self.plans[target.root].status is PlanStatus.DEFERRED:
            return True
        return any(self._done[up].outcome == "applied" for up in self._upstreams(target))

    def leave(self, stopped: Iterable[Left]) -> None:
        """These roots are not applied, for these reasons."""
        self.stopped.update({left.root: left for left in stopped})

    def finish(self, done: Applied | None) -> None:
        """Take note of a result; None is a root that was not begun any more."""
        if done is not None:
            self._done[done.root] = done

    def result(self) -> Result:
        """What it came to, in the order of the targets."""
        order = list(self._targets)
        applied = sorted(self._done.values(), key=lambda one: (one.wave, order.index(one.root)))
        left = [root for root in order if root not in self._done]
        remaining = tuple(self.stopped.get(root) or Left(root, self._why_left()) for root in left)
        return Result(tuple(applied), remaining, self.plans, self.interrupted, self.broken)

    def _why_left(self) -> str:
        if self.interrupted:
            return "the run was interrupted"
        if self.broken is not None:
            return f"the pipeline broke: {self.broken}"
        return "the roots it depends on wait for each other"

    def _upstreams(self, target: Target) -> list[str]:
        return [up for up in target.after if up in self._targets]

    def _stop_dependants(self) -> bool:
        failed = {root for root, one in self._done.items() if one.outcome == "failed"}
        found = [
            Left(root, f"it depends on {up}, which was not applied", waits=up not in failed and self.stopped[up].waits)
            for root, target in self._targets.items()
            if root not in self._done and root not in self.stopped
            for up in self._upstreams(target)
            if up in failed or up in self.stopped
        ]
        self.leave(sorted(found, key=lambda left: not left.waits))  # of several causes, a failure is the one to name
        return bool(found)
