"""The items: one for each expected check of a directory, named and grouped by its anchor file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.model import Check, CheckKind, Outcome, Record
from pytest_tfpipeline.plugin.state import state_of

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
        self.add_marker(f"tf_{check.kind.value}")

    def runtest(self) -> None:
        """Perform the check; a record that did not pass is raised."""
        from pytest_tfpipeline.checks import perform

        record = perform(state_of(self.config).context, self.check)
        self.stash[RECORD] = record
        if record.outcome is Outcome.SKIPPED:
            pytest.skip(record.summary)
        if record.outcome not in (Outcome.PASSED, Outcome.DEFERRED):
            raise CheckFailed(record)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        """The record's own text: what, where, what to do."""
        if isinstance(excinfo.value, CheckFailed):
            return excinfo.value.record.text or excinfo.value.record.summary
        return str(super().repr_failure(excinfo, style))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The anchor, and the item's name."""
        return self.path, None, self.name


def kinds_with_items() -> tuple[CheckKind, ...]:
    """The kinds that are collected as items of their own."""
    return tuple(kind for kind in CheckKind if kind not in (CheckKind.POLICY_TEST, CheckKind.TEST))
