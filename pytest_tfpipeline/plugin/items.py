"""The items: one for each expected check of a directory, named and grouped by its anchor file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.model import Check, Outcome, Record
from pytest_tfpipeline.plugin.state import state_of

#: Lines of a failure that are shown without `-v`, and first lines of its findings beyond these.
SHOWN_LINES = 15
SHOWN_HEADS = 10
#: Each finding begins with its place, how bad it is, and its rule.
_HEAD = re.compile(r"(?:.+: )?(?:error|warning|notice) \[[^\]\s]+\] ")

RECORD = pytest.StashKey[Record]()


class CheckFailed(Exception):
    """A check did not pass; its record says why."""

    def __init__(self, record: Record) -> None:
        self.record = record
        super().__init__(record.summary)


class CheckFile(pytest.File):
    """The anchor file of a root, module or suite: the parent of its checks."""

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each check that the run expects here."""
        state = state_of(self.config)
        for check in state.checks[state.anchors[self.path]]:
            name = check.id.split("::", 1)[1]
            yield CheckItem.from_parent(self, name=name, nodeid=f"{self.nodeid}::{name}", check=check)


class CheckItem(pytest.Item):
    """One check."""

    def __init__(self, *, check: Check, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.check = check
        self.add_marker(f"tf_{check.kind.word}")

    def runtest(self) -> None:
        """Perform the check; a record that did not pass is raised."""
        record = self.perform()
        self.stash[RECORD] = record
        if record.outcome is Outcome.SKIPPED:
            pytest.skip(record.summary)
        if record.outcome not in (Outcome.PASSED, Outcome.DEFERRED):
            raise CheckFailed(record)

    def perform(self) -> Record:
        """Its record."""
        state = state_of(self.config)
        if self.check.id in state.reused:
            return state.reused[self.check.id]
        from pytest_tfpipeline.checks import perform

        return perform(state.context, self.check)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """The record's own text: what, where, what to do."""
        if isinstance(excinfo.value, CheckFailed):
            text = excinfo.value.record.text or excinfo.value.record.summary
            return text if self.config.option.verbose > 0 else shortened(text)
        head = f"pytest-tfpipeline itself failed in this check: {excinfo.exconly()}"
        return f"{head}\n\n{super().repr_failure(excinfo, style)}"

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The anchor, and the item's name."""
        return self.path, None, self.name


def shortened(text: str) -> str:
    """The first lines, and of the findings beyond them one each: a grown repository's first run would be a wall of text
    otherwise, and the worst of a few new findings need not be the first."""
    lines = text.splitlines()
    if len(lines) <= SHOWN_LINES + 3:
        return text
    heads = [line for line in lines[SHOWN_LINES:] if _HEAD.match(line)][:SHOWN_HEADS]
    left = len(lines) - SHOWN_LINES - len(heads)
    more = f"... {left} more lines: -v shows them, and evidence.json has every finding"
    return "\n".join([*lines[:SHOWN_LINES], *heads, more])
