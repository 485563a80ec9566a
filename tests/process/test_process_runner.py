"""The process runner, with real children."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from dataclasses import replace
from pathlib import Path

import interruptible
import pytest

from pytest_tfpipeline.process import Outcome, Request, Runner, Stall, denied, stop_service

#: Prints a line for each SIGINT that it gets and goes on.
STUBBORN = """
import signal
signal.signal(signal.SIGINT, lambda *_: print("SIGINT", flush=True))
print("ready", flush=True)
while True:
    signal.pause()
"""
#: Ends by itself some time after SIGINT, and says how many it had until its stdin ended.
GRACEFUL = """
import signal, sys
got = []
signal.signal(signal.SIGINT, lambda *_: got.append(1))
print("ready", flush=True)
while not got:
    signal.pause()
signal.sigtimedwait([signal.SIGUSR1], 0.3)
print(f"released after {len(got)}", flush=True)
"""


def python(code: str, cwd: Path, **options: object) -> Request:
    return Request((sys.executable, "-c", code), cwd, **options)  # type: ignore[arg-type]


class Listener:
    """Collects lines and lets the test wait for one."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ready = threading.Event()

    def __call__(self, line: str) -> None:
        self.lines.append(line)
        self.ready.set()


@pytest.fixture
def runner() -> Runner:
    return Runner()


def test_a_child_that_ends_by_itself(runner: Runner, tmp_path: Path) -> None:
    code = "import sys; print(sys.stdin.read().upper()); print('warned', file=sys.stderr); sys.exit(2)"
    outcome = runner.run(python(code, tmp_path, stdin=b"hello"))
    assert (outcome.code, outcome.stdout, outcome.stderr) == (2, "HELLO\n", "warned\n")
    assert not outcome.ok
    assert outcome.limit is None


def test_without_stdin_a_child_reads_nothing(runner: Runner, tmp_path: Path) -> None:
    assert runner.run(python("import sys; print(repr(sys.stdin.read()))", tmp_path)).stdout == "''\n"


def test_a_kill_is_not_ok(runner: Runner, tmp_path: Path) -> None:
    outcome = runner.run(python("import os; os.kill(os.getpid(), 9)", tmp_path))
    assert outcome.code == -signal.SIGKILL
    assert not outcome.ok


def test_a_missing_program_is_named(runner: Runner, tmp_path: Path) -> None:
    outcome = runner.run(Request(("no-such-program", "plan"), tmp_path))
    assert outcome.code is None
    assert outcome.error == "no-such-program: No such file or directory"
    assert not outcome.ok


def test_a_missing_directory_is_not_blamed_on_the_program(runner: Runner, tmp_path: Path) -> None:
    outcome = runner.run(python("", tmp_path / "gone"))
    assert outcome.error == f"{tmp_path / 'gone'}: No such file or directory"


@pytest.mark.parametrize("argument", ["nul\0byte", "lone\ud800surrogate"])
def test_an_argument_that_no_process_can_have_is_an_outcome(runner: Runner, tmp_path: Path, argument: str) -> None:
    outcome = runner.run(Request((sys.executable, argument), tmp_path))
    assert outcome.code is None
    assert outcome.error.startswith(sys.executable)


def test_a_child_that_hangs_is_ended_and_its_time_is_reported(runner: Runner, tmp_path: Path) -> None:
    outcome = runner.run(python("import signal; signal.pause()", tmp_path, timeout=0.3))
    assert outcome.timed_out
    assert outcome.limit == 0.3
    assert 0.3 <= outcome.seconds < 5
    assert not outcome.ok


def test_ending_in_time_by_a_signal_of_its_own_is_no_timeout(runner: Runner, tmp_path: Path) -> None:
    outcome = runner.run(python("import os; os.kill(os.getpid(), 15)", tmp_path, timeout=60))
    assert (outcome.timed_out, outcome.limit) == (False, None)


def test_a_child_that_ignores_sigint_gets_one_and_is_then_terminated(runner: Runner, tmp_path: Path) -> None:
    outcome = runner.run(python(STUBBORN, tmp_path, timeout=0.5, grace=0.5))
    assert outcome.timed_out
    assert outcome.code == -signal.SIGTERM
    assert outcome.stdout.splitlines() == ["ready", "SIGINT"]


