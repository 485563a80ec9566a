"""Ctrl-C and SIGTERM: the first ends the run in order, and those that follow, of an impatient user, change nothing.

Without this, a second one hits pytest while it cleans up: a traceback, no evidence, and children that nobody ends.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Generator, Sequence
from pathlib import Path

import pytest

from pytest_tfpipeline.signals import Signals, in_main_thread

_NAME = "tfpipeline-interrupts"
_UNSTARTED = "the run was interrupted before anything was checked"


class Interrupts:
    """Registered on the controller. `top` is where evidence is written of a run that does not come to its start."""

    def __init__(self, config: pytest.Config, top: Path) -> None:
        self._config = config
        self._top = top
        self._signals = Signals((signal.SIGINT, signal.SIGTERM))
        self._started = False
        self._unborn = 0
        self._blocked = False

    def install(self) -> None:
        """From here on."""
        self._config.pluginmanager.register(self, _NAME)
        self._signals.take()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionstart(self) -> Generator[None, object, object]:
        """Behind this, pytest comes to its end in order whatever happens."""
        result = yield
        self._started = True
        return result

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """pytest has taken note: from here on it only cleans up. Before its start it would leave no evidence."""
        self._signals.ending = True
        self._let_through()
        _leave_out_what_has_no_line(excinfo)
        if not self._started and isinstance(excinfo.value, KeyboardInterrupt):
            _write_unstarted(self._config, self._top)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self, specs: Sequence[object]) -> None:
        """Ctrl-C reaches the whole process group: a worker that is just starting would die of it, with a traceback and
        an internal error here. It inherits that SIGINT is blocked, until it has a handler."""
        self._unborn = len(specs)
        if in_main_thread():
            self._blocked = True
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_newgateway(self) -> None:
        """A worker's process is there."""
        self._unborn -= 1
        if self._unborn <= 0:
            self._let_through()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """Nothing long is left: what the run proved is written down, and what it started is ended."""
        self._signals.ending = True
        self._let_through()

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Give the signals back."""
        self._let_through()
        self._signals.give_back()

    def _let_through(self) -> None:
        if self._blocked and in_main_thread():
            self._blocked = False
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def end_interrupted(config: pytest.Config) -> int:
    """The exit code of a run that was interrupted where pytest knows of no run yet, or of none any more."""
    if not config.pluginmanager.hasplugin(_NAME):
        from pytest_tfpipeline.plugin.place import top_of

        _write_unstarted(config, top_of(config.rootpath))
        sys.stderr.write(f"{_UNSTARTED}\n")
    return int(pytest.ExitCode.INTERRUPTED)


def _leave_out_what_has_no_line(excinfo: pytest.ExceptionInfo[BaseException]) -> None:
    """A signal may come at an instruction that belongs to no line of the source, and pytest ends in a TypeError where
    it counts lines (`tb_lineno` is None: PEP 626)."""
    excinfo.traceback = excinfo.traceback.filter(lambda entry: entry._rawentry.tb_lineno is not None)


def _write_unstarted(config: pytest.Config, top: Path) -> None:
    from pytest_tfpipeline.plugin.refusal import write_unstarted

    write_unstarted(config, top, _UNSTARTED, pytest.ExitCode.INTERRUPTED)


class WorkerInterrupts:
    """Registered in a pytest-xdist worker, whose controller hears of every interrupt itself."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._signals = Signals((signal.SIGINT,))

    def install(self) -> None:
        """From here on; one that came while the process started is felt now."""
        self._config.pluginmanager.register(self, _NAME)
        self._signals.take()
        if in_main_thread():
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """The worker only cleans up from here on."""
        self._signals.ending = True
        _leave_out_what_has_no_line(excinfo)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """The same; and the process, which waits for its end, is not given the signal back."""
        self._signals.ending = True
