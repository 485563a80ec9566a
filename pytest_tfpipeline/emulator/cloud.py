"""One request to AWS, answered by moto in this process."""

from __future__ import annotations

import logging
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass, field, replace
from email.message import Message
from typing import Any

from moto.core.config import default_user_config
from moto.core.request import Request
from moto.iam import models as iam_models
from moto.moto_proxy.proxy3 import MotoRequestHandler
from moto.s3.models import s3_backends
from moto.utilities.utils import get_partition
from werkzeug.exceptions import HTTPException

from pytest_tfpipeline.emulator.environment import ACCOUNT_ID, DEFAULT_REGION
from pytest_tfpipeline.emulator.fixes import FIXES, Fix, mend
from pytest_tfpipeline.emulator.patience import Patience
from pytest_tfpipeline.emulator.protocol import StateStore
from pytest_tfpipeline.emulator.refusal import action_of, refusal_body

_log = logging.getLogger(__name__)
#: A bucket of a service's name (`logs`) is taken for the service by moto, which looks at the whole host.
_HOSTED_BUCKET = re.compile(r"([a-z0-9-]+)\.(s3\.(?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?)")
#: The service that a request is signed for; the host may begin with something else (`cp.maps.geo...`).
_SIGNED_FOR = re.compile(r"Credential=[^/,\s]+/\d{8}/[^/,\s]*/([a-z0-9.-]+)/aws4_request")
_SAME = "for {:.0f} seconds it has answered the same, and whoever waits for something else would wait for ever"
#: What a table for locks has none of.
_UNSET = (
    *("throughput", "global_indexes", "indexes", "streams", "sse_specification", "deletion_protection_enabled"),
    "warm_throughput",
)


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
    """An AWS of one's own, whose account is `account` for whoever assumed no role of another one.

    Requests to one service are answered one after the other, so that a conditional write (a state lock) is atomic; SQS
    is left out, because receiving from a queue may wait for a message.
    """

    account: str = ACCOUNT_ID
    _locks: dict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))
    _router: Any = field(default_factory=lambda: MotoRequestHandler(0))
    _unmended: dict[str, tuple[Fix, ...]] = field(default_factory=lambda: dict(FIXES))
    _patience: Patience = field(default_factory=Patience)
    _mending: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        # Roles get policies that AWS has made, and that moto leaves out unless it is asked for them.
        default_user_config["iam"] = {"load_aws_managed_policies": True}
        # Invoked functions and jobs succeed without a container.
        default_user_config["lambda"] = {"use_docker": False}
        default_user_config["batch"] = {"use_docker": False}
        # What moto's MOTO_ACCOUNT_ID would do for roles that were assumed, too.
        vars(iam_models)["DEFAULT_ACCOUNT_ID"] = self.account

    def answer(self, call: Call) -> Answer:
        """Never raises: what moto cannot do is told in the service's own error format, with 501, which no SDK
        retries."""
        service = self._router.get_backend_for_host(f"{call.scheme}://{call.host}")
        bucket = _HOSTED_BUCKET.fullmatch(call.host)
        if bucket and service != "s3":
            service, call = "s3", _by_path(call, *bucket.groups())
        if service is None or service == "moto_api":
            signed = _SIGNED_FOR.search(call.headers.get("Authorization") or "")
            named = signed[1] if signed else call.host.partition(".")[0]
            return _not_emulated(call, f"{_cannot(call, named)}: it has no service at {call.host}")
        with self._mending:
            mend(self._unmended.pop(service, ()))
        with nullcontext() if service == "sqs" else self._locks[service]:
            answer = self._ask(call, service)
        question = f"{call.method} {call.host}{call.path} ".encode() + call.body
        told = f"{answer.status} ".encode() + answer.body
        if self._patience.is_over(call.headers.get("User-Agent") or "", question, told):
            return _not_emulated(call, f"{_cannot(call, service)}: {_SAME.format(self._patience.limit)}")
        return answer

    def create_stores(self, stores: Iterable[StateStore], region: str = DEFAULT_REGION) -> None:
        """Versioned buckets and lock tables for state, as backends expect them, `region` where they name none; those
        that are there stay as they are."""
        for store in stores:
            place = store.account or self.account, store.region or region
            if store.bucket and store.bucket not in s3_backends.bucket_accounts:
                _create_bucket(store.bucket, *place)
            if store.table:
                _create_lock_table(store.table, *place)

    def _ask(self, call: Call, service: str) -> Answer:
        origin = f"{call.scheme}://{call.host}"
        try:
            handler: Callable[..., Any] | None = self._router.get_handler_for_host(origin, call.path)
            if handler is None:
                return _not_emulated(call, _cannot(call, service))
            request = Request.from_primitives(call.method, origin + call.path, call.headers, call.body)
            found = handler(request, request.raw_url, request.headers)
            return _answer(*found) if isinstance(found, tuple) else _answer(200, {}, found)
        except HTTPException as error:
            return _answer(error.code or 500, error.get_headers(), error.get_body())
        except NotImplementedError as error:
            return _not_emulated(call, f"{_cannot(call, service)}: {error}")
        except Exception as error:
            _log.exception("%s %s%s", call.method, origin, call.path)
            return _not_emulated(call, f"{_cannot(call, service)}: it failed with {type(error).__name__}: {error}")


def _by_path(call: Call, bucket: str, host: str) -> Call:
    """The same with the bucket in the path."""
    headers = copy(call.headers)
    del headers["Host"]
    headers["Host"] = host
    return replace(call, host=host, path=f"/{bucket}{call.path}", headers=headers)


def _cannot(call: Call, service: str) -> str:
    """Names the service and the action, whatever the protocol."""
    action = action_of(call.method, call.path, call.headers.get("X-Amz-Target") or "", call.body)
    return f"the emulated cloud cannot do {service} {action}"


def _create_bucket(name: str, account: str, region: str) -> None:
    backend = s3_backends[account][get_partition(region)]
    backend.create_bucket(name, region)
    backend.put_bucket_versioning(name, "Enabled")


def _create_lock_table(name: str, account: str, region: str) -> None:
    """A table as terraform's documentation wants it for locks: `LockID`, a text, is its key."""
    from moto.dynamodb.models import dynamodb_backends

    backend = dynamodb_backends[account][region]
    if name not in backend.tables:
        backend.create_table(
            name,
            schema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
            attr=[{"AttributeName": "LockID", "AttributeType": "S"}],
            billing_mode="PAY_PER_REQUEST",
            **dict.fromkeys(_UNSET),
            tags=[],
        )


def _answer(status: int, headers: Mapping[str, Any] | Iterable[tuple[str, Any]], body: str | bytes | None) -> Answer:
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    text = tuple((name, value.decode() if isinstance(value, bytes) else str(value)) for name, value in pairs)
    return Answer(int(status), text, body.encode() if isinstance(body, str) else body or b"")


def _not_emulated(call: Call, message: str) -> Answer:
    content_type, body = refusal_body(call.host, call.headers.get("Content-Type") or "", message)
    headers = (("Content-Type", content_type), ("X-Amzn-ErrorType", "NotImplemented"))
    return Answer(501, headers, body)
