"""The controller's side of an emulated cloud: start its process, tell others how to reach it, end it."""

from __future__ import annotations

import os
import select
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path

from pytest_tfpipeline.emulator import keep
from pytest_tfpipeline.emulator.environment import ACCOUNT_ID, process_env, write_aws_files
from pytest_tfpipeline.emulator.protocol import FAILURE, READY, SEEDED, SEEDING, StateStore
from pytest_tfpipeline.errors import EmulatorError
from pytest_tfpipeline.process import Request, Runner, Service, stop_service

#: Packages of the extra `emulator` that the process imports.
_NEEDED = ("moto", "cloudpickle", "cryptography", "werkzeug")
#: What the emulator's process inherits; above all no credentials and no settings of moto.
_INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
#: Seconds until the process must have said that it is ready (0.3 s on an idle machine).
_READY_LIMIT = 60.0
#: Seconds that the process gets to end its calls and to keep its state.
_STOP_GRACE = 60.0
#: How much of the log is shown where the process did not say what failed.
_TAIL_LINES = 15


class Emulator:
    """An emulated cloud of one environment. Made by `start`, ended by `stop`.

    Its process also ends, and keeps its state, when the controller is killed: the end of its stdin tells it.
    """

    def __init__(self, environment: str, log: Path, variables: Mapping[str, str], seeded: str) -> None:
        self.environment = environment
        self.log_path = log
        #: Variables for every process that is to see this cloud; they win over what is inherited and configured.
        self.variables = dict(variables)
        #: The digest of what the cloud was filled with, "" for nothing.
        self.seeded = seeded
        self._ready = False
        self._stopped = False
        self._process: Service | None = None
        self._spawn: Callable[[], Service] | None = None
        self._reserved = ExitStack()

    @classmethod
    def start(
        cls,
        runner: Runner,
        *,
        environment: str,
        state_path: Path,
        stores: Sequence[StateStore] = (),
        work_path: Path,
        read_only: bool = False,
        profiles: Sequence[str] = (),
        account: str = ACCOUNT_ID,
        at_once: bool = True,
    ) -> Emulator:
        """Start the cloud of `environment`; returns at once, while moto is still being imported. Without `at_once`
        only its port is taken, so that its variables can be told, and `begin` starts it.

        `state_path` is where its state is kept between runs (`keep.state_path`); with `read_only` it is loaded but
        not kept, and such a run may go on beside another. `stores` are there before the first request is answered.
        `work_path` gets the log and the certificate. `profiles` are AWS profile names that the Terraform asks for,
        `account` is the one that everything belongs to which no role of another one makes.

        Raises EmulatorError where the extra is not installed, the state cannot be trusted, or another run has it.
        """
        _require_extra()
        seeded = keep.seed_of(state_path)
        directory = work_path / "emulator" / environment
        write_aws_files(directory / "aws", profiles)
        ca_path, log_path = directory / "ca.pem", directory / "emulator.log"
        ca_path.unlink(missing_ok=True)
        with ExitStack() as stack:
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=128))
            descriptors = [listener.fileno()]
            if not read_only:
                descriptors.append(keep.lock(state_path))
                stack.callback(os.close, descriptors[-1])
            env = process_env(
                proxy=f"http://127.0.0.1:{listener.getsockname()[1]}",
                ca_path=ca_path,
                aws_directory=directory / "aws",
                environ=runner.environ,
            )
            options = ["--listen", str(listener.fileno()), "--log", str(log_path), "--ca", str(ca_path)]
            options += ["--state", str(state_path), "--region", env["AWS_REGION"], "--account", account]
            request = _request([*options, *_contents(stores, read_only)], directory, runner.environ)
            cloud = cls(environment, log_path, env, seeded)
            cloud._spawn = lambda: runner.spawn(request, pass_fds=tuple(descriptors))
            cloud._reserved = stack.pop_all()
        if at_once:
            cloud.begin()
        return cloud

    def begin(self) -> None:
        """Start its process, once; returns at once."""
        spawn, self._spawn = self._spawn, None
        if spawn is not None:
            with self._reserved:
                self._process = spawn()

    @property
    def process_env(self) -> dict[str, str]:
        """Its `variables`, as soon as they lead anywhere: waits until the cloud's certificate is written.

        Raises EmulatorError if its process ended instead.
        """
        self.begin()
        if not self._ready:
            self._await_ready()
        return dict(self.variables)

    @property
    def pid(self) -> int | None:
        """The cloud's process, once there is one."""
        return self._process.pid if self._process is not None else None

    @contextmanager
    def seeding(self, digest: str) -> Iterator[None]:
        """Fill the cloud with what has that digest. If that is cut short, the cloud is not kept, so that the next run
        finds what this one found."""
        self._say(SEEDING)
        yield
        self._say(SEEDED + digest.encode() + b"\n")
        self.seeded = digest

    def failed(self) -> str | None:
        """Why the process ended although nobody asked it to; None while all is well."""
        if self._stopped or self._process is None or self._process.poll() is None:
            return None
        return f"the emulated cloud of {self.environment} ended by itself: {self._reason()}"

    def stop(self) -> None:
        """Let the cloud keep its state and end, and wait for that; may be called again.

        Raises EmulatorError, with the end of the log, where it failed.
        """
        self._spawn = None
        self._reserved.close()
        if self._stopped or self._process is None:
            return
        self._stopped = True
        code = stop_service(self._process, _STOP_GRACE)
        reason = self._reason() if code else ""
        if self._process.stderr is not None:
            self._process.stderr.close()
        if code:
            raise self._error(f"the emulated cloud of {self.environment} failed ({code}): {reason}")

    def _say(self, line: bytes) -> None:
        try:
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.write(line)
                self._process.stdin.flush()
        except OSError:
            raise self._error(self.failed() or f"the emulated cloud of {self.environment} does not listen") from None

    def _await_ready(self) -> None:
        said, deadline, process = b"", time.monotonic() + _READY_LIMIT, self._process
        pipe = process.stderr if process is not None else None
        while pipe is not None and not said.endswith(READY):
            readable, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(pipe.fileno(), 65536) if readable else b""
            if not chunk:
                break
            said += chunk
        if not said.endswith(READY):
            self._stopped = True
            if process is not None:
                stop_service(process, 0.0)
            text = said.decode("utf-8", "backslashreplace").strip() or self._reason()
            raise self._error(f"the emulated cloud of {self.environment} did not start: {text}")
        self._ready = True

    def _reason(self) -> str:
        """The failure that the process named, or else the end of its log."""
        try:
            lines = self.log_path.read_text("utf-8", "backslashreplace").splitlines()
        except OSError:
            lines = []
        if lines and lines[-1].startswith(FAILURE):
            return lines[-1].removeprefix(FAILURE)
        pipe = self._process.stderr if self._process is not None else None
        if not lines and pipe is not None and not pipe.closed:
            lines = pipe.read().decode("utf-8", "backslashreplace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:]) or "without a word"

    def _error(self, what: str) -> EmulatorError:
        return EmulatorError(
            what,
            where=str(self.log_path),
            mend="see that log; if the kept state is the reason: "
            f"python -m pytest_tfpipeline emulator reset {self.environment}",
        )


def _contents(stores: Sequence[StateStore], read_only: bool) -> Iterator[str]:
    if read_only:
        yield "--read-only"
    for store in stores:
        yield from ("--store", store.dumps())


def _request(options: list[str], directory: Path, environ: Mapping[str, str]) -> Request:
    """`-P`: a file of the repository cannot take the place of a module. A small environment: no credential of the
    user's, and nothing that configures moto, gets into the process."""
    env = {name: environ[name] for name in _INHERITED if name in environ}
    env |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    env |= {"AWS_ACCESS_KEY_ID": "emulated", "AWS_SECRET_ACCESS_KEY": "emulated", "AWS_EC2_METADATA_DISABLED": "true"}
    env |= {"TEST_PROXY_MODE": "true", "MOTO_LAMBDA_DATA_DIR": str(directory / "lambda")}
    argv = (sys.executable, "-P", "-m", "pytest_tfpipeline.emulator.server", *options)
    return Request(argv, directory, env, only_env=True)


def _require_extra() -> None:
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise EmulatorError(
            f"the emulated cloud needs packages that are not installed: {', '.join(missing)}",
            mend="pip install 'pytest-tfpipeline[emulator]'",
        )
