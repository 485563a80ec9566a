"""A call of a tool that is kept running, in the place of a process of its own."""

from __future__ import annotations

import json
import math
import select
import socket
import struct
import tempfile
import time
from contextlib import ExitStack
from typing import IO

from pytest_tfpipeline.process import Outcome, Request

#: Seconds between two looks at whether an interrupt has come.
_LOOK = 0.2


def begin(address: str, request: Request) -> Call | None:
    """The request, carried out by the server at that unix socket; None where the server does not take it.

    A request that is not `only_env` has no answer: the server inherits nothing.
    """
    if not request.only_env or request.stdin is not None:
        return None
    try:
        return Call(address, request)
    except (OSError, ValueError):
        return None


class Call:
    """A request that is being carried out. When its time is up, on an interrupt while somebody waits for it, or when
    it is closed, the server ends it with everything that it has started."""

    def __init__(self, address: str, request: Request) -> None:
        """Raises OSError or ValueError where nobody listens."""
        self._limit, self._started = request.timeout, time.monotonic()
        with ExitStack() as opening:
            self._out = opening.enter_context(tempfile.TemporaryFile())
            self._err = opening.enter_context(tempfile.TemporaryFile())
            self._connection = opening.enter_context(socket.socket(socket.AF_UNIX))
            self._send(address, request)
            self._open = opening.pop_all()

    def answer(self) -> Outcome | None:
        """How it ended, once: it is closed then. None where the server has no answer."""
        with self._open:
            try:
                code, seconds = self._wait()
            except (OSError, ValueError, KeyError, TypeError):
                return None
            if code is None:
                return Outcome(-9, _text(self._out), _text(self._err), seconds, timed_out=True, limit=self._limit)
            return Outcome(code, _text(self._out), _text(self._err), seconds)

    def close(self) -> None:
        """Nobody wants its answer any more."""
        self._open.close()

    def _send(self, address: str, request: Request) -> None:
        words = {"argv": request.argv, "cwd": str(request.cwd), "env": dict(request.env)}
        data = json.dumps(words).encode()
        self._connection.settimeout(10.0)
        self._connection.connect(address)
        descriptors = [self._out.fileno(), self._err.fileno()]
        socket.send_fds(self._connection, [struct.pack(">I", len(data))], descriptors)
        self._connection.sendall(data)

    def _wait(self) -> tuple[int | None, float]:
        """The exit code, None when the time is up, and the seconds that it took. Raises OSError, ValueError, KeyError
        or TypeError where there is no answer."""
        deadline = math.inf if self._limit is None else self._started + self._limit
        while not select.select([self._connection], [], [], _LOOK)[0]:
            if time.monotonic() > deadline:
                return None, time.monotonic() - self._started
        answer = json.loads(self._connection.recv(4096))
        code = answer["code"]
        if not isinstance(code, int):
            raise ValueError(f"no exit code: {code!r}")
        return code, float(answer["seconds"])


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode("utf-8", "backslashreplace")
