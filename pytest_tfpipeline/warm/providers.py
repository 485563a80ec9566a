"""The process that holds providers: `python -I -m pytest_tfpipeline.warm.providers --listen FD`.

A client connects to the listening unix socket and sends one request (see `messages`): which programs, whether a process
that others use too will do, and the names that the configuration has. It gets what terraform's `TF_REATTACH_PROVIDERS`
wants, or why there is none. When it has no more to say, it hears what went wrong meanwhile, and what was started for it
ends. The end of stdin ends everything, and where this process is killed a `Survivor` does.
"""

from __future__ import annotations

import argparse
import os
import select
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

import grpc

from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.warm.front import Front
from pytest_tfpipeline.warm.lanes import Lane, Processes
from pytest_tfpipeline.warm.messages import receive, send
from pytest_tfpipeline.warm.plugin_process import ProviderProcess, Started
from pytest_tfpipeline.warm.proxy import Provider, Proxy, Schemas, Upstream
from pytest_tfpipeline.warm.survivor import Survivor

#: What a provider that is never configured inherits.
_INHERITED = ("PATH", "TMPDIR", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR")
#: Seconds that clients' processes get to end when all ends.
_LEAVE_LIMIT = 4.0
#: Of one terraform, so many start faster and take half as much memory again; the others are as terraform starts them.
_HURRIED, _UNHURRIED = 4, {"GOGC": "100"}
_PROBLEMS = (OSError, ValueError, KeyError, TypeError, RuntimeError, grpc.RpcError)


@dataclass(frozen=True, slots=True)
class _Own:
    """What a client's own processes are started with; `tell` hears why one could not be started later."""

    program: str
    cwd: str
    env: dict[str, str]
    tell: Callable[[str], object]


class Providers:
    """Starts them, and keeps those that several clients may use."""

    def __init__(self, runner: Runner, sockets: Path, shared: ExitStack, survivor: Survivor) -> None:
        self._runner, self._sockets, self._shared, self._survivor = runner, sockets, shared, survivor
        self._upstreams: dict[str, tuple[ProviderProcess, Upstream]] = {}
        self._schemas: defaultdict[str, Schemas] = defaultdict(Schemas)
        self._lock = threading.Lock()
        self._clients: dict[threading.Thread, socket.socket] = {}
        self._numbers = count()

    def accept(self, connection: socket.socket) -> None:
        """Serve one more client, in a thread."""
        thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
        self._clients[thread] = connection
        thread.start()

    def leave(self) -> None:
        """End what was started for clients that are still there."""
        for connection in list(self._clients.values()):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + _LEAVE_LIMIT
        for thread in list(self._clients):
            thread.join(max(0.0, deadline - time.monotonic()))

    def _serve(self, connection: socket.socket) -> None:
        """From its request to the end of its connection."""
        with connection, ExitStack() as using, suppress(OSError):
            problems: list[str] = []
            try:
                answer: dict[str, Any] = {"reattach": self._provide(receive(connection), using, problems)}
            except _PROBLEMS as error:
                answer = {"problem": _said(error)}
            send(connection, answer)
            connection.settimeout(None)
            connection.recv(1)  # it has no more to say: this is its end
            send(connection, {"problem": problems[0]} if problems else {})
        del self._clients[threading.current_thread()]

    def _provide(self, request: dict[str, Any], using: ExitStack, problems: list[str]) -> dict[str, object]:
        """`problems` gets why a process could not be started later."""
        names = frozenset(request["names"])
        found: dict[str, object] = {}
        for address, program in request["programs"].items():
            if request["shared"]:
                process, upstream = self._shared_upstream(program)
                path = self._listen(upstream, names, using, shared=True)
            else:
                own = _Own(program, request["cwd"], request["env"], problems.append)
                process, path = self._lanes(own, names, using)
            found[address] = _reattach(process, path)
        return found

    def _lanes(self, own: _Own, names: frozenset[str], using: ExitStack) -> tuple[ProviderProcess, str]:
        """A process for each configuration, for this client alone; the first, and where terraform connects to."""
        started = using.enter_context(Started())

        def start() -> tuple[ProviderProcess, Upstream]:
            env = own.env if len(started) < _HURRIED else {**_UNHURRIED, **own.env}
            process = started.add(lambda: self._start(own.program, own.cwd, env))
            return process, self._open(process, own.program, using)

        def start_later() -> Upstream:
            try:
                return start()[1]
            except _PROBLEMS as error:
                own.tell(_said(error))
                raise

        first, upstream = start()
        processes = Processes(upstream, start_later, self._schemas[own.program])
        path = self._free_path()
        front = Front(path, lambda: self._listen(Lane(processes), names, using, shared=False))
        using.callback(front.close)
        return first, path

    def _listen(self, provider: Provider, names: frozenset[str], using: ExitStack, *, shared: bool) -> str:
        path = self._free_path()
        using.callback(Proxy(path, provider, names, shared=shared).close)
        return path

    def _free_path(self) -> str:
        return str(self._sockets / f"{next(self._numbers)}")

    def _shared_upstream(self, program: str) -> tuple[ProviderProcess, Upstream]:
        """Never configured: a configured provider holds one root's credentials. One that has ended is started anew."""
        with self._lock:
            if program not in self._upstreams or not self._upstreams[program][0].runs:
                env = {name: os.environ[name] for name in _INHERITED if name in os.environ}
                process = self._start(program, str(self._sockets), env)
                self._shared.callback(process.close)
                self._upstreams[program] = process, self._open(process, program, self._shared)
            return self._upstreams[program]

    def _start(self, program: str, cwd: str, env: dict[str, str]) -> ProviderProcess:
        return ProviderProcess(self._runner, program, cwd, env, self._sockets, self._survivor)

    def _open(self, process: ProviderProcess, program: str, using: ExitStack) -> Upstream:
        upstream = Upstream(process.address, self._schemas[program])
        using.callback(upstream.close)
        upstream.greet()
        return upstream


def _said(error: Exception) -> str:
    """What a client is told."""
    return str(error.details() if isinstance(error, grpc.Call) else error)


def _reattach(process: ProviderProcess, path: str) -> dict[str, object]:
    """One entry of `TF_REATTACH_PROVIDERS`; with `Test`, terraform leaves the process to us."""
    address = {"Network": "unix", "String": path}
    words = {"Protocol": "grpc", "ProtocolVersion": process.protocol, "Pid": process.pid, "Test": True}
    return {**words, "Addr": address}


def main() -> NoReturn:
    """Serve until stdin ends."""
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("--listen", type=int, required=True)
    listener = socket.socket(fileno=parser.parse_args().listen)
    sockets = Path(tempfile.mkdtemp(prefix="tfpipeline-"))
    with ExitStack() as shared:
        shared.callback(shutil.rmtree, sockets, ignore_errors=True)
        runner = Runner()
        survivor = Survivor(runner, sockets)
        shared.callback(survivor.close)
        providers = Providers(runner, sockets, shared, survivor)
        while True:
            readable, _, _ = select.select([listener, sys.stdin.fileno()], [], [])
            if sys.stdin.fileno() in readable:
                break
            connection, _ = listener.accept()
            providers.accept(connection)
        providers.leave()
    os._exit(0)


if __name__ == "__main__":
    main()
