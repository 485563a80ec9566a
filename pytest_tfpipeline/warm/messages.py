"""Messages on a unix socket: a length (4 bytes, big endian) and as many bytes of JSON, an object."""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Mapping
from typing import Any

_LIMIT = 64 << 20


def send(connection: socket.socket, message: Mapping[str, Any]) -> None:
    """Raises OSError where nobody listens any more."""
    data = json.dumps(message).encode()
    connection.sendall(struct.pack(">I", len(data)) + data)


def receive(connection: socket.socket) -> dict[str, Any]:
    """Raises OSError at the end of the connection, and ValueError for what is no message."""
    (size,) = struct.unpack(">I", _exactly(connection, 4))
    if size > _LIMIT:
        raise ValueError("a message that is too long")
    message = json.loads(_exactly(connection, size))
    if not isinstance(message, dict):
        raise ValueError("a message that is no object")
    return message


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise OSError("the connection was closed")
        data += more
    return bytes(data)
