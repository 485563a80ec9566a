"""Ctrl-C and SIGTERM: the first ends the run in order, and those that follow, of an impatient user, change nothing.

Without this, a second one hits pytest while it cleans up: a traceback, no evidence, and children that nobody ends.
"""

from __future__ import annotations

import atexit
import signal
import sys
import threading
import time
from collections.abc import Generator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

#: Seconds after an interrupt in which another is the same wish. Later ones count again: a test may have swallowed it.
_SAME_WISH = 3.0
_NAME = "tfpipeline-interrupts"
_UNSTARTED = "the run was interrupted before anything was checked"


class Interrupts:
    """Registered on the controller. `top` is where evidence is written of a run that does not come to its start."""

    def __init__(self, config: pytest.Config, top: Path) -> None:
        self._config = config
        self._top = top
        self._signals = _Signals((signal.SIGINT, signal.SIGTERM))
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

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """pytest has taken note: from here on it only cleans up. Before its start it would leave no evidence."""
        self._signals.ending = True
        self._let_through()
        if not self._started and isinstance(excinfo.value, KeyboardInterrupt):
            _write_unstarted(self._config, self._top)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_setupnodes(self, specs: Sequence[object]) -> None:
        """Ctrl-C reaches the whole process group: a worker that is just starting would die of it, with a traceback and
        an internal error here. It inherits that SIGINT is blocked, until it has a handler."""
        self._unborn = len(specs)
        if _in_main_thread():
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
        if self._blocked and _in_main_thread():
            self._blocked = False
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def end_interrupted(config: pytest.Config) -> int:
    """The exit code of a run that was interrupted where pytest knows of no run yet, or of none any more."""
    if not config.pluginmanager.hasplugin(_NAME):
        from pytest_tfpipeline.plugin.place import top_of

        _write_unstarted(config, top_of(config.rootpath))
        sys.stderr.write(f"{_UNSTARTED}\n")
    return int(pytest.ExitCode.INTERRUPTED)


def _write_unstarted(config: pytest.Config, top: Path) -> None:
    from pytest_tfpipeline.plugin.refusal import write_unstarted

    write_unstarted(config, top, _UNSTARTED, pytest.ExitCode.INTERRUPTED)


class WorkerInterrupts:
    """Registered in a pytest-xdist worker, whose controller hears of every interrupt itself."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._signals = _Signals((signal.SIGINT,))

    def install(self) -> None:
        """From here on; one that came while the process started is felt now."""
        self._config.pluginmanager.register(self, _NAME)
        self._signals.take()
        if _in_main_thread():
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

    def pytest_keyboard_interrupt(self) -> None:
        """The worker only cleans up from here on."""
        self._signals.ending = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """The same; and the process, which waits for its end, is not given the signal back."""
        self._signals.ending = True


class _Signals:
    """The handlers of some signals. `ending`: nothing more is to be interrupted."""

    def __init__(self, numbers: Sequence[signal.Signals]) -> None:
        self.ending = False
        self._numbers = numbers
        self._before: dict[signal.Signals, Any] = {}
        self._last: float | None = None

    def take(self) -> None:
        """Handle them here, where pytest runs in the main thread: elsewhere its caller has handlers of its own. What is
        ignored stays ignored."""
        if not _in_main_thread():
            return
        for number in self._numbers:
            before = signal.getsignal(number)
            if before not in (signal.SIG_IGN, None):
                self._before[number] = before
                signal.signal(number, self._come)

    def give_back(self) -> None:
        """Unless there was an interrupt: more of the same may be on the way, until the process has ended."""
        self.ending = False
        if self._last is None:
            for number, before in self._before.items():
                signal.signal(number, before)

    def _come(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        again = self._last is not None and now - self._last < _SAME_WISH
        if self._last is None:
            atexit.register(self._ignore)
        self._last = now
        if not self.ending and not again:
            raise KeyboardInterrupt

    def _ignore(self) -> None:
        """An interpreter that ends puts default handlers in the place of ours, and they kill."""
        for number in self._before:
            signal.signal(number, signal.SIG_IGN)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