def test_a_graceful_child_is_waited_for_and_a_second_interrupt_does_not_reach_it(
    runner: Runner, tmp_path: Path
) -> None:
    listener = Listener()
    errors: list[BaseException] = []

    def run() -> None:
        try:
            runner.run(python(GRACEFUL, tmp_path, grace=30), on_line=listener)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    assert listener.ready.wait(20)
    runner.interrupt()
    runner.interrupt()
    thread.join(30)
    assert [type(error) for error in errors] == [KeyboardInterrupt]
    assert listener.lines == ["ready", "released after 1"]


def test_an_interrupted_runner_starts_nothing_more(runner: Runner, tmp_path: Path) -> None:
    runner.interrupt()
    with pytest.raises(KeyboardInterrupt):
        runner.run(python("open('started', 'w')", tmp_path))
    assert not (tmp_path / "started").exists()


def test_ctrl_c_in_the_waiting_thread_reaches_the_child_once(tmp_path: Path) -> None:
    code = f"""
import os, signal, sys
from pytest_tfpipeline.process import Request, Runner, Stall
runner = Runner()
def handler(*_):
    runner.interrupt()
    raise KeyboardInterrupt
signal.signal(signal.SIGINT, handler)
def tell(line):
    print(line, flush=True)
    if line == "ready":
        os.kill(os.getpid(), signal.SIGINT)
try:
    runner.run(Request((sys.executable, "-c", {GRACEFUL!r}), "/"), on_line=tell)
except KeyboardInterrupt:
    print("interrupted")
"""
    outcome = Runner().run(python(code, tmp_path, timeout=60))
    assert outcome.stdout.splitlines() == ["ready", "released after 1", "interrupted"], outcome.stderr


def test_what_a_child_leaves_behind_does_not_outlive_it(runner: Runner, tmp_path: Path) -> None:
    code = (
        "import os, signal\nfifo = os.open('fifo', os.O_RDWR)\n"
        "if os.fork() == 0:\n  os.close(1); os.close(2); signal.pause()\n"
    )
    os.mkfifo(tmp_path / "fifo")
    read = os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    with open(read, "rb") as pipe:
        assert runner.run(python(code, tmp_path)).ok
        ended, _, _ = select.select([pipe], [], [], 10)
        assert ended == [pipe]
        assert pipe.read() == b""


def test_a_grandchild_that_holds_the_pipes_does_not_hold_up_the_run(runner: Runner, tmp_path: Path) -> None:
    code = "import os, signal\nif os.fork() == 0:\n  signal.pause()\nprint('done')"
    outcome = runner.run(python(code, tmp_path))
    assert outcome.ok
    assert outcome.stdout == "done\n"
    assert outcome.seconds < 4


