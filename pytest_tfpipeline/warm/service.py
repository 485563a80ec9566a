"""The controller's side of a checkov that is kept running: from when it is known to be needed, to the end."""

from __future__ import annotations

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
_SERVER = Path(__file__).with_name("server.py")
_STOP_GRACE = 5.0


class WarmCheckov:
    """checkov, imported once for all calls of a run. Made early, begun when a check needs it, always stopped."""

    def __init__(self, runner: Runner, find: Callable[[], Tool], environment: Mapping[str, str]) -> None:
        """`find` gives the tool and may take long; `environment` is what checkov is to be started with."""
        self._runner, self._find, self._environment = runner, find, environment
        # Not in the run's own directory: the path of a unix socket has room for about a hundred characters.
        self._directory = Path(tempfile.mkdtemp(prefix="tfpipeline-"))
        self._thread: threading.Thread | None = None
        self._process: Service | None = None
        self._stopped = threading.Event()

    @property
    def address(self) -> str:
        """The unix socket; it is there from `begin` on."""
        return str(self._directory / "checkov")

    def begin(self) -> None:
        """Start it, once; returns at once. Calls wait until it is ready, and hear at once if it does not come."""
        if self._thread is not None:
            return
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.address)
        listener.listen(64)
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
            python = interpreter(Path(self._find().path))
            if python is None or self._stopped.is_set():
                return
            argv = (str(python), "-I", str(_SERVER), "--listen", str(listener.fileno()))
            request = Request(argv, self._directory, env=self._environment, only_env=True)
            self._process = self._runner.spawn(request, pass_fds=(listener.fileno(),))


def interpreter(program: Path) -> Path | None:
    """The Python of the environment that this console script belongs to; None for anything else, such as a wrapper of
    the user's, which only a plain call does justice."""
    try:
        with program.open(encoding="utf-8") as stream:
            script = stream.read(_LONGEST_SCRIPT)
    except (OSError, ValueError):
        return None
    home = program.resolve().parent
    python = home / ("python.exe" if sys.platform == "win32" else "python")
    in_environment = (home.parent / "pyvenv.cfg").is_file() and python.exists()
    return python if in_environment and _SCRIPT in script else None
