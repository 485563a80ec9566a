"""Tests inside a Python suite as items of their own: those that were named on the command line, and those that `-k` may
mean. They run alone, in the suite's own process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.model import Check, CheckKind, Record, Suite
from pytest_tfpipeline.plugin.items import CheckItem
from pytest_tfpipeline.plugin.state import State, state_of


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file or directory inside a suite, with the names behind its `::`; without names, all that is in it.

    `read` says that nobody named it: its source has a test that `-k` may mean.
    """

    suite: Suite
    path: Path
    names: tuple[str, ...] = ()
    read: bool = False


def wanted_cases(config: pytest.Config, state: State) -> tuple[Wanted, ...]:
    """What was named inside of suites, and with `-k` the tests that their sources have by such a name."""
    named = tuple(_named(config, state))
    if not config.option.keyword:
        return named
    read = tuple(_read(config.option.keyword, state))
    kept = [one for one in named if one.names or not any(one.path in (each.path, *each.path.parents) for each in read)]
    return (*kept, *read)


def _named(config: pytest.Config, state: State) -> Iterator[Wanted]:
    """Of the command line's arguments, those inside of suites; the checks of an anchor are ordinary items."""
    for arg in config.option.file_or_dir:
        path, names = split_id(str(arg))
        absolute = (config.invocation_params.dir / path).absolute()
        suite = _suite_around(state, absolute)
        if suite is not None and not _is_about_checks(state, absolute, names):
            yield Wanted(suite, absolute, names)


def split_id(nodeid: str) -> tuple[str, tuple[str, ...]]:
    """Path and names of a node id; what stands in brackets belongs to the last name, as pytest has it."""
    base, bracket, parameter = nodeid.partition("[")
    path, *names = base.split("::")
    return (path, (*names[:-1], names[-1] + bracket + parameter)) if names else (nodeid, ())


def _is_about_checks(state: State, path: Path, names: Sequence[str]) -> bool:
    if path in state.anchors:
        return not names or any(check.id.endswith(f"::{names[0]}") for check in state.checks[state.anchors[path]])
    return any(path in anchor.parents for anchor in state.anchors)


def _suite_around(state: State, path: Path) -> Suite | None:
    around = [one for one in state.run.repository.suites if state.top / one.dir in path.parents]
    return max(around, key=lambda one: len(one.dir), default=None)


def _read(keyword: str, state: State) -> Iterator[Wanted]:
    from pytest_tfpipeline.suites.names import meant_tests, words_of

    words = words_of(keyword)
    expected = {check.dir for check in state.run.checks if check.kind is CheckKind.UNIT}
    for suite in state.run.repository.suites:
        if suite.dir in expected:
            for file, *names in meant_tests(state.top, suite, words):
                yield Wanted(suite, state.top / suite.dir / file, tuple(names), read=True)


class CaseFile(pytest.File):
    """A file or directory inside a suite, of which something is wanted."""

    def __init__(self, *, wanted: tuple[Wanted, ...], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._wanted = wanted

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """Single tests, or all of it as one item."""
        return _children(self, [(one, one.names or ("unit",)) for one in self._wanted])


class CaseGroup(pytest.Collector):
    """A class on the way to tests."""

    def __init__(self, *, ways: Sequence[tuple[Wanted, tuple[str, ...]]], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._ways = ways

    def collect(self) -> Iterator[pytest.Item | pytest.Collector]:
        """The rest of the ways."""
        return _children(self, self._ways)


def _children(
    parent: pytest.Collector, ways: Sequence[tuple[Wanted, tuple[str, ...]]]
) -> Iterator[pytest.Item | pytest.Collector]:
    further: defaultdict[str, list[tuple[Wanted, tuple[str, ...]]]] = defaultdict(list)
    here: dict[str, Wanted] = {}
    for wanted, names in ways:
        if len(names) > 1:
            further[names[0]].append((wanted, names[1:]))
        else:
            here.setdefault(names[0], wanted)
    for name, wanted in here.items():
        nodeid = f"{parent.nodeid}::{name}"
        check = Check(nodeid, CheckKind.UNIT, wanted.suite.dir)
        yield CaseItem.from_parent(parent, name=name, nodeid=nodeid, check=check, wanted=wanted)
    for name, rest in further.items():
        yield CaseGroup.from_parent(parent, name=name, nodeid=f"{parent.nodeid}::{name}", ways=rest)


class CaseItem(CheckItem):
    """Tests of a suite, run in the suite's own process and environment."""

    def __init__(self, *, wanted: Wanted, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.wanted = wanted
        #: What is run together with it, in one process: the ids of all such items of its suite.
        self.together: tuple[str, ...] = (self.inside,)
        # Whatever leaves out the suite's `unit` leaves out its parts too.
        self.extra_keyword_matches.add(f"{wanted.suite.anchor}::unit")

    @property
    def inside(self) -> str:
        """Its id as the suite's own pytest has it, or as a JUnit file does."""
        if self.name.startswith("unit["):
            return self.name.removeprefix("unit[").removesuffix("]")
        path = self.wanted.path.relative_to(state_of(self.config).top / self.wanted.suite.dir).as_posix()
        return "::".join((path, *self.wanted.names))

    def perform(self) -> Record:
        """Its own part of what the suite's process said. The record is an ordinary test's: a part of a suite never
        counts as the suite."""
        from pytest_tfpipeline.checks import unit

        state = state_of(self.config)
        whole = unit.check_part(state.context, self.check.dir, self.together)
        record = unit.part_of(whole, self.inside, read=self.wanted.read)
        for case in record.cases if len(record.cases) == 1 else ():
            for title, content in case.output:
                _, stream, when, *_ = f"{title} call call".split()
                self.add_report_section(when, stream, content)
        return replace(record, check=state.key(self.config, self.nodeid), kind=CheckKind.TEST)


def settle(config: pytest.Config, items: list[pytest.Item]) -> None:
    """After `-k` has chosen: drop what was only read of suites that run whole, and let the rest of each suite share a
    process."""
    units = [item for item in items if isinstance(item, CheckItem) and item.check.kind is CheckKind.UNIT]
    cases = [item for item in units if isinstance(item, CaseItem)]
    whole = {item.check.dir for item in units if not isinstance(item, CaseItem)}
    dropped: list[pytest.Item] = [item for item in cases if item.wanted.read and item.check.dir in whole]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = [item for item in items if item not in dropped]
    for item in cases:
        same = [each.inside for each in cases if each.check.dir == item.check.dir and each not in dropped]
        item.together = tuple(sorted(same))
