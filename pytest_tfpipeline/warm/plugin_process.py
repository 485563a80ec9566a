"""Start a provider as terraform does, with the handshake of hashicorp/go-plugin (`docs/internals.md` there)."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

import grpc

from pytest_tfpipeline.process import Request, Runner, Service
from pytest_tfpipeline.warm.survivor import Survivor

#: What terraform's providers want to see before they answer; it is no secret.
_COOKIE = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2"
_PROTOCOLS = ("5", "6")
#: Seconds until a provider must have said where it listens.
_START_LIMIT = 30.0
#: Go collects garbage less often: a tenth more memory, and a third less of a provider's start.
_PACE = {"GOGC": "400"}
#: Seconds that it gets to end by itself.
_END_LIMIT = 0.5


class ProviderProcess:
    """A provider that listens. `address` is for gRPC, `protocol` is 5 or 6. The caller ends it."""

    def __init__(
        self,
        runner: Runner,
        program: str,
        cwd: str | Path,
        env: Mapping[str, str],
        sockets: Path,
        survivor: Survivor | None = None,
    ) -> None:
        """`survivor` ends it where this process cannot. Raises OSError or ValueError where it does not come to listen
        in time."""
        words = {
            "TF_PLUGIN_MAGIC_COOKIE": _COOKIE,
            "PLUGIN_PROTOCOL_VERSIONS": ",".join(_PROTOCOLS),
            "PLUGIN_UNIX_SOCKET_DIR": str(sockets),
        }
        request = Request((program,), cwd, env={**_PACE, **env, **words}, only_env=True)
        self._process, self._survivor = runner.spawn(request, heard=True), survivor
        if survivor is not None:
            survivor.started(self.pid)
        try:
            self.protocol, self.address = _read_handshake(self._process)
        except BaseException:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Of its process."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def close(self) -> None:
        """Ask it to end, and end it with everything that it has started: providers do not hear SIGTERM."""
        if self.runs and hasattr(self, "address"):
            with suppress(grpc.RpcError), grpc.insecure_channel(self.address) as channel:
                channel.unary_unary("/plugin.GRPCController/Shutdown", bytes, bytes)(b"", timeout=_END_LIMIT)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._survivor is not None:
            self._survivor.ended(self.pid)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


class Started:
    """Processes that end together, also one that comes to run only when the others are ended."""

    def __init__(self) -> None:
        self._processes: list[ProviderProcess] = []
        self._starting = 0
        self._over = False
        self._changed = threading.Condition()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._changed:
            self._over = True
            self._changed.wait_for(lambda: not self._starting)
        for process in self._processes:
            process.close()

    def __len__(self) -> int:
        return len(self._processes)

    def add(self, start: Callable[[], ProviderProcess]) -> ProviderProcess:
        """One more; from several threads. Raises what `start` does, and ConnectionError where all is over."""
        with self._changed:
            if self._over:
                raise ConnectionError("nobody uses this provider any more")
            self._starting += 1
        try:
            process = start()
            self._processes.append(process)
            return process
        finally:
            with self._changed:
                self._starting -= 1
                self._changed.notify_all()


def _read_handshake(process: Service) -> tuple[int, str]:
    """Its first line: `1|PROTOCOL|unix|PATH|grpc|` (the core protocol's version first, a certificate last)."""
    stdout = process.stdout
    if stdout is None:
        raise OSError("the provider's output is not to be had")
    line, deadline = b"", time.monotonic() + _START_LIMIT
    while not line.endswith(b"\n"):
        if not select.select([stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise OSError("the provider did not say in time where it listens")
        more = os.read(stdout.fileno(), 4096)
        if not more:
            raise OSError("the provider ended before it listened")
        line += more
    words = line.decode("utf-8", "replace").strip().split("|")
    match words:
        case ["1", ("5" | "6") as protocol, "unix", path, "grpc", *rest] if not any(rest):
            return int(protocol), f"unix:{path}"
    raise ValueError(f"an unknown handshake: {line!r}")
