"""Ask whoever sits at the terminal, in the middle of a run."""

from __future__ import annotations

import os
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from pytest_tfpipeline.redact import clean
from pytest_tfpipeline.signals import wait_for_input

#: How often a name may be mistyped.
TRIES = 2


def ask(config: pytest.Config, text: str, environment: str) -> bool | None:
    """Show `text` and have the environment's name typed: True if it was, exactly; None if there is nobody to ask.

    Two tries; an empty line or the end of the input is a no at once, Ctrl-C a KeyboardInterrupt. There is nobody where
    standard input or output is no terminal, and in CI (`CI` is set), where a terminal may be there with no one at it.
    For the controller, between items: what it finds captured is captured again afterwards.
    """
    with _terminal(config):
        if not _somebody_there():
            return None
        writer = config.get_terminal_writer()
        if writer.width_of_current_line:  # pytest-xdist does not end its lines
            writer.line()
        for line in clean(text).splitlines():
            writer.line(line)
        writer.line()
        return _typed(config, environment)


def _typed(config: pytest.Config, environment: str) -> bool:
    writer, shown = config.get_terminal_writer(), clean(environment).replace("\n", " ")
    prompt = f"To apply this, type {shown}; anything else applies nothing: "
    for _ in range(TRIES):
        _forget_what_was_typed_before()
        writer.write(prompt, flush=True)
        answer = _line()
        if answer in (environment, ""):
            break
        prompt = f"That is not {shown}. Type {shown} to apply this (last try): "
    writer.line()
    if answer != environment:
        writer.line(f"Not approved: nothing is applied to {shown}.")
    return answer == environment


def _line() -> str:
    """A line without its end; "" for the end of the input, for a terminal that is gone and for what is no text."""
    with suppress(OSError, ValueError):
        wait_for_input(sys.stdin.fileno())
        line = sys.stdin.readline()
        if line.endswith("\n"):
            return line[:-1]
    return ""


def _forget_what_was_typed_before() -> None:
    """Nothing that was typed before the question was there may answer it."""
    with suppress(OSError, ValueError, termios.error):
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


def _somebody_there() -> bool:
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        return False
    try:
        return sys.stdin.isatty() and sys.stdout.isatty()
    except (AttributeError, ValueError):  # closed, or taken away by whoever started pytest
        return False


@contextmanager
def _terminal(config: pytest.Config) -> Iterator[None]:
    """The real standard input and output, whatever pytest captures."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        yield
        return
    capture.suspend_global_capture(in_=True)
    try:
        yield
    finally:
        # Between items only the input is captured; resuming is what takes it away again.
        capture.resume_global_capture()
        capture.suspend_global_capture(in_=False)
