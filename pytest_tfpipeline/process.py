"""Start processes and wait for them: the only module that imports `subprocess`.

Everything else builds a frozen `Request` and reads a frozen `Outcome`. There is no shell anywhere, every child gets a
process group of its own, and none outlives the call that started it: an interrupt is passed on once (terraform then
releases its state lock), and only a child that ignores it for the whole grace time is terminated, then killed.
"""

from __future__ import annotations

import math
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TypeAlias

from pytest_tfpipeline.signals import interrupts_held_back

#: Seconds a child gets after SIGINT before SIGTERM, and after SIGTERM before SIGKILL.
DEFAULT_GRACE = 20.0
_TERM_GRACE = 5.0
_POLL = 0.05
#: Seconds between two looks at a process's progress.
_LOOK = 0.5
#: Seconds to read on after a child's end, for what it left in its pipes.
_DRAIN = 5.0

#: Inherited variables that would change terraform behind the pipeline's back; a trailing `*` matches any ending.
DENIED_VARIABLES = (
    "TF_CLI_ARGS*",
    "TF_WORKSPACE",
    "TF_DATA_DIR",
    "TF_REATTACH_PROVIDERS",
    "TF_LOG*",
    "TF_PLUGIN_CACHE_DIR",
    "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE",
    "TF_FORCE_LOCAL_BACKEND",
)

#: By which kept results are believed: no child has any use for it.
_OWN_SECRETS = ("TFPIPELINE_CACHE_KEY",)

#: A process that outlives the call that started it: its caller ends it, with `stop_service`.
Service: TypeAlias = "subprocess.Popen[bytes]"


@dataclass(frozen=True, slots=True)
class Stall:
    """Ends a process once what `pulse` gives (a count of bytes, say) has not changed for so many seconds."""

    seconds: float
    pulse: Callable[[], object]


