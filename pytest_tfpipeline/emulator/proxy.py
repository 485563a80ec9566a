"""The emulated cloud's door: an HTTP proxy on loopback that opens every TLS tunnel itself and forwards nothing."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import BaseServer, ThreadingMixIn
from typing import Any, cast
from urllib.parse import urlsplit

from pytest_tfpipeline.emulator.certificates import Authority
from pytest_tfpipeline.emulator.cloud import Answer, Call
from pytest_tfpipeline.emulator.refusal import is_aws

_log = logging.getLogger(__name__)
_Accepted = socket.socket | tuple[bytes, socket.socket]
_BODILESS = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_OWN_HEADERS = frozenset({"content-length", "connection", "transfer-encoding"})


class Proxy(ThreadingMixIn, BaseServer):
    """Serves connections of an already listening socket, each in a thread of its own."""

    daemon_threads = True

    def __init__(self, listener: socket.socket, authority: Authority, answer: Callable[[Call], Answer]) -> None:
        super().__init__(listener.getsockname(), _Connection)
        self.authority = authority
        self.answer = answer
        self._listener = listener
        self._busy = 0
        self._idle = threading.Condition()

    def fileno(self) -> int:
        """What `serve_forever` waits on."""
        return self._listener.fileno()

    def get_request(self) -> tuple[socket.socket, Any]:
        """The next connection."""
        return self._listener.accept()

    def shutdown_request(self, request: _Accepted) -> None:
        """Connections close themselves."""
        cast("socket.socket", request).close()

    def handle_error(self, request: _Accepted, client_address: object) -> None:
        """A client that goes away is no event; it is logged and nothing more."""
        _log.debug("connection %s ended: %s", client_address, request, exc_info=True)

    def serve(self, call: Call) -> Answer:
        """Answer one call, and be known as busy meanwhile."""
        with self._idle:
            self._busy += 1
        try:
            return self.answer(call)
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    def drain(self, seconds: float) -> bool:
        """Stop taking connections and wait for the calls under way; whether all of them ended."""
        self.shutdown()
        self._listener.close()
        with self._idle:
            return self._idle.wait_for(lambda: not self._busy, seconds)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    #: Seconds that a connection may stay silent.
    timeout = 300
    disable_nagle_algorithm = True
    server: Proxy

    def __init__(self, request: socket.socket, client_address: object, server: Proxy) -> None:
        self._tunnel: str | None = None
        super().__init__(request, client_address, server)

    def do_CONNECT(self) -> None:
        host = _host(f"//{self.path}")
        if not is_aws(host):
            self._refuse(host)
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            self.connection = self.server.authority.context(host).wrap_socket(self.connection, server_side=True)
        except (ssl.SSLError, OSError) as error:
            # Clients probe with their own trust store first, and close: no event.
            _log.debug("TLS with a client of %s: %s", host, error)
            self.close_connection = True
            return
        self._tunnel = host
        self.rfile = self.connection.makefile("rb", self.rbufsize)
        self.wfile = self.connection.makefile("wb", -1)
        self.close_connection = False

    def serve(self) -> None:
        """Answer one request, of any method."""
        host = self._tunnel or _host(self.path) or _host(f"//{self.headers.get('Host', '')}")
        if not is_aws(host):
            self._refuse(host)
            return
        scheme = "https" if self._tunnel else "http"
        call = Call(self.command, scheme, host, self._path(), self.headers, self._body())
        answer = self.server.serve(call)
        _log.info("%s %s%s %d", call.method, host, call.path.split("?")[0], answer.status)
        self._send(answer)

    def handle_expect_100(self) -> bool:
        """Say "go on" at once: the client holds the body back until it reads that."""
        told = super().handle_expect_100()
        self.wfile.flush()
        return told

    def finish(self) -> None:
        """Close the connection, the TLS one where there is one."""
        try:
            super().finish()
        finally:
            self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """What the base class says goes to the log, not to stderr."""
        _log.debug(format, *args)

    def _path(self) -> str:
        if self.path.startswith("/"):
            return self.path
        parts = urlsplit(self.path)
        return f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"

    def _body(self) -> bytes:
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower():
            return b"".join(iter(self._chunk, b""))
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunk(self) -> bytes:
        """The next chunk (RFC 9112, section 7.1); empty at the end, after the trailers."""
        size = int(self.rfile.readline().split(b";")[0], 16)
        data = self.rfile.read(size)
        while size == 0 and self.rfile.readline().strip():
            pass
        if size:
            self.rfile.readline()
        return data

    def _send(self, answer: Answer) -> None:
        given = {name.lower(): value for name, value in answer.headers}
        lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}"]
        lines += [f"{name}: {_one_line(value)}" for name, value in answer.headers if name.lower() not in _OWN_HEADERS]
        if answer.status not in _BODILESS:
            head_only = self.command == "HEAD" and not answer.body
            lines.append(f"Content-Length: {given.get('content-length', 0) if head_only else len(answer.body)}")
        body = b"" if self.command == "HEAD" or answer.status in _BODILESS else answer.body
        self.wfile.write("\r\n".join([*lines, "", ""]).encode() + body)

    def _refuse(self, host: str) -> None:
        """Say no in the status line too: it is all that most clients show of a proxy's answer to CONNECT."""
        text = f"{_one_line(host)} is not AWS: the emulated cloud lets nothing leave the machine"
        body = f"{text}\n".encode()
        head = (
            f"HTTP/1.1 403 {text}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        )
        self.wfile.write(head.encode() + b"\r\n" + body)
        self.close_connection = True
        _log.info("refused %s %s", self.command, host)


for _method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
    setattr(_Connection, f"do_{_method}", _Connection.serve)


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")
