"""A process of its own for each configuration of a provider.

terraform opens a connection for every instance of a provider that it would start: for its schema, for a look at its
configuration, and for each alias that it configures. A lane is such a connection. What a provider is asked before it is
configured, one process answers for all lanes; a lane that configures gets a process that nobody else reaches any more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pytest_tfpipeline.warm.proxy import SCHEMA_LIMIT, STOP, Provider, Schemas

#: In terraform's plugin protocol 5 and 6.
_CONFIGURE = ("Configure", "ConfigureProvider")
_PREPARE = ("PrepareProviderConfig", "ValidateProviderConfig")
#: What may be asked of a provider that is not configured, beside every `Validate...` and its schema.
_UNCONFIGURED = (*_PREPARE, "CallFunction", "GetFunctions", "GetMetadata", "Check")


@dataclass(slots=True)
class _Process:
    """`heard` is the call with the configuration that it was asked about last, `calls` are under way in it."""

    provider: Provider
    heard: tuple[str, bytes] | None = None
    calls: int = 0


class Processes:
    """Those of one terraform for one program. `start` gives one more; `first` is one."""

    def __init__(self, first: Provider, start: Callable[[], Provider], schemas: Schemas) -> None:
        self._start, self._schemas = start, schemas
        self._spare: _Process | None = _Process(first)
        self._changed = threading.Condition()

    @contextmanager
    def unconfigured(self, heard: tuple[str, bytes] | None = None) -> Iterator[Provider]:
        """One that is not configured while the block runs; others may use it too."""
        with self._changed:
            if self._spare is None:
                self._spare = _Process(self._start())
            process = self._spare
            if heard:  # which of two at the same time it hears last, nobody knows
                process.heard = None if process.calls else heard
            process.calls += 1
        try:
            yield process.provider
        finally:
            with self._changed:
                process.calls -= 1
                self._changed.notify_all()

    def schema(self, method: str, request: bytes) -> bytes:
        """The whole schema; once it is known, no process is needed for it."""

        def ask() -> bytes:
            with self.unconfigured() as provider:
                return provider.call(method, request, SCHEMA_LIMIT)

        return self._schemas.get(method, ask)

    def take(self, heard: tuple[str, bytes] | None) -> Provider:
        """One that nobody else gets or uses, and that was asked last about this configuration."""
        with self._changed:
            spare, self._spare = self._spare, None
            self._changed.wait_for(lambda: spare is None or not spare.calls)
        process = spare or _Process(self._start())
        if heard and process.heard != heard:
            process.provider.call(*heard)
        return process.provider


class Lane:
    """The provider that one connection sees."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._own: Provider | None = None
        self._heard: tuple[str, bytes] | None = None
        self._stopped: tuple[str, bytes] | None = None
        self._lock = threading.Lock()

    def call(self, method: str, request: bytes, limit: float | None = None) -> bytes:
        """By its own process from `Configure` on. Raises as `Provider.call`."""
        name = method.rpartition("/")[2]
        own = self._configured() if name in _CONFIGURE else self._own_or_stopped(name, method, request)
        if own is not None:
            return own.call(method, request, limit)
        if name in STOP:
            return b""  # nothing is under way in a process of its own
        if name not in _UNCONFIGURED and not name.startswith("Validate"):
            raise ConnectionError(f"{name}: nobody has configured a provider on this connection")
        if name in _PREPARE:
            self._heard = method, request
        with self._processes.unconfigured(self._heard if name in _PREPARE else None) as provider:
            return provider.call(method, request, limit)

    def stream(self, method: str, request: bytes) -> Iterator[bytes]:
        """By its own process."""
        if self._own is None:
            raise ConnectionError(f"{method}: nobody has configured a provider on this connection")
        return self._own.stream(method, request)

    def schema(self, method: str, request: bytes) -> bytes:
        """The whole schema."""
        return self._processes.schema(method, request)

    def _configured(self) -> Provider:
        own = self._own or self._processes.take(self._heard)
        with self._lock:
            self._own, stopped = own, self._stopped
        if stopped:
            own.call(*stopped)
        return own

    def _own_or_stopped(self, name: str, method: str, request: bytes) -> Provider | None:
        with self._lock:
            if name in STOP and self._own is None:
                self._stopped = method, request
            return self._own
