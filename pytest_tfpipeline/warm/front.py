"""A unix socket at which every connection is led to a place of its own.

A gRPC server does not tell its unix connections apart, and terraform opens one for each configuration of a provider.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

_BACKLOG, _CHUNK = 64, 1 << 16


class Front:
    """Listens at `path`. `place` is asked, for each connection on which somebody speaks, for the unix socket that it is
    led to; where it raises OSError, the connection is closed."""

    def __init__(self, path: str, place: Callable[[], str]) -> None:
        """Raises OSError where it cannot listen."""
        self._place = place
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(_BACKLOG)
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End every connection."""
        self._ready.wait()
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join()

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_unix_server(self._lead, sock=self._listener)
        self._ready.set()
        await self._end.wait()
        server.close()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            first = await reader.read(_CHUNK)
            if first:  # terraform also connects only to see whether somebody listens
                there, sink = await asyncio.open_unix_connection(self._place())
                await asyncio.gather(_copy(first, reader, sink), _copy(b"", there, writer))
        writer.close()


async def _copy(data: bytes, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """`data`, and what comes then, to the end of either; then the other one's other side ends too."""
    with suppress(OSError):
        sink.write(data)
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
    sink.close()
