"""Lines about an apply while it goes on."""

from __future__ import annotations

from pytest_tfpipeline.model import Changes
from pytest_tfpipeline.reports.text import duration
from pytest_tfpipeline.terraform.applying import ApplyEvent

#: terraform's actions, done.
_DONE = {"create": "created", "update": "changed", "delete": "destroyed", "read": "read", "forget": "forgotten"}
#: Seconds: a run that takes longer is told how long; and below these there is nothing to tell any more.
_LONG, _WORTH_SAYING = 20, 10
_EARLIER = "by earlier runs"
#: Up to so many seconds a time is rounded to steps of so many.
_STEPS = ((58, 5), (570, 30), (3570, 60))
_LAST_STEP = 600


class ApplyProgress:
    """Counts the resources of each root that are done."""

    def __init__(self) -> None:
        self._expected: dict[str, int] = {}
        self._done: dict[str, int] = {}

    def expect(self, root: str, changes: Changes) -> None:
        """So many resources of the root will be touched."""
        self._expected[root] = changes.add + changes.change + changes.destroy + 2 * changes.replace
        self._done[root] = 0

    def line(self, root: str, event: ApplyEvent) -> str | None:
        """What there is to say about an event; None for the mere beginning of something."""
        took = f" after {duration(event.seconds)}" if event.seconds else ""
        if event.kind == "complete":
            self._done[root] = self._done.get(root, 0) + 1
            count = f"[{self._done[root]}/{self._expected.get(root, '?')}]"
            return f"  {root} {count} {event.address}: {_DONE.get(event.action, event.action)}{took}"
        if event.kind == "errored":
            return f"  {root} {event.address}: could not {event.action}{took}"
        if event.kind == "progress":
            return f"  {root} {event.address}: {event.action} goes on{took}"
        return None


def beginning(environment: str, count: int, seconds: float | None = None) -> str:
    """The line with which an apply begins; `seconds` is what it may take, where that is known."""
    expected = "" if seconds is None or seconds < _WORTH_SAYING else f", about {roughly(seconds)} {_EARLIER}"
    return f"applying {environment}: {count} root{'' if count == 1 else 's'}{expected}"


def whole_line(seconds: float | None, *, can_apply: bool) -> str | None:
    """What is said before the first check; None of a run that is short, or of which nothing is known."""
    if seconds is None or seconds < _LONG:
        return None
    return f"tfpipeline: about {roughly(seconds)}{' to the gate' if can_apply else ''} {_EARLIER}"


def left_line(done: int, total: int, seconds: float | None, *, can_apply: bool) -> str | None:
    """What is said in between; None where the end is near, or nothing is known."""
    if seconds is None or seconds < _WORTH_SAYING:
        return None
    return f"{done} of {total}, about {roughly(seconds)} {'to the gate' if can_apply else 'left'}"


def roughly(seconds: float) -> str:
    """`40 s`, `1 min 30 s`, `12 min`, `1 h 20 min`: no more precise than it can be known."""
    step = next((step for end, step in _STEPS if seconds < end), _LAST_STEP)
    minutes, rest = divmod(max(step, step * round(seconds / step)), 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{count} {unit}" for count, unit in parts if count)
