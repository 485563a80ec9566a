"""A real pytest on a real terminal, asked in the middle of its run."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import interruptible  # noqa: F401
import pytest

#: Asks after all items, where an apply would be. What a run prints afterwards must not be swallowed by the capture.
CONFTEST = """
import os
import signal
import sys
import threading
import pytest
from pytest_tfpipeline.plugin.asking import ask

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtestloop(session):
    result = yield
    if not hasattr(session.config, "workerinput"):
        if "SIGNALS_ELSEWHERE" in os.environ:
            threading.Thread(target=threading.Event().wait, daemon=True).start()
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        print(f"ANSWER={ask(session.config, 'the changes', 'production')}")
        sys.stdout.flush()
        print(f"STDIN={sys.stdin.isatty()}")
        if "ASK_AGAIN" in os.environ:
            print(f"AGAIN={ask(session.config, 'the rest', 'production')}")
    return result
"""
TEST = """
import sys

def test_one():
    print("captured")

def test_two(request):
    assert request.config.option.capture in ("no", "tee-sys") or not sys.stdin.isatty()
"""
#: Takes the terminal as the session's own, so that Ctrl-C reaches it, and becomes pytest.
START = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.executable, sys.argv[1:])"
PROMPT = "type production"
AGAIN = "That is not production"


PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:tfpipeline")


def environ() -> dict[str, str]:
    dropped = ("PYTEST_", "CI", "GITHUB_", "TFPIPELINE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, "PYTHONDONTWRITEBYTECODE": "1"}


def write_tests(folder: Path) -> None:
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(TEST)
    (folder / "pytest.ini").write_text("[pytest]\n")


class Terminal:
    """pytest as a person sees it: everything it shows, and keys that are pressed."""

    def __init__(self, folder: Path, *args: str, env: Mapping[str, str], typed_before: str = "") -> None:
        write_tests(folder)
        self.shown = ""
        self._fd, inner = pty.openpty()
        self.press(typed_before)
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, *PYTEST, *args],
            cwd=folder,
            env={**environ(), **env},
            stdin=inner,
            stdout=inner,
            stderr=inner,
            start_new_session=True,
        )
        os.close(inner)

    def until(self, text: str, seconds: float = 60) -> None:
        """Read until that was shown."""
        deadline = time.monotonic() + seconds
        while text not in self.shown:
            assert self._read(deadline - time.monotonic()), f"never shown: {text}\n{self.shown}"

    def press(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def end(self, seconds: float = 60) -> int:
        """Its exit code, once it has ended; everything it has shown is there then."""
        deadline = time.monotonic() + seconds
        while self._read(deadline - time.monotonic()):
            pass
        return self.process.wait(max(deadline - time.monotonic(), 1))

    def hang_up(self) -> None:
        """Close the window."""
        os.close(self._fd)
        self._fd = -1

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self._fd >= 0:
            os.close(self._fd)

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._fd], [], [], max(seconds, 0))
        if not ready:
            return False
        try:
            data = os.read(self._fd, 65536)
        except OSError:  # the other end is closed
            return False
        self.shown += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)


class Start(Protocol):
    def __call__(self, *args: str, env: Mapping[str, str] = {}, typed_before: str = "") -> Terminal: ...


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    opened: list[Terminal] = []

    def start(*args: str, env: Mapping[str, str] | None = None, typed_before: str = "") -> Terminal:
        opened.append(Terminal(tmp_path, *args, env=env or {}, typed_before=typed_before))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


@pytest.mark.parametrize("args", ["-n 2", "-n 0", "-s", "--capture=sys", "--capture=tee-sys", "-q -p no:xdist"])
def test_the_name_is_a_yes(start: Start, args: str) -> None:
    terminal = start(*args.split())
    terminal.until(PROMPT)
    assert "the changes" in terminal.shown
    terminal.press("production\n")
    assert terminal.end() == 0
    assert "ANSWER=True" in terminal.shown
    assert "2 passed" in terminal.shown
    assert ("STDIN=True" in terminal.shown) == (args in ("-s", "--capture=tee-sys"))


def test_what_comes_after_the_answer_is_shown_at_once(start: Start) -> None:
    """An apply that takes an hour follows: its progress must not lie in pytest's capture until the end."""
    terminal = start(env={"ASK_AGAIN": "1"})
    terminal.until(PROMPT)
    terminal.press("production\n")
    terminal.until("ANSWER=True", seconds=20)
    terminal.until("the rest\n\nTo apply this, type production")
    terminal.press("production\n")
    assert terminal.end() == 0
    assert "AGAIN=True" in terminal.shown