def test_a_grandchild_that_left_the_group_is_waited_for_a_while_only(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_tfpipeline.process._DRAIN", 0.3)
    code = (
        "import os, signal\nr, w = os.pipe()\n"
        "if os.fork() == 0:\n  os.setsid(); os.write(w, str(os.getpid()).encode()); signal.pause()\n"
        "print(os.read(r, 9).decode())"
    )
    outcome = runner.run(python(code, tmp_path))
    os.kill(int(outcome.stdout), signal.SIGKILL)
    assert outcome.ok
    assert outcome.seconds < 5


def test_huge_output_on_both_pipes(runner: Runner, tmp_path: Path) -> None:
    code = "import sys\nfor _ in range(3000):\n  sys.stdout.write('o' * 1000 + '\\n'); sys.stderr.write('e' * 1000)"
    outcome = runner.run(python(code, tmp_path, timeout=60))
    assert len(outcome.stdout) == 3000 * 1001
    assert len(outcome.stderr) == 3000 * 1000


def test_a_child_that_prints_before_it_reads_is_not_blocked(runner: Runner, tmp_path: Path) -> None:
    code = "import sys; sys.stdout.write('x' * 300_000); sys.stdout.flush(); print(len(sys.stdin.read()))"
    outcome = runner.run(python(code, tmp_path, stdin=b"y" * 300_000, timeout=60))
    assert outcome.stdout.endswith("300000\n")


def test_a_child_that_does_not_read_its_stdin(runner: Runner, tmp_path: Path) -> None:
    assert runner.run(python("print('done')", tmp_path, stdin=b"y" * 3_000_000, timeout=60)).ok


def test_bytes_that_are_not_utf8_are_shown_as_escapes(runner: Runner, tmp_path: Path) -> None:
    listener = Listener()
    outcome = runner.run(
        python(r"import sys; sys.stdout.buffer.write(b'caf\xc3\xa9 \xff\n')", tmp_path), on_line=listener
    )
    assert outcome.stdout == "café \\xff\n"
    assert listener.lines == ["café \\xff"]


def test_a_listener_that_fails_neither_blocks_the_child_nor_is_swallowed(runner: Runner, tmp_path: Path) -> None:
    def fail(line: str) -> None:
        raise RuntimeError(line)

    code = "for _ in range(3000): print('x' * 100)\nopen('finished', 'w')"
    with pytest.raises(RuntimeError, match=r"^x+$"):
        runner.run(python(code, tmp_path, timeout=60), on_line=fail)
    assert (tmp_path / "finished").exists()


def test_what_changes_terraform_is_not_inherited(tmp_path: Path) -> None:
    environ = {"TF_CLI_ARGS_plan": "-lock=false", "TF_WORKSPACE": "x", "TF_LOG": "trace", "KEPT": "1", "TF_VAR_a": "2"}
    runner = Runner(environ)
    code = "import os; print(sorted(k for k in os.environ if not k.startswith('LC_')))"
    assert runner.run(python(code, tmp_path)).stdout == "['KEPT', 'TF_VAR_a']\n"
    without = python(code, tmp_path, unset=("KEPT", "absent"), env={"ADDED": "1"})
    assert runner.run(without).stdout == "['ADDED', 'TF_VAR_a']\n"
    assert runner.run(python(code, tmp_path, only_env=True, env={"ONLY": "1"})).stdout == "['ONLY']\n"


def test_undeclared_variables_are_denied() -> None:
    environ = {"TF_VAR_known": "1", "TF_VAR_other": "2", "TF_DATA_DIR": "x", "TF_DATA_DIR_2": "y"}
    assert denied(environ) == ("TF_DATA_DIR",)
    assert denied(environ, ["known"]) == ("TF_DATA_DIR", "TF_VAR_other")


def test_a_service_ends_when_its_stdin_does(runner: Runner, tmp_path: Path) -> None:
    with runner.spawn(python("import sys; sys.stdin.read(); sys.exit(3)", tmp_path)) as process:
        assert stop_service(process) == 3


def test_a_service_that_does_not_listen_is_signalled(runner: Runner, tmp_path: Path) -> None:
    with runner.spawn(python("import signal; signal.pause()", tmp_path)) as process:
        assert stop_service(process, grace=0.2) < 0


def test_an_outcome_of_zero_that_took_too_long_is_not_ok() -> None:
    assert Outcome(0, "", "", 1.0).ok
    assert not Outcome(0, "", "", 1.0, timed_out=True, limit=1.0).ok


def test_a_child_without_progress_is_ended_long_before_its_timeout(runner: Runner, tmp_path: Path) -> None:
    stall = Stall(0.3, lambda: len(list(tmp_path.iterdir())))
    outcome = runner.run(replace(python("import signal; signal.pause()", tmp_path, timeout=120, grace=1), stall=stall))
    assert (outcome.timed_out, outcome.stalled, outcome.limit) == (True, True, 0.3)


def test_a_child_that_goes_on_is_left_alone(runner: Runner, tmp_path: Path) -> None:
    looks = iter(range(1_000_000))
    stall = Stall(0.6, lambda: next(looks))
    outcome = runner.run(replace(python("import time; time.sleep(1.5)", tmp_path, timeout=120), stall=stall))
    assert (outcome.ok, outcome.stalled, outcome.limit) == (True, False, None)


def test_an_interrupt_right_after_the_start_leaves_no_child_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The threads that read are started after the process: an interrupt there once left it running."""
    pids: list[int] = []
    start = Runner._start

    def interrupted(self: Runner, request: Request) -> object:
        child = start(self, request)
        pids.append(child.pid)
        signal.raise_signal(signal.SIGINT)
        return child

    monkeypatch.setattr(Runner, "_start", interrupted)
    with interruptible.raising(), pytest.raises(KeyboardInterrupt):
        Runner().run(Request(("sleep", "600"), tmp_path))

    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)
