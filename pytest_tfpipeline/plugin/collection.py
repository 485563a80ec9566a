"""Collection: which files become items, which tests are policy tests, and what is left out of the run."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from pytest_tfpipeline.model import Check, CheckKind
from pytest_tfpipeline.plugin.cases import settle, wanted_cases
from pytest_tfpipeline.plugin.fixtures import FIXTURES, NOWHERE, Subject, parametrize
from pytest_tfpipeline.plugin.folders import SuiteFolder
from pytest_tfpipeline.plugin.items import CheckFile, CheckItem
from pytest_tfpipeline.plugin.nativetests import TEST_FILES, NamedTests, check_of
from pytest_tfpipeline.plugin.state import Phase, State
from pytest_tfpipeline.policies.baseline import KINDS


def add_anchors(config: pytest.Config, state: State) -> None:
    """Collect every root, module and suite where pytest was not told what to collect.

    Every process does it for itself: pytest-xdist gives workers the command line, not what became of it.
    """
    sources = pytest.Config.ArgsSource
    at_top = config.invocation_params.dir in (state.top, config.rootpath)
    if config.args_source is sources.TESTPATHS or (config.args_source is sources.INVOCATION_DIR and at_top):
        ignored = [Path(path).absolute() for path in config.getoption("ignore") or ()]
        places = dict.fromkeys((*state.anchors, *(wanted.path for wanted in wanted_cases(config, state))))
        config.args += [str(place) for place in places if not any(path in (place, *place.parents) for path in ignored)]


class Collection:
    """Registered on the controller and on every worker, with the same description of the run."""

    def __init__(self, state: State, config: pytest.Config) -> None:
        self._state = state
        self._on_the_way = {parent for anchor in state.anchors for parent in anchor.parents}
        self._wanted = wanted_cases(config, state)
        self._copies = {Path(state.run.output_path), Path(state.run.work_path), state.top / ".tfpipeline"}
        # Whoever starts pytest inside of a suite works on that suite, with pytest as it is.
        start = config.invocation_params.dir
        self._closed = {suite for suite in state.suites if suite != start and suite not in start.parents}

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """The anchor of a root, module or suite is the file of its checks; a file of native tests one of its own, where
        it was named."""
        if file_path in self._state.anchors:
            return CheckFile.from_parent(parent, path=file_path)
        if file_path.name.endswith(TEST_FILES) and parent.session.isinitpath(file_path):
            check = check_of(self._state, file_path)
            return None if check is None else NamedTests.from_parent(parent, path=file_path, check=check)
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Keep pytest out of suites: their tests run in a process of their own, also when they are named."""
        return SuiteFolder.from_parent(parent, path=path, wanted=self._wanted) if path in self._closed else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Open the way to every anchor, past `norecursedirs`. A run that makes the baseline goes no other way: what
        cannot be collected there has nothing to do with it. The copies of the tree are nobody's, also where the
        repository has patterns of its own for what is not entered."""
        if collection_path in self._copies:
            return True
        if collection_path in self._state.anchors or collection_path in self._on_the_way:
            return False
        return True if self._state.recording else None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Multiply policy tests over what they are about."""
        parametrize(metafunc)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> Generator[None, object, object]:
        """First leave out policy tests that have nothing to be run on, and in a later phase everything but its own.
        Last hold back the tests of outputs: one that somebody else took away by then is missed before the apply."""
        dropped = [item for item in items if not self._belongs(item)]
        if dropped:
            config.hook.pytest_deselected(items=dropped)
            items[:] = [item for item in items if self._belongs(item)]
        result = yield
        settle(config, items)
        if self._state.phase.only is None and not config.option.collectonly:
            self._hold_back(config, items)
        return result

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Nothing is started for a check that was not selected, or whose result is reused."""
        checks = [item.check for item in session.items if isinstance(item, CheckItem)]
        checks = [check for check in checks if check.id not in self._state.reused]
        if any(check.kind is CheckKind.FMT for check in checks):
            from pytest_tfpipeline.checks.formatted import batches

            self._state.context.batches.update(batches(self._state.run, checks))

    def _belongs(self, item: pytest.Item) -> bool:
        phase = self._state.phase
        mine = phase.only is None or belongs_to(phase, item)
        return mine and not _is_nowhere(item) and (not self._state.recording or is_recorded(item))

    def _hold_back(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        state = self._state
        state.held_items = [item for item in items if wants_outputs(item)]
        for item in state.held_items:
            key, subject = state.key(config, item.nodeid), subject_of(item) or Subject(".")
            state.held[key] = Check(key, CheckKind.POLICY_TEST, subject.dir, subject.environment)
        items[:] = [item for item in items if not wants_outputs(item)]


def is_recorded(item: pytest.Item) -> bool:
    """Whether a run that makes the baseline runs it; a policy on a plan needs the plan."""
    return isinstance(item, CheckItem) and item.check.kind in (*KINDS, CheckKind.PLAN)


def belongs_to(phase: Phase, item: pytest.Item) -> bool:
    """Whether a later phase runs it."""
    subject = subject_of(item)
    if phase.only is None or isinstance(item, CheckItem) or subject is None:
        return False
    return wants_outputs(item) == phase.outputs and (subject.dir, subject.environment) in phase.only


def wants_outputs(item: pytest.Item) -> bool:
    """Whether it runs after an apply."""
    callspec = getattr(item, "callspec", None)
    return callspec is not None and isinstance(callspec.params.get("tf_outputs"), Subject)


def subject_of(item: pytest.Item) -> Subject | None:
    """What a policy test is about; None for any other test."""
    callspec = getattr(item, "callspec", None)
    params = callspec.params if callspec is not None else {}
    return next((params[name] for name in FIXTURES if isinstance(params.get(name), Subject)), None)


def _is_nowhere(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    return callspec is not None and NOWHERE in callspec.id
