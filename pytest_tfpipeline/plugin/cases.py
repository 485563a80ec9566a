"""Tests inside a Python suite that are named on the command line: they run alone, in the suite's own process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.model import Check, CheckKind, Record, Suite
from pytest_tfpipeline.plugin.items import CheckItem
from pytest_tfpipeline.plugin.state import State, state_of


@dataclass(frozen=True, slots=True)
class Pasted:
    """A file or directory inside a suite that was named on the command line, with the names behind its `::`."""

    suite: Suite
    path: Path
    names: tuple[str, ...] = ()


def pasted_cases(config: pytest.Config, state: State) -> tuple[Pasted, ...]:
    """What was named inside of suites. Their anchors are ordinary files of this run and do not count."""
    found = []
    for arg in config.option.file_or_dir:
        path, *names = str(arg).split("::")
        absolute = (config.invocation_params.dir / path).absolute()
        suite = _suite_around(state, absolute)
        if suite is not None and not _leads_to_anchors(state, absolute):
            found.append(Pasted(suite, absolute, tuple(names)))
    return tuple(found)


def _suite_around(state: State, path: Path) -> Suite | None:
    around = [one for one in state.run.repository.suites if state.top / one.dir in path.parents]
    return max(around, key=lambda one: len(one.dir), default=None)


def _leads_to_anchors(state: State, path: Path) -> bool:
    return any(path == anchor or path in anchor.parents for anchor in state.anchors)


class CaseFile(pytest.File):
    """A file or directory inside a suite that was named."""

    def __init__(self, *, pasted: tuple[Pasted, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pasted = pasted

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """What was named in it: single tests, or all of it as one item."""
        for pasted in self._pasted:
            yield from _chain(self, pasted, pasted.names or ("unit",))


class CaseGroup(pytest.Collector):
    """A class on the way to a test."""

    def __init__(self, *, pasted: Pasted, names: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pasted = pasted
        self._names = names

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """The rest of the way."""
        return _chain(self, self._pasted, self._names)


def _chain(
    parent: pytest.Collector, pasted: Pasted, names: tuple[str, ...]
) -> Iterator[pytest.Item | pytest.Collector]:
    nodeid = f"{parent.nodeid}::{names[0]}"
    if len(names) > 1:
        yield CaseGroup.from_parent(parent, name=names[0], nodeid=nodeid, pasted=pasted, names=names[1:])
    else:
        check = Check(nodeid, CheckKind.UNIT, pasted.suite.dir)
        yield CaseItem.from_parent(parent, name=names[0], nodeid=nodeid, check=check, pasted=pasted)


class CaseItem(CheckItem):
    """Tests of a suite, run in the suite's own process and environment."""

    def __init__(self, *, pasted: Pasted, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pasted = pasted

    def perform(self) -> Record:
        """Run them alone. The record is an ordinary test's: no run that can apply takes a path."""
        from pytest_tfpipeline.checks import unit

        state = state_of(self.config)
        inside = self._pasted.path.relative_to(state.top / self._pasted.suite.dir).as_posix()
        only = "::".join((inside, *self._pasted.names))
        record = unit.check(state.context, self.check, (only,))
        return replace(record, check=state.key(self.config, self.nodeid), kind=CheckKind.TEST, cases=())
