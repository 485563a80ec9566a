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
            if self._config.get_terminal_writer().width_of_current_line:  # pytest-xdist and others do not end theirs
                reporter.write_line("")
            reporter.write_line(clean(line))
            reporter.flush()


def shows_progress(config: pytest.Config) -> bool:
    """Whether pytest itself says how far it is, on its own terminal: not where it was told to be quiet or to show what
    tests print, nor where another plugin draws the terminal."""
    reporter, option = config.pluginmanager.getplugin("terminalreporter"), config.option
    if type(reporter) is not pytest.TerminalReporter or option.verbose < 0 or option.collectonly:
        return False
    style = config.getini("console_output_style")
    return bool(style != "classic" and (option.capture != "no" or style.endswith("capture-no")))
