"""Say what takes long while it goes on, wherever in the run that is."""

from __future__ import annotations

import contextlib

import pytest

from pytest_tfpipeline.redact import clean


class Installing:
    """Shows what an installation is doing: the first one of a tool takes a minute or two."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def __call__(self, line: str) -> None:
        manager = self._config.pluginmanager
        reporter: pytest.TerminalReporter | None = manager.getplugin("terminalreporter")
        capture = manager.getplugin("capturemanager")
        if reporter is None:
            return
        # An item may be what needs the tool, and what is printed while one runs is captured.
        with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
            reporter.ensure_newline()
            reporter.write_line(clean(line))
            reporter.flush()
