"""The controller's side of what is kept running: from the moment when it is known to be needed, to the end."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from pytest_tfpipeline.errors import PipelineError
from pytest_tfpipeline.model import Tool
from pytest_tfpipeline.process import Request, Runner, Service, stop_service

#: What the console script of a checkov says that was installed into an environment of its own.
_SCRIPT = "from checkov.main import Checkov"
_LONGEST_SCRIPT = 4096
_CHECKOV = Path(__file__).with_name("server.py")
_PROVIDERS = "pytest_tfpipeline.warm.providers"
#: What our own program inherits; above all no credentials, and no PYTHONPATH that might name the checkout.
_INHERITED = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH")
_STOP_GRACE = 5.0
#: Characters that a unix socket's directory may have: there is room for 104 in all on some systems.
_ROOM = 80


class Warm:
    """A service at a unix socket. Made early, begun when a check needs it, always stopped."""

    def __init__(self, runner: Runner, work_path: Path, name: str, request: Callable[[str], Request | None]) -> None:
        """`request` starts it, given the number of the listening descriptor; it may take long, and None is a no."""
        self._runner, self._request = runner, request
        self._directory = _socket_directory(work_path / f"{name}-socket")
        self._thread: threading.Thread | None = None
        self._process: Service | None = None
        self._stopped = threading.Event()

    @property
    def address(self) -> str:
        """The unix socket; it is there from `begin` on."""
        return str(self._directory / "s")

    def begin(self) -> None:
        """Start it, once; returns at once. Calls wait until it is ready, and hear at once if it does not come."""
        if self._thread is not None:
            return
        listener = socket.socket(socket.AF_UNIX)
        try:
            listener.bind(self.address)
            listener.listen(64)
        except OSError:  # no room for the path: a long TMPDIR
            listener.close()
            return
        self._thread = threading.Thread(target=self._start, args=(listener,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End it, and every call that is under way."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(_STOP_GRACE)
        if self._process is not None:
            stop_service(self._process, _STOP_GRACE)
            if self._process.stderr is not None:
                self._process.stderr.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    def _start(self, listener: socket.socket) -> None:
        with listener, suppress(PipelineError, OSError):  # without an answer, the checks call the tool plainly
            request = self._request(str(listener.fileno()))
            if request is not None and not self._stopped.is_set():
                self._process = self._runner.spawn(request, pass_fds=(listener.fileno(),))


def warm_checkov(runner: Runner, work_path: Path, find: Callable[[], Tool], environment: Mapping[str, str]) -> Warm:
    """checkov, imported once for all calls of a run: the tool that `find` gives, started with `environment`."""

    def request(descriptor: str) -> Request | None:
        python = interpreter(Path(find().path))
        argv = (str(python), "-I", str(_CHECKOV), "--listen", descriptor)
        return None if python is None else Request(argv, work_path, env=environment, only_env=True)

    return Warm(runner, work_path, "checkov", request)


def warm_providers(runner: Runner, work_path: Path) -> Warm:
    """Providers, of which one process serves every command that does not configure it."""
    env = {name: os.environ[name] for name in _INHERITED if name in os.environ}

    def request(descriptor: str) -> Request:
        argv = (sys.executable, "-I", "-m", _PROVIDERS, "--listen", descriptor)
        return Request(argv, work_path, env=env, only_env=True)

    return Warm(runner, work_path, "providers", request)


def interpreter(program: Path) -> Path | None:
    """The Python of the environment that this console script belongs to; None for anything else, such as a wrapper of
    the user's, which only a plain call does justice."""
    try:
        with program.open(encoding="utf-8") as stream:
            script = stream.read(_LONGEST_SCRIPT)
    except (OSError, ValueError):
        return None
    home = program.resolve().parent
    python = home / "python"
    in_environment = (home.parent / "pyvenv.cfg").is_file() and python.exists()
    return python if in_environment and _SCRIPT in script else None


def _socket_directory(wanted: Path) -> Path:
    if len(str(wanted)) > _ROOM:
        return Path(tempfile.mkdtemp(prefix="tfpipeline-"))
    wanted.mkdir(mode=0o700, parents=True)
    return wanted
