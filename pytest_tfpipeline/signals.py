"""SIGINT and SIGTERM: handled so that the first ends what runs in order, or held back for a while."""

from __future__ import annotations

import atexit
import os
import select
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

#: Seconds after an interrupt in which another is the same wish. Later ones count again: a test may have swallowed it.
_SAME_WISH = 3.0


class Signals:
    """Handlers that raise KeyboardInterrupt. `ending`: nothing more is to be interrupted.

    Another that comes within `same_wish` seconds changes nothing.
    """

    def __init__(self, numbers: Sequence[signal.Signals], same_wish: float = _SAME_WISH) -> None:
        self.ending = False
        self._same_wish = same_wish
        self._numbers = numbers
        self._before: dict[signal.Signals, Any] = {}
        self._last: float | None = None

    def take(self) -> None:
        """Handle them here, where pytest runs in the main thread: elsewhere its caller has handlers of its own. What is
        ignored stays ignored."""
        if not in_main_thread():
            return
        for number in self._numbers:
            before = signal.getsignal(number)
            if before not in (signal.SIG_IGN, None):
                self._before[number] = before
                signal.signal(number, self._come)

    def give_back(self) -> None:
        """Unless there was an interrupt: more of the same may be on the way, until the process has ended. Whoever goes
        on in the same process can be interrupted again after `same_wish` seconds."""
        self.ending = False
        if self._last is not None:
            self._last = time.monotonic()
            return
        for number, before in self._before.items():
            signal.signal(number, before)

    def _come(self, _number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        again = self._last is not None and now - self._last < self._same_wish
        if self._last is None:
            atexit.register(self._ignore)
        self._last = now
        if not self.ending and not again:
            raise KeyboardInterrupt

    def _ignore(self) -> None:
        """An interpreter that ends puts default handlers in the place of ours, and they kill."""
        for number in self._before:
            signal.signal(number, signal.SIG_IGN)


def in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def wait_for_input(descriptor: int) -> None:
    """Until something can be read there, or until a handler has raised.

    A signal that comes just before a blocking read is noted and handled once that returns: a Ctrl-C is lost on whoever
    waits for a line. A pipe that signals write to (`signal.set_wakeup_fd`) cannot miss one.
    """
    if not in_main_thread():
        return
    woken, wake = os.pipe()
    try:
        os.set_blocking(woken, False)
        os.set_blocking(wake, False)
        before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        try:
            while descriptor not in select.select([descriptor, woken], [], [])[0]:
                os.read(woken, 4096)
        finally:
            signal.set_wakeup_fd(before)
    finally:
        os.close(woken)
        os.close(wake)


@contextmanager
def interrupts_held_back() -> Iterator[Sequence[int]]:
    """Note SIGINT and SIGTERM for as long as the block runs; the first is raised again at its end.

    Gives the numbers of those that came, as they come. Outside the main thread, where none is ever raised, it does
    nothing; a signal that is ignored stays ignored, since children inherit that.
    """
    came: list[int] = []
    if not in_main_thread():
        yield came
        return
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    ours = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number in ours:
        signal.signal(number, lambda number, _frame: came.append(number))
    try:
        yield came
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])
