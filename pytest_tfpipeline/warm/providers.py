"""The process that holds providers: `python -I -m pytest_tfpipeline.warm.providers --listen FD`.

A client connects to the listening unix socket and sends one request (see `messages`): which programs, whether a process
that others use too will do, and the names that the configuration has. It gets what terraform's `TF_REATTACH_PROVIDERS`
wants, or why there is none. When it closes the connection, what was started for it ends. The end of stdin ends
everything.
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
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from typing import Any, NoReturn

import grpc

from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.warm.messages import receive, send
from pytest_tfpipeline.warm.plugin_process import ProviderProcess
from pytest_tfpipeline.warm.proxy import Proxy, Upstream

#: What a provider that is never configured inherits.
_INHERITED = ("PATH", "TMPDIR", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR")


class Providers:
    """Starts them, and keeps those that several clients may use."""

    def __init__(self, sockets: Path, shared: ExitStack) -> None:
        self._sockets, self._shared = sockets, shared
        self._runner = Runner()
        self._upstreams: dict[str, tuple[ProviderProcess, Upstream]] = {}
        self._known: dict[tuple[str, str], bytes] = {}
        self._lock = threading.Lock()
        self._numbers = count()

    def serve(self, connection: socket.socket) -> None:
        """One client, from its request to the end of its connection."""
        with connection, ExitStack() as using, suppress(OSError):
            try:
                answer: dict[str, Any] = {"reattach": self._provide(receive(connection), using)}
            except (OSError, ValueError, KeyError, TypeError, RuntimeError, grpc.RpcError) as error:
                answer = {"problem": _said(error)}
            send(connection, answer)
            connection.settimeout(None)
            connection.recv(1)  # it has no more to say: this is its end

    def _provide(self, request: dict[str, Any], using: ExitStack) -> dict[str, object]:
        names = frozenset(request["names"])
        found: dict[str, object] = {}
        for address, program in request["programs"].items():
            if request["shared"]:
                process, upstream = self._shared_upstream(program)
            else:
                process = ProviderProcess(self._runner, program, request["cwd"], request["env"], self._sockets)
                using.callback(process.close)
                upstream = self._open(process, program, using)
            path = self._sockets / f"{next(self._numbers)}"
            using.callback(Proxy(str(path), upstream, names, shared=request["shared"]).close)
            found[address] = _reattach(process, path)
        return found

    def _shared_upstream(self, program: str) -> tuple[ProviderProcess, Upstream]:
        """Never configured: a configured provider holds one root's credentials. One that has ended is started anew."""
        with self._lock:
            if program not in self._upstreams or not self._upstreams[program][0].runs:
                env = {name: os.environ[name] for name in _INHERITED if name in os.environ}
                process = ProviderProcess(self._runner, program, self._sockets, env, self._sockets)
                self._shared.callback(process.close)
                self._upstreams[program] = process, self._open(process, program, self._shared)
            return self._upstreams[program]

    def _open(self, process: ProviderProcess, program: str, using: ExitStack) -> Upstream:
        upstream = Upstream(process.address, program, self._known)
        using.callback(upstream.close)
        upstream.greet()
        return upstream


def _said(error: Exception) -> str:
    """What a client is told."""
    return str(error.details() if isinstance(error, grpc.Call) else error)


def _reattach(process: ProviderProcess, path: Path) -> dict[str, object]:
    """One entry of `TF_REATTACH_PROVIDERS`; with `Test`, terraform leaves the process to us."""
    address = {"Network": "unix", "String": str(path)}
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
        providers = Providers(sockets, shared)
        while True:
            readable, _, _ = select.select([listener, sys.stdin.fileno()], [], [])
            if sys.stdin.fileno() in readable:
                break
            connection, _ = listener.accept()
            threading.Thread(target=providers.serve, args=(connection,), daemon=True).start()
    os._exit(0)


if __name__ == "__main__":
    main()
