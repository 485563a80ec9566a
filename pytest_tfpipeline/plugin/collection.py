"""Collection: which files become items, which tests are policy tests, and what is left out of the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfpipeline.plugin.cases import pasted_cases
from pytest_tfpipeline.plugin.fixtures import FIXTURES, NOWHERE, Subject, parametrize
from pytest_tfpipeline.plugin.folders import SuiteFolder
from pytest_tfpipeline.plugin.items import CheckFile, CheckItem
from pytest_tfpipeline.plugin.state import State


def add_anchors(config: pytest.Config, state: State) -> None:
    """Collect every root, module and suite where pytest was not told what to collect.

    Every process does it for itself: pytest-xdist gives workers the command line, not what became of it.
    """
    sources = pytest.Config.ArgsSource
    at_top = config.invocation_params.dir in (state.top, config.rootpath)
    if config.args_source is sources.TESTPATHS or (config.args_source is sources.INVOCATION_DIR and at_top):
        ignored = [Path(path).absolute() for path in config.getoption("ignore") or ()]
        config.args += [
            str(anchor) for anchor in state.anchors if not any(path in (anchor, *anchor.parents) for path in ignored)
        ]


class Collection:
    """Registered on the controller and on every worker, with the same description of the run."""

    def __init__(self, state: State, config: pytest.Config) -> None:
        self._state = state
        self._on_the_way = {parent for anchor in state.anchors for parent in anchor.parents}
        self._pasted = pasted_cases(config, state)
        # Whoever starts pytest inside of a suite works on that suite, with pytest as it is.
        start = config.invocation_params.dir
        self._closed = {suite for suite in state.suites if suite != start and suite not in start.parents}

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """The anchor of a root, module or suite is the file of its checks."""
        return CheckFile.from_parent(parent, path=file_path) if file_path in self._state.anchors else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_collect_directory(self, path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Keep pytest out of suites: their tests run in a process of their own, also when they are named."""
        return SuiteFolder.from_parent(parent, path=path, pasted=self._pasted) if path in self._closed else None

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Open the way to every anchor, past `norecursedirs`."""
        if collection_path in self._state.anchors or collection_path in self._on_the_way:
            return False
        return None

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Multiply policy tests over what they are about."""
        parametrize(metafunc)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out policy tests that have nothing to be run on, and in a later phase everything but its own."""
        dropped = [item for item in items if not self._belongs(item)]
        self._state.unplanned |= {item.nodeid for item in items if _is_nowhere(item)}
        if dropped:
            config.hook.pytest_deselected(items=dropped)
            items[:] = [item for item in items if self._belongs(item)]

    def _belongs(self, item: pytest.Item) -> bool:
        only = self._state.phase.only
        subject = subject_of(item)
        if _is_nowhere(item):
            return False
        if only is None:
            return True
        return not isinstance(item, CheckItem) and subject is not None and (subject.dir, subject.environment) in only


def subject_of(item: pytest.Item) -> Subject | None:
    """What a policy test is about; None for any other test."""
    callspec = getattr(item, "callspec", None)
    params = callspec.params if callspec is not None else {}
    return next((params[name] for name in FIXTURES if isinstance(params.get(name), Subject)), None)


def _is_nowhere(item: pytest.Item) -> bool:
    callspec = getattr(item, "callspec", None)
    return callspec is not None and NOWHERE in callspec.id
