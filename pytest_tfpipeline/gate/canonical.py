"""Values of a plan as canonical JSON (RFC 8785) and as keyed hashes: the same value is always the same bytes."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import rfc8785

from pytest_tfpipeline.errors import PlanReadError
from pytest_tfpipeline.terraform.numbers import ExactFloat
from pytest_tfpipeline.terraform.unknown import UNKNOWN

#: Integers that a double, and so RFC 8785, holds exactly.
_SAFE = 2**53 - 1
_SPECIAL = re.compile("[\0\ud800-\udfff]")


def canonical(value: object, tree: str = "") -> bytes:
    """RFC 8785 of a JSON value in which the path `tree` stands nowhere any more.

    Numbers that are no integers within 2^53 (terraform's have more digits than a double holds), lone surrogates and
    `UNKNOWN` become a text between NULs; a NUL of the value itself does too, so that unlike values stay unlike. Raises
    PlanReadError for what is no JSON value, or nested too deeply.
    """
    try:
        # The same bytes as rfc8785's, from C: what the two write differently is not there any more.
        return json.dumps(_plain(value, _texts(tree)), ensure_ascii=False, separators=(",", ":")).encode()
    except RecursionError:
        raise PlanReadError("is nested too deeply to be compared", mend="flatten the value") from None
    except TypeError as error:
        raise PlanReadError(f"holds a value that is no JSON: {error}", mend="plan again") from None


def digest(document: Mapping[str, Any]) -> str:
    """SHA-256 over the document in RFC 8785, as `sha256:` and 64 hex digits."""
    return "sha256:" + hashlib.sha256(rfc8785.dumps(_plain(document, _texts("")))).hexdigest()


def seal(key: bytes, label: str, value: object, tree: str = "") -> str:
    """HMAC-SHA256 of a value: who lacks the key cannot even confirm a guess. Values under unlike labels never agree."""
    return hmac.new(key, label.encode() + b"\0" + canonical(value, tree), hashlib.sha256).hexdigest()


def _plain(value: Any, text: Callable[[str], str]) -> Any:
    kind = type(value)
    if kind is str:
        return text(value)
    if kind is dict or isinstance(value, Mapping):
        return _sorted({text(name): _plain(each, text) for name, each in value.items()})
    if kind is list or kind is tuple:
        return [_plain(each, text) for each in value]
    if value is None or kind is bool:
        return value
    if isinstance(value, int | float):
        return _number(value)
    return "\0unknown\0" if value is UNKNOWN else text(value)


def _sorted(members: Mapping[str, Any]) -> dict[str, Any]:
    """RFC 8785 sorts by UTF-16 code units."""
    plain = "".join(members).isascii()
    return {name: members[name] for name in sorted(members, key=None if plain else _utf16)}


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be")


def _number(value: float) -> Any:
    if isinstance(value, ExactFloat):
        return f"\0number {value.text}\0"
    whole = -_SAFE <= value <= _SAFE and value == int(value)
    return int(value) if whole else f"\0number {value}\0"


@cache
def _texts(tree: str) -> Callable[[str], str]:
    """What makes a text of the value one of the canonical form."""
    path = re.compile(re.escape(tree) + r"(?![\w-]|\.\w)") if len(tree) > 1 else None

    def text(value: str) -> str:
        if not isinstance(value, str):
            raise TypeError(type(value).__name__)
        if not value.isascii() or "\0" in value:
            value = _SPECIAL.sub(lambda found: f"\0u{ord(found[0]):04x}\0", value)
        return path.sub("\0tree\0", value) if path is not None and tree in value else value

    return text
