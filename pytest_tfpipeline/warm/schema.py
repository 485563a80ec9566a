"""Take out of a provider's schema answer what a configuration does not name.

The messages are those of terraform's plugin protocol 5 and 6 (`GetProviderSchema.Response`, in `docs/plugin-protocol`
of hashicorp/terraform), read as the wire format of Protocol Buffers: a field is a tag, `number << 3 | type`, and a
value; a map is a repeated field of messages whose field 1 is the key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_FIXED = {_FIXED64: 8, _FIXED32: 4}
#: Fields of the answer that are no map by type name: provider, diagnostics, its meta, server capabilities, functions.
KEPT_WHOLE = frozenset({1, 4, 5, 6, 7})


def only(message: bytes, names: Collection[str], kept_whole: Collection[int] = KEPT_WHOLE) -> bytes:
    """The answer with the entries of its maps that are in `names`; every other field as it is.

    Raises ValueError for what is not the wire format.
    """
    parts = []
    for number, kind, value, field in _fields(message):
        if number in kept_whole or kind != _BYTES or _key(value) in names:
            parts.append(field)
    return b"".join(parts)


def _fields(message: bytes) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Number, type, value and the whole of each field."""
    at = 0
    while at < len(message):
        start = at
        tag, at = _varint(message, at)
        number, kind = tag >> 3, tag & 7
        if kind == _VARINT:
            value = b""
            _, at = _varint(message, at)
        else:
            size = _FIXED.get(kind)
            if kind == _BYTES:
                size, at = _varint(message, at)
            if size is None or at + size > len(message):
                raise ValueError("not a message of Protocol Buffers")
            value = message[at : at + size]
            at += size
        yield number, kind, value, message[start:at]


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(message) and shift < 64:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & 0x80:
            return value, at
        shift += 7
    raise ValueError("not a message of Protocol Buffers")


def _key(entry: bytes) -> str | None:
    """The key of a map's entry."""
    for number, kind, value, _ in _fields(entry):
        if number == 1 and kind == _BYTES:
            return value.decode("utf-8", "replace")
    return None
