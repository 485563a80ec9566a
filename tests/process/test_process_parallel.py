"""Threads that are waited for: order, errors, and interrupts that reach them wherever they are delivered."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

import interruptible
import pytest

from pytest_tfpipeline.parallel import in_parallel


def never() -> None:
    pytest.fail("nothing was interrupted")


def test_answers_come_in_the_order_of_the_items_whoever_is_first() -> None:
    second_done = threading.Event()

    def work(number: int) -> int:
        if number == 1:
            assert second_done.wait(30)
        if number == 2:
            second_done.set()
        return number * 10

    assert in_parallel(work, [1, 2, 3], 2, never) == (10, 20, 30)


def test_an_error_is_raised_when_the_others_have_ended() -> None:
    failed, ended = threading.Event(), []

    def work(number: int) -> None:
        if number == 1:
            failed.set()
            raise ValueError("one")
        assert failed.wait(30)
        ended.append(number)

    with pytest.raises(ValueError, match="one"):
        in_parallel(work, [1, 2], 2, never)
    assert ended == [2]


@pytest.mark.parametrize(
    "interrupt_run",
    [
        pytest.param(lambda: os.kill(os.getpid(), signal.SIGINT), id="to the process"),
        pytest.param(lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT), id="to a working thread"),
    ],
)
def test_an_interrupt_ends_the_work_once_and_is_raised_when_it_has_ended(interrupt_run: Callable[[], None]) -> None:
    asked, times, ended = threading.Event(), [], []

    def work(number: int) -> None:
        interrupt_run()
        assert asked.wait(30)
        ended.append(number)

    def interrupt() -> None:
        times.append(1)
        asked.set()

    with interruptible.raising(), pytest.raises(KeyboardInterrupt):
        in_parallel(work, [1, 2], 2, interrupt)
    assert (times, sorted(ended)) == ([1], [1, 2])