@dataclass(frozen=True, slots=True)
class Request:
    """One process to run.

    `env` is added to (and wins over) the inherited, cleaned environment, from which `unset` is taken away first;
    `only_env` true means that nothing is inherited. `timeout` and `grace` are seconds; a timeout of None waits for
    ever. With `stall`, it must also be seen to go on.
    """

    argv: tuple[str, ...]
    cwd: str | Path
    env: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    grace: float = DEFAULT_GRACE
    stdin: bytes | None = None
    only_env: bool = False
    unset: tuple[str, ...] = ()
    stall: Stall | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a process ended. `code` is negative for a signal, as in `subprocess`; None if it could not be started.

    `limit` is the time in seconds that it was given, where it did not end within it; `stalled` if that was time
    without any progress. `error` says why it could not be started.
    """

    code: int | None
    stdout: str
    stderr: str
    seconds: float
    timed_out: bool = False
    error: str = ""
    limit: float | None = None
    stalled: bool = False

    @property
    def ok(self) -> bool:
        """Whether it ended by itself with 0."""
        return self.code == 0 and not self.timed_out


def denied(environ: Mapping[str, str], declared: Iterable[str] | None = None) -> tuple[str, ...]:
    """Names in `environ` that children do not inherit, sorted.

    `declared` are the root's input variables: a `TF_VAR_` of another name is denied too. None keeps every `TF_VAR_`.
    """
    known = None if declared is None else {f"TF_VAR_{name}" for name in declared}
    found = []
    for name in environ:
        by_list = any(name.startswith(rule[:-1]) if rule.endswith("*") else name == rule for rule in DENIED_VARIABLES)
        undeclared = known is not None and name.startswith("TF_VAR_") and name not in known
        if by_list or undeclared:
            found.append(name)
    return tuple(sorted(found))


class Runner:
    """Runs requests; may be used from several threads. One per process of the run."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        inherited = dict(os.environ if environ is None else environ)
        for name in (*denied(inherited), *(name for name in _OWN_SECRETS if name in inherited)):
            del inherited[name]
        self._environ = inherited
        self._live: set[_Child] = set()
        self._lock = threading.Lock()
        self._interrupted = threading.Event()

    @property
    def environ(self) -> Mapping[str, str]:
        """What children inherit, before a request adds to it or takes from it."""
        return dict(self._environ)

    def run(self, request: Request, on_line: Callable[[str], None] | None = None) -> Outcome:
        """Run to the end. `on_line` gets each line of stdout as it comes, without its newline.

        A KeyboardInterrupt is passed to the child as one SIGINT and raised again when the child has ended. What
        `on_line` raises is raised here, after the child's end.
        """
        started = time.monotonic()
        if self._interrupted.is_set():
            raise KeyboardInterrupt
        with ExitStack() as ending:
            try:
                with interrupts_held_back():
                    process = self._start(request)
                    child = ending.enter_context(self._tracked(process, request.grace))
                    readers = (_Reader(process.stdout, on_line), _Reader(process.stderr, None))
                    _feed(process, request.stdin)
            except (OSError, ValueError) as error:
                return Outcome(None, "", "", time.monotonic() - started, error=_start_error(request, error))
            try:
                watch = self._wait(child, request, readers[0])
            except KeyboardInterrupt:
                _drain(readers)  # who listens hears to the end what an interrupted child still does
                raise
        out, err = _drain(readers)
        seconds = time.monotonic() - started
        return Outcome(process.returncode, out, err, seconds, watch.over, limit=watch.limit, stalled=watch.stalled)

    def spawn(self, request: Request, *, pass_fds: tuple[int, ...] = (), heard: bool = False) -> Service:
        """Start a service that outlives this call: its stdin is a pipe whose end tells it to stop, its stderr
        is piped to the caller, its stdout goes nowhere; the other way round with `heard`. The caller ends it, with
        `stop_service`."""
        return subprocess.Popen(
            request.argv,
            cwd=request.cwd,
            env=self.environment_of(request),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE if heard else subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if heard else subprocess.PIPE,
            start_new_session=True,
            pass_fds=pass_fds,
        )

    def interrupt(self) -> None:
        """Send one SIGINT to every live child and refuse new ones. For the thread that gets the user's Ctrl-C."""
        self._interrupted.set()
        with self._lock:
            live = list(self._live)
        for child in live:
            child.interrupt()

    def environment_of(self, request: Request) -> dict[str, str]:
        """All variables that the request's process gets."""
        if request.only_env:
            return dict(request.env)
        inherited = {name: value for name, value in self._environ.items() if name not in request.unset}
        return {**inherited, **request.env}

    def _start(self, request: Request) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            request.argv,
            cwd=request.cwd,
            env=self.environment_of(request),
            stdin=subprocess.DEVNULL if request.stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    @contextmanager
    def _tracked(self, process: subprocess.Popen[bytes], grace: float) -> Iterator[_Child]:
        child = _Child(process)
        with self._lock:
            self._live.add(child)
        try:
            yield child
        finally:
            if process.poll() is None:
                _end(child, grace)
            with self._lock:
                self._live.discard(child)

    def _wait(self, child: _Child, request: Request, reader: _Reader) -> _Watch:
        """Until its end; the watch says whether it had to be ended because its time was up."""
        process, watch = child.process, _Watch(request)
        try:
            while process.poll() is None and not watch.over and not self._interrupted.is_set():
                span = min(_POLL, watch.left())
                if not reader.ended.is_set():  # the end of its output is felt at once, its own end only by polling
                    reader.ended.wait(span)
                else:
                    with suppress(subprocess.TimeoutExpired):
                        process.wait(span)
                watch.over = process.poll() is None and watch.left() <= 0
        finally:
            _end(child, request.grace)
        if child.interrupted and not watch.over:
            raise KeyboardInterrupt
        return watch


class _Watch:
    """How much time a process has left, all in all and without progress."""

    def __init__(self, request: Request) -> None:
        now = time.monotonic()
        self._request = request
        self._deadline = math.inf if request.timeout is None else now + request.timeout
        self._still = math.inf if request.stall is None else now + request.stall.seconds
        self._next_look = now
        self._seen: object = None
        self.over = False

    def left(self) -> float:
        """Seconds, never less than 0."""
        now = time.monotonic()
        stall = self._request.stall
        if stall is not None and now >= self._next_look:
            self._next_look = now + _LOOK
            seen = stall.pulse()
            if seen != self._seen:
                self._seen, self._still = seen, now + stall.seconds
        return max(0.0, min(self._deadline, self._still) - now)

    @property
    def stalled(self) -> bool:
        """Whether it was ended for want of progress."""
        return self.over and self._still < self._deadline

    @property
    def limit(self) -> float | None:
        """The seconds that it did not keep to."""
        if not self.over:
            return None
        stall = self._request.stall
        return stall.seconds if stall is not None and self.stalled else self._request.timeout


