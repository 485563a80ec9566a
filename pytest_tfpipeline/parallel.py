"""Wait for threads so that an interrupt is neither lost nor harmful: heard at once, passed on once, raised at the end.

Python runs signal handlers in the main thread only, but a signal may be delivered to any thread: a main thread that
waits without a limit would sleep on. And a KeyboardInterrupt that is raised while a lock is taken leaves it taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from pytest_tfpipeline.signals import interrupts_held_back

#: Seconds between two looks at whether an interrupt has come.
_LOOK = 0.1

_Item = TypeVar("_Item")
_Done = TypeVar("_Done")


def finish(futures: Iterable[Future[Any]], came: Sequence[int], interrupt: Callable[[], None]) -> None:
    """Until all have ended, within `interrupts_held_back`, which gave `came`: `interrupt` is called once if one comes,
    and what runs is waited for however often the user insists."""
    left, passed_on = set(futures), False
    while left:
        left = wait(left, timeout=_LOOK).not_done
        if came and not passed_on:
            passed_on = True
            interrupt()


def in_parallel(
    function: Callable[[_Item], _Done], items: Iterable[_Item], workers: int, interrupt: Callable[[], None]
) -> tuple[_Done, ...]:
    """`function` of each item, in their order, by so many threads. What one raises is raised when all have ended.

    An interrupt calls `interrupt`, which is to end what they wait for, and is raised when they have.
    """
    with interrupts_held_back() as came, ThreadPoolExecutor(workers) as pool:
        futures = [pool.submit(function, item) for item in items]
        finish(futures, came, interrupt)
        return tuple(future.result() for future in futures)
