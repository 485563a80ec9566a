"""What is kept running for a run's items: begun as soon as it is known that there are any that need it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest

from pytest_tfpipeline.checks.checkov import server_environment
from pytest_tfpipeline.checks.policy import home_of
from pytest_tfpipeline.context import open_context
from pytest_tfpipeline.model import Check, CheckKind
from pytest_tfpipeline.plugin.items import CheckItem
from pytest_tfpipeline.plugin.parallel import room
from pytest_tfpipeline.plugin.preparation import needed_by
from pytest_tfpipeline.plugin.state import State
from pytest_tfpipeline.terraform.shortcut import not_taken
from pytest_tfpipeline.warm import CHECKOV, FILTERED, short_cuts
from pytest_tfpipeline.warm.service import Warm, warm_checkov, warm_providers


class Warming:
    """Registered on the controller."""

    def __init__(self, config: pytest.Config, state: State) -> None:
        self._config, self._state = config, state
        self._checkov: Warm | None = None
        self._providers: Warm | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Say where they will be; nothing is started yet."""
        if self._config.option.collectonly:
            return
        run, runner = self._state.run, self._state.context.runner
        allowed, work_path = short_cuts(run), Path(run.work_path)
        if CHECKOV in allowed and self._has(CheckKind.POLICY):
            environment = server_environment(runner.environ, home_of(self._state.context))
            self._checkov = warm_checkov(runner, work_path, lambda: self._state.context.tool("checkov"), environment)
        if allowed & FILTERED and self._has(CheckKind.VALIDATE, CheckKind.PLAN):
            self._providers = warm_providers(runner, work_path)
        self._describe()

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """A worker has collected."""
        self._begin(ids)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """This process has collected; with workers, nothing."""
        self._begin([item.nodeid for item in session.items])
        if self._checkov is not None:
            # One more than are carried out: it waits until a processor is free, and none waits for it.
            for directories in _in_a_row(session.items, self._state.reused):
                self._state.context.ahead.expect(directories, room() + 1)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Where a short cut led nowhere, the plain answers counted: nothing is wrong, but it took longer."""
        said = not_taken(self._state.context)
        if said:
            terminalreporter.write_line(f"tfpipeline: {said}")

    def pytest_unconfigure(self) -> None:
        """However the run ended."""
        self._state.context.ahead.close()
        for service in (self._checkov, self._providers):
            if service is not None:
                service.stop()

    def _has(self, *kinds: CheckKind) -> bool:
        return any(check.kind in kinds for check in self._state.run.checks)

    def _describe(self) -> None:
        services = {"checkov_address": self._checkov, "providers_address": self._providers}
        addresses = {name: service.address for name, service in services.items() if service is not None}
        state, run = self._state, self._state.run
        state.run = replace(run, settings={**run.settings, **addresses})
        state.context = open_context(state.run, state.context.progress, state.context.runner)

    def _begin(self, nodeids: Iterable[str]) -> None:
        if self._checkov is None and self._providers is None:
            return
        needed = needed_by(self._state, self._config, nodeids)
        if self._checkov is not None and any(check.kind is CheckKind.POLICY for check in needed):
            self._checkov.begin()
        # Whatever is about an environment is about its plan.
        if self._providers is not None and any(one.environment or one.kind is CheckKind.VALIDATE for one in needed):
            self._providers.begin()


def _in_a_row(items: Iterable[pytest.Item], reused: Container[str]) -> Iterator[list[str]]:
    """Directories that are policed one right after the other: nothing stands between that might change them."""
    checks = [item.check if isinstance(item, CheckItem) else None for item in items]
    for policed, group in groupby((one for one in checks if one is None or one.id not in reused), _is_policed):
        if policed:
            yield [check.dir for check in group if check is not None]


def _is_policed(check: Check | None) -> bool:
    return check is not None and check.kind is CheckKind.POLICY and check.environment is None