@dataclass(eq=False, slots=True)
class _Child:
    """A process that gets one SIGINT at most, however many have reason to send it: terraform takes a second one as
    the order to drop its state lock and its state."""

    process: subprocess.Popen[bytes]
    interrupted: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def interrupt(self) -> None:
        with self._lock:
            if not self.interrupted and self.process.poll() is None:
                self.interrupted = True
                _signal_group(self.process, signal.SIGINT)


def _start_error(request: Request, error: OSError | ValueError) -> str:
    """What could not be started: the program, or its directory, which the system reports in the same way."""
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    what = request.cwd if isinstance(error, OSError) and error.filename == request.cwd else request.argv[0]
    return f"{what}: {reason}"


def stop_service(process: Service, grace: float = DEFAULT_GRACE) -> int:
    """Close the service's stdin, which asks it to end; signal it only if it does not. Returns its exit code."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        process.wait(grace)
    if process.poll() is None:
        _end(_Child(process), _TERM_GRACE)
    return process.wait()


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def _end(child: _Child, grace: float) -> None:
    """SIGINT once, then SIGTERM, then SIGKILL, as far as needed. A second Ctrl-C does not cut the grace short."""
    process = child.process
    child.interrupt()
    for seconds, harder in ((grace, signal.SIGTERM), (_TERM_GRACE, signal.SIGKILL)):
        deadline = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < deadline:
            with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
                process.wait(_POLL)
        if process.poll() is not None:
            break
        _signal_group(process, harder)
    process.wait()
    # What the child itself started must not outlive it.
    _signal_group(process, signal.SIGKILL)


def _feed(process: subprocess.Popen[bytes], data: bytes | None) -> None:
    """Write `data` from a thread of its own, so that a child that prints before it reads cannot block us."""
    pipe = process.stdin
    if data is None or pipe is None:
        return

    def write() -> None:
        with suppress(OSError):
            pipe.write(data)
        with suppress(OSError):
            pipe.close()

    threading.Thread(target=write, daemon=True).start()


class _Reader(threading.Thread):
    """Reads a pipe to its end. Bytes that are not UTF-8 are shown as escapes, never an error."""

    def __init__(self, pipe: IO[bytes] | None, on_line: Callable[[str], None] | None) -> None:
        super().__init__(daemon=True)
        self._pipe = pipe
        self._on_line = on_line
        self._chunks: list[bytes] = []
        self.error: Exception | None = None
        #: Set at the end of the pipe. Not `join`: interrupted, it takes a thread that runs for one that has ended.
        self.ended = threading.Event()
        self.start()

    def run(self) -> None:
        try:
            if self._pipe is not None:
                self._read(self._pipe)
        finally:
            self.ended.set()

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            for line in pipe:
                self._chunks.append(line)
                self._tell(line)

    def _tell(self, line: bytes) -> None:
        """A listener that fails is asked no more, but the pipe is read on: a full one would block the child."""
        if self._on_line is None:
            return
        try:
            self._on_line(line.decode("utf-8", "backslashreplace").rstrip("\r\n"))
        except Exception as error:
            self.error, self._on_line = error, None

    def text(self) -> str:
        return b"".join(self._chunks).decode("utf-8", "backslashreplace")


def _drain(readers: Iterable[_Reader]) -> list[str]:
    """What the readers got. Something that left the child's process group may hold a pipe open for ever."""
    deadline = time.monotonic() + _DRAIN
    texts = []
    for reader in readers:
        reader.ended.wait(max(0.0, deadline - time.monotonic()))
        if reader.error is not None:
            raise reader.error
        texts.append(reader.text())
    return texts
