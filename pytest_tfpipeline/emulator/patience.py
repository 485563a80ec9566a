"""An end to waiting for what never comes.

Nothing in the emulated cloud changes by itself, so that a provider which asks for the state of a resource again and
again, and hears the same for minutes, would wait until its own timeout, some of which are hours. It is told so instead:
that resource fails with a name, and terraform goes on with the others.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

#: Seconds after which the same answer to the same question is the last one.
LIMIT = 300.0
#: Whoever asks faster does not wait but reads; whoever asks more slowly does not wait for this.
_FASTEST, _SLOWEST = 1.0, 150.0
_LEAST = 5
_KEPT = 10_000
#: How terraform's processes are told apart: `Context.request` sets it in TF_APPEND_USER_AGENT.
_PROCESS = re.compile(r"\btfpipeline/(\w+)")
#: What differs in every answer.
_UNIQUE = re.compile(rb"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|<RequestId>[^<]*|<HostId>[^<]*")


@dataclass(slots=True)
class _Wait:
    answer: bytes
    since: float
    last: float
    count: int = 1


@dataclass(slots=True)
class Patience:
    """What each process of terraform asked, and since when it hears the same. `clock` gives seconds."""

    limit: float = LIMIT
    clock: Callable[[], float] = time.monotonic
    _waits: dict[bytes, _Wait] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def is_over(self, agent: str, question: bytes, answer: bytes) -> bool:
        """Whether this answer to this question is one too many for the process with that user agent."""
        process = _PROCESS.search(agent)
        if process is None:
            return False
        now, told = self.clock(), hashlib.sha256(_UNIQUE.sub(b"", answer)).digest()
        with self._lock:
            return self._note(process[1].encode() + b" " + question, told, now)

    def _note(self, key: bytes, told: bytes, now: float) -> bool:
        key = hashlib.sha256(key).digest()
        wait = self._waits.get(key)
        if wait is None or wait.answer != told or not _FASTEST <= now - wait.last <= _SLOWEST:
            if len(self._waits) > _KEPT:
                self._waits.clear()
            self._waits[key] = _Wait(told, now, now)
            return False
        wait.last, wait.count = now, wait.count + 1
        return wait.count >= _LEAST and now - wait.since >= self.limit
