"""One request to AWS, answered by moto in this process."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from email.message import Message
from typing import Any

from moto.core.config import default_user_config
from moto.core.request import Request
from moto.moto_proxy.proxy3 import MotoRequestHandler
from moto.s3.models import s3_backends
from werkzeug.exceptions import HTTPException

from pytest_tfpipeline.emulator.environment import ACCOUNT_ID, DEFAULT_REGION
from pytest_tfpipeline.emulator.fixes import FIXES, Fix, mend
from pytest_tfpipeline.emulator.refusal import refusal_body

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """What a client asks: `host` without a port, `path` with its query as it came."""

    method: str
    scheme: str
    host: str
    path: str
    headers: Message
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What it gets."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(slots=True)
class Cloud:
    """An AWS of one's own. Requests to one service are answered one after the other, so that a conditional write (a
    state lock) is atomic; SQS is left out, because receiving from a queue may wait for a message."""

    _locks: dict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    _router: Any = field(default_factory=lambda: MotoRequestHandler(0))
    _unmended: dict[str, tuple[Fix, ...]] = field(default_factory=lambda: dict(FIXES))
    _mending: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        # Invoked functions and jobs succeed without a container.
        default_user_config["lambda"] = {"use_docker": False}
        default_user_config["batch"] = {"use_docker": False}

    def answer(self, call: Call) -> Answer:
        """Never raises: what moto cannot do is told in the service's own error format, with 501, which no SDK
        retries."""
        service = self._router.get_backend_for_host(f"{call.scheme}://{call.host}")
        if service is None or service == "moto_api":
            return _not_emulated(call, f"the emulated cloud knows no service at {call.host}")
        with self._mending:
            mend(self._unmended.pop(service, ()))
        with nullcontext() if service == "sqs" else self._locks[service]:
            return self._ask(call, service)

    def create_buckets(self, names: Sequence[str], region: str = DEFAULT_REGION) -> None:
        """Versioned buckets for state, as a backend expects them; those that are there stay as they are."""
        backend = s3_backends[ACCOUNT_ID]["aws"]
        for name in names:
            if name not in s3_backends.bucket_accounts:
                backend.create_bucket(name, region)
                backend.put_bucket_versioning(name, "Enabled")

    def _ask(self, call: Call, service: str) -> Answer:
        origin = f"{call.scheme}://{call.host}"
        try:
            handler: Callable[..., Any] | None = self._router.get_handler_for_host(origin, call.path)
            if handler is None:
                return _not_emulated(call, f"the emulated cloud's {service} has nothing at {call.path.split('?')[0]}")
            request = Request.from_primitives(call.method, origin + call.path, call.headers, call.body)
            found = handler(request, request.raw_url, request.headers)
            return _answer(*found) if isinstance(found, tuple) else _answer(200, {}, found)
        except HTTPException as error:
            return _answer(error.code or 500, error.get_headers(), error.get_body())
        except NotImplementedError as error:
            return _not_emulated(call, f"the emulated cloud's {service} cannot do this: {error}")
        except Exception as error:
            _log.exception("%s %s%s", call.method, origin, call.path)
            return _not_emulated(
                call, f"the emulated cloud's {service} failed at this: {type(error).__name__}: {error}"
            )


def _answer(status: int, headers: Mapping[str, Any] | Iterable[tuple[str, Any]], body: str | bytes | None) -> Answer:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    text = tuple((name, value.decode() if isinstance(value, bytes) else str(value)) for name, value in pairs)
    return Answer(int(status), text, body.encode() if isinstance(body, str) else body or b"")


def _not_emulated(call: Call, message: str) -> Answer:
    content_type, body = refusal_body(call.host, call.headers.get("Content-Type") or "", message)
    headers = (("Content-Type", content_type), ("X-Amzn-ErrorType", "NotImplemented"))
    return Answer(501, headers, body)
