"""How long the rest of a run takes, from how long its checks took earlier and others took now: pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from statistics import fmean

from pytest_tfpipeline.model import CheckKind, PlanResult, PlanStatus, Target

#: What comes after `::` in the id of a check, but for the environment or file in brackets.
_WORDS = frozenset({kind.word for kind in CheckKind} | {"apply"})
#: Seconds of earlier times that must have been spent again before a run counts as faster or slower than those.
_TELLING = 5.0
#: A run is believed to be that much faster or slower, and not more: a cache that was cold says little about the rest.
_SLOWEST, _FASTEST = 4.0, 0.25
#: So many checks of this run say how long others like them take.
_ENOUGH = 5
#: The share of what is left that may be unknown.
_UNKNOWN = 0.25


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left of a run: checks by id with the group that each belongs to, whose checks are done one after the
    other; for how many seconds those go on that were begun; and how many groups are worked on at a time."""

    groups: Mapping[str, str]
    running: Mapping[str, float] = field(default_factory=dict)
    workers: int = 1


class Expectation:
    """Seconds to expect of a check: its own of `earlier`, at the pace of this run, else those of checks like it."""

    def __init__(self, earlier: Mapping[str, float], now: Mapping[str, float] | None = None) -> None:
        now = now or {}
        pace = pace_of(earlier, now)
        self._own = {check: seconds * pace for check, seconds in earlier.items()}
        self._alike = _means({**self._own, **now}, {_likeness(check) for check in earlier})

    def of(self, check: str) -> float | None:
        """None where nothing like it is known."""
        if check in self._own:
            return self._own[check]
        return self._alike.get(_likeness(check))


def pace_of(earlier: Mapping[str, float], now: Mapping[str, float]) -> float:
    """How much longer than earlier the same checks take now; 1 while that cannot be told."""
    again = earlier.keys() & now.keys()
    before = sum(earlier[check] for check in again)
    if before < _TELLING:
        return 1.0
    return min(_SLOWEST, max(_FASTEST, sum(now[check] for check in again) / before))


def remaining(rest: Rest, expectation: Expectation) -> float | None:
    """Seconds until all of it is done; None where too much of it is like nothing that is known.

    Work is handed out heaviest first, so the end comes when all share it evenly, or with the longest group.
    """
    expected = {check: expectation.of(check) for check in rest.groups}
    if not expected or sum(each is None for each in expected.values()) > _UNKNOWN * len(expected):
        return None
    groups: dict[str, float] = {}
    for check, seconds in expected.items():
        still = max(0.0, (seconds or 0.0) - rest.running.get(check, 0.0))
        groups[rest.groups[check]] = groups.get(rest.groups[check], 0.0) + still
    return max(sum(groups.values()) / max(1, rest.workers), *groups.values())


def moves(plan: PlanResult) -> bool:
    """Whether an apply has, or may still have, something to do."""
    return plan.status is not PlanStatus.PLANNED or plan.changes.any


def expected_apply(targets: Sequence[Target], ids: Mapping[str, str], earlier: Mapping[str, float]) -> float | None:
    """Seconds to apply them, each after those that it depends on; `ids` are by root. None where nothing is known."""
    expectation = Expectation(earlier)
    own = {target.root: expectation.of(ids[target.root]) for target in targets}
    known = {root: seconds for root, seconds in own.items() if seconds is not None}
    if not known or len(known) < len(own):
        return None
    upstreams = {target.root: [root for root in target.after if root in known] for target in targets}
    ends: dict[str, float] = {}
    for root in TopologicalSorter(upstreams).static_order():  # a cycle has been refused before
        ends[root] = known[root] + max((ends[upstream] for upstream in upstreams[root]), default=0.0)
    return max(ends.values())


def _likeness(check: str) -> str:
    """What a check is like: others of its kind; a test those of its file, since tests have little else in common."""
    file, _, name = check.partition("::")
    word, bracket, _ = name.partition("[")
    return word + bracket if word in _WORDS else file


def _means(seconds: Mapping[str, float], believed: Collection[str]) -> dict[str, float]:
    """By likeness. Where no earlier run knows any, a few are not believed: the heaviest are the first."""
    found: dict[str, list[float]] = {}
    for check, each in seconds.items():
        found.setdefault(_likeness(check), []).append(each)
    return {
        likeness: fmean(times) for likeness, times in found.items() if likeness in believed or len(times) >= _ENOUGH
    }