def test_it_may_be_mistyped_once(start: Start) -> None:
    terminal = start()
    terminal.until(PROMPT)
    terminal.press("Production\n")
    terminal.until(AGAIN)
    terminal.press("production\n")
    assert terminal.end() == 0
    assert "ANSWER=True" in terminal.shown


@pytest.mark.parametrize("first", ["yes", "prod", "production ", " production", "staging", "\x1b[A", "p\xe4"])
def test_and_not_twice(start: Start, first: str) -> None:
    terminal = start()
    terminal.until(PROMPT)
    terminal.press(f"{first}\n")
    terminal.until(AGAIN)
    terminal.press("y\n")
    terminal.end()
    assert "ANSWER=False" in terminal.shown


@pytest.mark.parametrize("keys", ["\n", "\x04", "production\x04\x04"], ids=["empty", "ctrl-d", "not entered"])
def test_nothing_is_a_no(start: Start, keys: str) -> None:
    terminal = start()
    terminal.until(PROMPT)
    terminal.press(keys)
    assert terminal.end() == 0
    assert "ANSWER=False" in terminal.shown
    assert AGAIN not in terminal.shown


@pytest.mark.parametrize("args", ["-n 2", "-n 0"])
def test_ctrl_c_ends_the_run(start: Start, args: str) -> None:
    terminal = start(*args.split())
    terminal.until(PROMPT)
    terminal.press("\x03")
    assert terminal.end() == 2
    assert "ANSWER" not in terminal.shown
    assert "KeyboardInterrupt" in terminal.shown


def test_ctrl_c_that_does_not_end_the_wait_for_a_line_is_not_lost(start: Start) -> None:
    """As one that comes just before the wait begins: a read that blocks hears of it when it ends."""
    terminal = start(env={"SIGNALS_ELSEWHERE": "1"})
    terminal.until(PROMPT)
    terminal.press("\x03")
    assert terminal.end() == 2
    assert "KeyboardInterrupt" in terminal.shown


def test_what_was_typed_before_the_question_is_no_answer(start: Start) -> None:
    terminal = start(typed_before="production\n")
    terminal.until(PROMPT)
    terminal.press("\n")
    terminal.end()
    assert "ANSWER=False" in terminal.shown


def test_a_terminal_in_ci_has_nobody_at_it(start: Start) -> None:
    terminal = start(env={"CI": "true"})
    assert terminal.end() == 0
    assert "ANSWER=None" in terminal.shown
    assert PROMPT not in terminal.shown


def test_a_terminal_that_goes_away_is_no_yes(start: Start, tmp_path: Path) -> None:
    terminal = start(f"--junitxml={tmp_path / 'junit.xml'}")
    terminal.until(PROMPT)
    terminal.hang_up()
    assert terminal.process.wait(60) != 0


@pytest.mark.parametrize("args", ["-n 2", "-n 0", "-s"])
def test_without_a_terminal_nobody_is_asked(tmp_path: Path, args: str) -> None:
    write_tests(tmp_path)
    done = subprocess.run(
        [*PYTEST, *args.split()], cwd=tmp_path, env=environ(), input="production\n", capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ANSWER=None" in done.stdout
    assert "the changes" not in done.stdout


def test_with_the_output_elsewhere_nobody_sees_the_question(tmp_path: Path) -> None:
    write_tests(tmp_path)
    outer, inner = pty.openpty()
    done = subprocess.run(
        [*PYTEST],
        cwd=tmp_path,
        env=environ(),
        stdin=inner,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
    )
    os.close(inner)
    os.close(outer)
    assert b"ANSWER=None" in done.stdout
