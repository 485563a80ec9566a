"""Lines about an apply while it goes on."""

from __future__ import annotations

from pytest_tfpipeline.model import Changes
from pytest_tfpipeline.reports.text import duration
from pytest_tfpipeline.terraform.applying import ApplyEvent

#: terraform's actions, done.
_DONE = {"create": "created", "update": "changed", "delete": "destroyed", "read": "read", "forget": "forgotten"}


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


def beginning(environment: str, count: int) -> str:
    """The line with which an apply begins."""
    return f"applying {environment}: {count} root{'' if count == 1 else 's'}"
