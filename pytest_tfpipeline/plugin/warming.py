"""The checkov that is kept running for a run's `policy` items: begun as soon as it is known that there are any."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from pytest_tfpipeline.checks.checkov import server_environment
from pytest_tfpipeline.checks.policy import home_of
from pytest_tfpipeline.context import open_context
from pytest_tfpipeline.model import CheckKind
from pytest_tfpipeline.plugin.state import State
from pytest_tfpipeline.warm.service import WarmCheckov

_ITEM = f"::{CheckKind.POLICY.value}"


class Warming:
    """Registered on the controller of a run that cannot apply."""

    def __init__(self, config: pytest.Config, state: State) -> None:
        self._config, self._state = config, state
        self._service: WarmCheckov | None = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Say where it will be; nothing is started yet."""
        run, context = self._state.run, self._state.context
        wanted = any(check.kind is CheckKind.POLICY for check in run.checks)
        if not wanted or not run.settings.get("shortcuts") or self._config.option.collectonly:
            return
        environment = server_environment(context.runner.environ, home_of(context))
        self._service = WarmCheckov(context.runner, lambda: self._state.context.tool("checkov"), environment)
        self._state.run = replace(run, settings={**run.settings, "checkov_address": self._service.address})
        self._state.context = open_context(self._state.run, context.progress, context.runner)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """A worker has collected."""
        self._begin(ids)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """This process has collected; with workers, nothing."""
        self._begin([item.nodeid for item in session.items])

    def pytest_unconfigure(self) -> None:
        """However the run ended."""
        if self._service is not None:
            self._service.stop()

    def _begin(self, ids: Sequence[str]) -> None:
        if self._service is not None and any(_ITEM in one for one in ids):
            self._service.begin()
