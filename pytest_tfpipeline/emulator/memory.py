"""moto's whole memory as bytes and back: every service's backends, and nothing of the machinery around them."""

from __future__ import annotations

import importlib
import io
import pickle
import sys
import threading
import weakref
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any, cast

import cloudpickle
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)
from moto.core.base_backend import AccountSpecificBackend, BackendDict

from pytest_tfpipeline.errors import EmulatorError

#: Attributes that every BackendDict gets when its module is imported; what a service adds to them is its memory too
#: (S3 keeps there which account owns which bucket).
_MACHINERY = frozenset({"backend", "service_name", "_use_boto3_regions", "_additional_regions", "_id"})
_LOCKS: dict[type, Callable[[], Any]] = {
    type(threading.Lock()): threading.Lock,
    type(threading.RLock()): threading.RLock,
}
_PRIVATE_KEYS = (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey, ed25519.Ed25519PrivateKey)
_PUBLIC_KEYS = (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey)


def dump() -> bytes:
    """The memory of all services that were used. Raises EmulatorError naming the services that cannot be kept."""
    memory = {_place(backends): _contents(backends) for backends in _registries()}
    try:
        return _pickled(memory)
    except Exception as error:
        names = [place for place, contents in memory.items() if not _can_be_kept(contents)]
        raise EmulatorError(
            f"the emulated cloud cannot be kept: {error} (in {', '.join(names) or 'several services together'})"
        ) from error


def load(payload: bytes) -> None:
    """Put back what `dump` gave. Only for bytes that `keep.read` vouched for: this runs code.

    Raises EmulatorError where it does not fit this moto.
    """
    try:
        for place, (extra, accounts) in pickle.loads(payload).items():  # noqa: S301
            backends = _resolve(place)
            vars(backends).update(extra)
            for account, regions in accounts.items():
                dict.update(backends[account], regions)
    except Exception as error:
        raise EmulatorError(f"the kept state cannot be loaded: {type(error).__name__}: {error}") from error


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def reducer_override(self, obj: object) -> object:
        """How to make anew what pickle cannot or must not copy; cloudpickle's own way for the rest."""
        reduced = _reduced_registry(obj) or _reduced_key(obj) or _reduced_container(obj)
        return reduced or super().reducer_override(obj)


def _reduced_registry(obj: object) -> tuple[Any, ...] | None:
    """moto's registries by name only: an object that knows one shall know the living one."""
    if isinstance(obj, BackendDict):
        return _resolve, (_place(obj),)
    if isinstance(obj, AccountSpecificBackend):
        return _account, (_place(_owner(obj)), obj.account_id)
    return None


def _reduced_key(obj: object) -> tuple[Any, ...] | None:
    """Keys and certificates (KMS, EC2, ACM) as DER."""
    if isinstance(obj, _PRIVATE_KEYS):
        return _private_key, (obj.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),)
    if isinstance(obj, _PUBLIC_KEYS):
        return _public_key, (obj.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),)
    if isinstance(obj, x509.Certificate):
        return _certificate, (obj.public_bytes(Encoding.DER),)
    return None


def _reduced_container(obj: object) -> tuple[Any, ...] | None:
    """New locks for old ones, plain copies of weak dictionaries, and moto's own kinds of dictionary without their
    constructors, which want arguments that pickle does not know."""
    if type(obj) in _LOCKS:
        return _LOCKS[type(obj)], ()
    if isinstance(obj, weakref.WeakValueDictionary):
        return dict, (dict(obj),)
    if isinstance(obj, dict) and type(obj).__module__.startswith("moto."):
        factory = obj.default_factory if isinstance(obj, defaultdict) else None
        return _empty, (type(obj), factory), (vars(obj), list(_plain(obj).items(obj))), None, None, _fill
    return None


# The library's own functions are built in, and have no name that pickle could write down.
def _private_key(der: bytes) -> object:
    return load_der_private_key(der, None)


def _public_key(der: bytes) -> object:
    return load_der_public_key(der)


def _certificate(der: bytes) -> object:
    return x509.load_der_x509_certificate(der)


def _empty(kind: type[dict[Any, Any]], factory: Callable[[], Any] | None) -> dict[Any, Any]:
    made = kind.__new__(kind)
    if isinstance(made, defaultdict):
        made.default_factory = factory
    return made


def _fill(made: dict[Any, Any], state: tuple[dict[str, Any], list[tuple[Any, Any]]]) -> None:
    attributes, items = state
    vars(made).update(attributes)
    for key, value in items:
        _plain(made).__setitem__(made, key, value)


def _plain(obj: dict[Any, Any]) -> type[dict[Any, Any]]:
    """The builtin kind of a dictionary whose own methods show something else (S3's show the latest version only)."""
    return OrderedDict if isinstance(obj, OrderedDict) else dict


def _registries() -> list[BackendDict[Any]]:
    """The registries of the services that were used."""
    return list(cast("Any", BackendDict)._instances)


def _pickled(value: object) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()


def _can_be_kept(contents: object) -> bool:
    try:
        _pickled(contents)
    except Exception:
        return False
    return True


def _contents(backends: BackendDict[Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    extra = {name: value for name, value in vars(backends).items() if name not in _MACHINERY}
    return extra, {account: dict(regions.items()) for account, regions in backends.items()}


def _place(backends: BackendDict[Any]) -> str:
    """Where a registry lives, as `moto.s3.models:s3_backends`."""
    for module_name in (backends.backend.__module__, *(name for name in sys.modules if name.startswith("moto."))):
        for name, value in vars(sys.modules[module_name]).items():
            if value is backends:
                return f"{module_name}:{name}"
    raise EmulatorError(f"moto's {backends.service_name} backends have no name")


def _resolve(place: str) -> BackendDict[Any]:
    module, _, name = place.partition(":")
    found = getattr(importlib.import_module(module), name)
    if not isinstance(found, BackendDict):
        raise TypeError(f"{place} is not a registry of moto")
    return found


def _account(place: str, account_id: str) -> AccountSpecificBackend[Any]:
    return _resolve(place)[account_id]


def _owner(account: AccountSpecificBackend[Any]) -> BackendDict[Any]:
    for backends in _registries():
        if any(candidate is account for candidate in backends.values()):
            return backends
    raise EmulatorError(f"moto's {account.service_name} backend of {account.account_id} belongs to nobody")
