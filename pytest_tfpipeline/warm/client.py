"""A call of a tool that is kept running, in the place of a process of its own."""

from __future__ import annotations

import json
import math
import select
import socket
import struct
import tempfile
import time
from typing import IO

from pytest_tfpipeline.process import Outcome, Request

#: Seconds between two looks at whether an interrupt has come.
_LOOK = 0.2


def call(address: str, request: Request) -> Outcome | None:
    """The request, carried out by the server at that unix socket; None where the server has no answer to it.

    A request that is not `only_env` has none: the server inherits nothing. When its time is up, or on an interrupt,
    the server ends the call with everything that it has started.
    """
    if not request.only_env or request.stdin is not None:
        return None
    started = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            answer = _ask(address, request, out, err)
        except (OSError, ValueError):
            return None
        seconds = time.monotonic() - started
        if answer is None:
            return Outcome(-9, _text(out), _text(err), seconds, timed_out=True, limit=request.timeout)
        return Outcome(answer, _text(out), _text(err), seconds)


def _ask(address: str, request: Request, out: IO[bytes], err: IO[bytes]) -> int | None:
    """The exit code; None when the time is up. Raises OSError or ValueError where there is no answer."""
    deadline = math.inf if request.timeout is None else time.monotonic() + request.timeout
    words = {"argv": request.argv, "cwd": str(request.cwd), "env": dict(request.env)}
    data = json.dumps(words).encode()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10.0)
        connection.connect(address)
        socket.send_fds(connection, [struct.pack(">I", len(data))], [out.fileno(), err.fileno()])
        connection.sendall(data)
        while not select.select([connection], [], [], _LOOK)[0]:
            if time.monotonic() > deadline:
                return None
        code = json.loads(connection.recv(4096))["code"]
    if not isinstance(code, int):
        raise ValueError(f"no exit code: {code!r}")
    return code


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode("utf-8", "backslashreplace")
