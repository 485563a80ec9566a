"""Ctrl-C and SIGTERM in the middle of a plan or an apply: terraform ends, unlocks, and what happened is written down.

A program that waits at a named pipe keeps terraform busy, so that no test has to guess how long anything takes.
"""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from scratch import Scratch

from pytest_tfpipeline.signals import Signals

#: `$0` tells the test that it has started, with its process id; then it waits until it is interrupted.
WAITING = 'printf %s $$ > "{pipe}"; exec sleep 600'

IN_APPLY = """
resource "terraform_data" "hook" {{
  depends_on = [terraform_data.it]

  provisioner "local-exec" {{
    command = "{command}"
  }}
}}
"""


def started(pipe: Path) -> int:
    """Wait until terraform is busy; the id of the process that keeps it so."""
    with pipe.open() as stream:
        return int(stream.read())


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


def left_of_group(group: int) -> list[str]:
    """What still runs in the process group."""
    found = [path.read_text() for path in Path("/proc").glob("[0-9]*/stat")]
    fields = [(text, text.rpartition(")")[2].split()) for text in found]
    return [text for text, (state, _, its_group, *_) in fields if int(its_group) == group and state != "Z"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("args", [("-n", "2"), ("-p", "no:xdist")], ids=["workers", "alone"])
def test_an_interrupted_apply_lets_terraform_unlock(
    number: signal.Signals, args: tuple[str, ...], scratch: Scratch, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = WAITING.format(pipe=pipe).replace('"', '\\"')
    scratch.root("a", IN_APPLY.format(command=command))
    scratch.root("b", reads="a")
    scratch.commit()

    with scratch.start("--apply-env", "staging", *args) as process:
        busy = started(pipe)
        assert scratch.locks(), "terraform holds its lock while it applies"
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 2, output
    assert gone(busy), output
    assert scratch.locks() == []
    assert scratch.clean()
    assert scratch.applied("a"), "what was made before the interrupt is in the state"
    assert not scratch.applied("b")
    environment = scratch.environment()
    assert [(one["root"], one["outcome"]) for one in environment["applied"]] == [("infra/a", "failed")]
    assert [one["root"] for one in environment["left"]] == ["infra/b"]
    assert scratch.evidence()["run"]["exit_code"] == 2
    assert "staging: interrupted, applied in part" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("args", [("-n", "2"), ("-p", "no:xdist")], ids=["workers", "alone"])
def test_an_interrupted_run_ends_what_it_started_and_applies_nothing(
    number: signal.Signals, args: tuple[str, ...], scratch: Scratch, tmp_path: Path
) -> None:
    """Interrupted while `prepare`, before the plan, is running."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = f"printf %s $$ > '{pipe}'; exec sleep 600"
    scratch.configure(roots=f'match = "infra/*"\napply = true\nprepare = [["sh", "-c", "{command}"]]\n')
    scratch.commit()

    with scratch.start("--apply-env", "staging", *args) as process:
        busy = started(pipe)
        process.send_signal(number)
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 2, output
    assert gone(busy), output
    assert scratch.locks() == []
    assert scratch.clean()
    assert not scratch.applied("a")
    assert "interrupted" in scratch.reasons()
    assert scratch.environment()["verdict"]["open"] is False
    assert "staging: closed, nothing was applied" in output, output


def ends_interrupted(scratch: Scratch, conftest: str, args: tuple[str, ...]) -> int:
    """An apply that this conftest.py interrupts ends in order: with 2, evidence and no traceback. Its process id."""
    scratch.write("conftest.py", conftest)
    scratch.commit()

    with scratch.start("--apply-env", "staging", *args) as process:
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 2, output
    for word in ("Traceback", "INTERNALERROR", "Fatal", "TypeError"):
        assert word not in output, output
    assert scratch.evidence()["run"]["exit_code"] == 2
    assert not scratch.applied("a")
    return process.pid


IMPATIENT = """
import subprocess

def {hook}():
    # Ctrl-C reaches the whole process group, and an impatient user does not press it once.
    script = "trap '' INT; kill -INT 0; sleep 0.3; kill -INT 0; sleep 0.3; kill -INT 0"
    subprocess.Popen(["sh", "-c", script])
"""


@pytest.mark.parametrize(
    ("hook", "args"),
    [
        ("pytest_sessionstart", ("-n", "2")),
        ("pytest_xdist_setupnodes", ("-n", "2")),
        ("pytest_xdist_newgateway", ("-n", "2")),
        ("pytest_collection_finish", ("-p", "no:xdist")),
    ],
)
def test_an_impatient_user_meets_no_traceback_and_leaves_nothing_behind(
    hook: str, args: tuple[str, ...], scratch: Scratch
) -> None:
    pid = ends_interrupted(scratch, IMPATIENT.format(hook=hook), args)
    assert scratch.clean()
    assert left_of_group(pid) == []


WITHOUT_LINE = """
import signal

def come():
    signal.raise_signal(signal.SIGINT)

# What a signal handler meets now and then: an instruction that the table of lines says nothing about.
come.__code__ = come.__code__.replace(co_linetable=b"")

def {hook}():
    come()
"""


@pytest.mark.parametrize(
    ("hook", "args"),
    [
        ("pytest_sessionstart", ("-n", "2")),
        ("pytest_runtest_logstart", ("-n", "2")),  # in the controller and in the workers
        ("pytest_collection_finish", ("-p", "no:xdist")),
    ],
)
def test_an_interrupt_where_the_source_has_no_line_is_one_like_any_other(
    hook: str, args: tuple[str, ...], scratch: Scratch
) -> None:
    ends_interrupted(scratch, WITHOUT_LINE.format(hook=hook), args)


def test_an_impatient_user_does_not_keep_terraform_from_unlocking(scratch: Scratch, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = WAITING.format(pipe=pipe).replace('"', '\\"')
    scratch.root("a", IN_APPLY.format(command=command))
    scratch.commit()

    with scratch.start("--apply-env", "staging", "-n", "2") as process:
        busy = started(pipe)
        script = 'for _ in 1 2 3 4 5; do kill -INT -"$0" || exit 0; sleep 0.3; done'
        subprocess.run(["sh", "-c", script, str(process.pid)], timeout=30, check=False, stderr=subprocess.DEVNULL)
        output, _ = process.communicate(timeout=60)

    assert process.returncode == 2, output
    assert gone(busy), output
    assert scratch.locks() == []
    assert scratch.evidence()["run"]["exit_code"] == 2
    assert "staging: interrupted, applied in part" in output
    assert "Traceback" not in output


def test_another_of_the_same_wish_may_come_when_the_run_took_long_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that is about to exit would die of it, with a signal in the place of its exit code."""
    now = [100.0]
    monkeypatch.setattr("pytest_tfpipeline.signals.time.monotonic", lambda: now[0])
    before = signal.getsignal(signal.SIGUSR2)
    signal.signal(signal.SIGUSR2, signal.default_int_handler)
    signals = Signals((signal.SIGUSR2,), same_wish=3.0)
    try:
        signals.take()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGUSR2)
        signals.ending = True
        now[0] += 10
        signals.give_back()
        now[0] += 2
        signal.raise_signal(signal.SIGUSR2)
        now[0] += 4
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGUSR2)
    finally:
        signal.signal(signal.SIGUSR2, before)
