"""Stand between terraform and a provider: pass every call on, but answer for the schema with what is needed of it.

A provider of the size of AWS's answers with 5 MB for every terraform command, and decoding them is most of what the
command costs. A schema that is left out can only make terraform refuse more, never accept more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeAlias

import grpc

from pytest_tfpipeline.warm.schema import only

#: Calls of one terraform at the same time; it makes ten unless it is told otherwise.
_CALLS = 64
_UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
#: In terraform's plugin protocol 5 and 6.
_SCHEMA = ("GetSchema", "GetProviderSchema")
_IDENTITIES = "GetResourceIdentitySchemas"
STOP = ("Stop", "StopProvider")
#: Calls that are answered with a stream.
_STREAMS = ("ListResource", "InvokeAction")
#: How go-plugin's servers are asked whether they serve: the name of the service, as field 1.
_HEALTH, _SERVICE = "/grpc.health.v1.Health/Check", b"\n\x06plugin"
#: Seconds until a provider that listens must have answered the first time, and until it must have given its schema.
_ANSWER_LIMIT, SCHEMA_LIMIT = 10.0, 120.0

_Answer = Callable[[bytes, grpc.ServicerContext], bytes]
_Method: TypeAlias = "grpc.RpcMethodHandler[bytes, bytes]"


def as_it_is(message: bytes) -> bytes:
    """Messages are passed on unread."""
    return message


class Schemas:
    """Schema answers of one program, by method: it gives each once."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def get(self, method: str, ask: Callable[[], bytes]) -> bytes:
        """What is known, or else what is asked for now."""
        if method not in self._known:
            self._known[method] = ask()
        return self._known[method]


class Provider(Protocol):
    """Who answers terraform's calls. Each raises grpc.RpcError, and OSError or ValueError where nobody can be asked."""

    def call(self, method: str, request: bytes, limit: float | None = None) -> bytes:
        """One call, passed on as it is, of so many seconds."""

    def stream(self, method: str, request: bytes) -> Iterator[bytes]:
        """A call that is answered with a stream."""

    def schema(self, method: str, request: bytes) -> bytes:
        """The whole schema."""


class Upstream:
    """A provider's process, by the address of its socket."""

    def __init__(self, address: str, schemas: Schemas) -> None:
        self._channel = grpc.insecure_channel(address, options=_UNLIMITED)
        self._schemas = schemas

    def greet(self) -> None:
        """Raises grpc.RpcError where nobody answers."""
        self.call(_HEALTH, _SERVICE, _ANSWER_LIMIT)

    def call(self, method: str, request: bytes, limit: float | None = None) -> bytes:
        """One call, passed on as it is, of so many seconds. Raises grpc.RpcError."""
        return self._channel.unary_unary(method, as_it_is, as_it_is)(request, timeout=limit)

    def stream(self, method: str, request: bytes) -> Iterator[bytes]:
        """A call that is answered with a stream."""
        yield from self._channel.unary_stream(method, as_it_is, as_it_is)(request)

    def schema(self, method: str, request: bytes) -> bytes:
        """The whole schema."""
        return self._schemas.get(method, lambda: self.call(method, request, SCHEMA_LIMIT))

    def close(self) -> None:
        """Leave the provider alone."""
        self._channel.close()


class Proxy:
    """What terraform talks to at `path`, in the place of `provider`. `shared`: another terraform uses that one too."""

    def __init__(self, path: str, provider: Provider, names: frozenset[str], *, shared: bool) -> None:
        self._pool = ThreadPoolExecutor(_CALLS)
        self._server = grpc.server(self._pool, handlers=[_Handler(provider, names, shared)], options=_UNLIMITED)
        if not self._server.add_insecure_port(f"unix:{path}"):
            raise OSError(f"cannot listen at {path}")
        self._server.start()

    def close(self) -> None:
        """Listen no more; calls under way end."""
        stopped: threading.Event = self._server.stop(grace=None)
        stopped.wait(5.0)
        self._pool.shutdown(wait=False, cancel_futures=True)


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, provider: Provider, names: frozenset[str], shared: bool) -> None:
        self._provider, self._names, self._shared = provider, names, shared

    def service(self, handler_call_details: Any) -> _Method | None:
        method: str = handler_call_details.method
        service, _, name = method.rpartition("/")
        if service == "/plugin.GRPCStdio":
            return grpc.unary_stream_rpc_method_handler(lambda _request, _context: iter(()))
        if service == "/plugin.GRPCController" or (self._shared and name in STOP):
            return _unary(lambda _request, _context: b"")  # ending it is for whoever has started it
        if not service.startswith(("/tfplugin", "/grpc.health")):
            return None
        if name in _STREAMS:
            return grpc.unary_stream_rpc_method_handler(lambda request, _: self._provider.stream(method, request))
        return _unary(self._answer(method, name))

    def _answer(self, method: str, name: str) -> _Answer:
        if name in _SCHEMA:
            return lambda request, _: only(self._provider.schema(method, request), self._names)
        if name == _IDENTITIES:
            return lambda request, _: only(self._provider.schema(method, request), self._names, kept_whole={2})
        return lambda request, context: self._pass_on(method, request, context)

    def _pass_on(self, method: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        try:
            return self._provider.call(method, request)
        except grpc.RpcError as error:
            context.abort(error.code(), error.details() or "")
            raise
        except (OSError, ValueError) as error:
            context.abort(grpc.StatusCode.UNAVAILABLE, str(error))
            raise


def _unary(answer: _Answer) -> _Method:
    return grpc.unary_unary_rpc_method_handler(answer)
