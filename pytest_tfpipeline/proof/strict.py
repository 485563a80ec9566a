"""Read JSON that comes from outside of the run: whole and plain, or refused by name with what to do."""

from __future__ import annotations

import json
import math
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from pytest_tfpipeline.errors import ProofError

#: Bytes of a document at most: evidence of a large repository takes about one MiB.
LIMIT = 32 * 2**20
#: What is read here is nested eight deep at most; deeper nesting breaks parsers.
MAX_DEPTH = 32
#: Characters of somebody else's text in a message of ours.
_SHOWN = 60
_TAKE_AGAIN = "take the file as it was written, whole and unchanged"


def read_document(path: Path, *, limit: int = LIMIT) -> Any:
    """The JSON value in a file. Raises ProofError where it is no plain file, or not plain JSON (`parse_document`)."""
    return parse_document(read_bytes(path, limit=limit), str(path))


def read_bytes(path: Path, *, limit: int = LIMIT) -> bytes:
    """The content of a plain file, not empty and not larger than `limit` bytes. Never waits for a pipe's other end."""
    try:
        with open(path, "rb", opener=_open_without_waiting) as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                what = "is a pipe, a socket or a device, not a file"
                raise ProofError(what, where=str(path), mend="name the file itself")
            data = stream.read(limit + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    if not data:
        raise ProofError("is empty", where=str(path), mend=_TAKE_AGAIN)
    if len(data) > limit:
        raise ProofError(f"is larger than {_size(limit)}", where=str(path), mend="name the right file")
    return data


def parse_document(data: bytes, where: str) -> Any:
    """The JSON value in these bytes; `where` names them in messages.

    Raises ProofError where they are not UTF-8, cut off, name a key twice, hold a number or a character that JSON does
    not have, or are nested deeper than `MAX_DEPTH`.
    """
    try:
        return _parsed(data)
    except _NotPlain as problem:
        what = str(problem)
    except UnicodeDecodeError as error:
        what = f"is not UTF-8 (byte {error.start})"
    except RecursionError:
        what = f"is nested deeper than {MAX_DEPTH} levels"
    except ValueError as error:
        what = f"is not JSON, or not all of it is there: {str(error)[: 2 * _SHOWN]}"
    raise ProofError(what, where=where, mend=_TAKE_AGAIN)


class _NotPlain(Exception):
    """JSON as Python's parser takes it, but not as everybody does."""


def _parsed(data: bytes) -> Any:
    value = json.loads(data.decode(), object_pairs_hook=_mapping, parse_float=_number, parse_constant=_constant)
    for problem in _oddities(value):
        raise _NotPlain(problem)
    return value


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _NotPlain(f"names the key {key[:_SHOWN]!r} twice")
        found[key] = value
    return found


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _NotPlain(f"holds the number {text[:_SHOWN]}, which is too large")
    return value


def _constant(name: str) -> NoReturn:
    raise _NotPlain(f"holds {name}, which is not JSON")


def _oddities(value: Any) -> Iterator[str]:
    """What Python's parser lets through and others would stumble over; without recursion."""
    level = [value]
    for _ in range(MAX_DEPTH):
        for text in level:
            if isinstance(text, str) and not _encodes(text):
                yield f"holds half of a character: {text[:_SHOWN]!a}"
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return
    yield f"is nested deeper than {MAX_DEPTH} levels"


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []


def _encodes(text: str) -> bool:
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def _open_without_waiting(name: str, flags: int) -> int:
    return os.open(name, flags | os.O_NONBLOCK)


def _unreadable(path: Path, error: OSError | ValueError) -> ProofError:
    if isinstance(error, IsADirectoryError):
        return ProofError("is a directory, not a file", where=str(path), mend="name the file itself")
    if isinstance(error, FileNotFoundError):
        return ProofError("is not there", where=str(path), mend="name a file that is")
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    return ProofError(f"cannot be read: {reason}", where=str(path), mend="name a file that this user may read")


def _size(count: int) -> str:
    return f"{count // 2**20} MiB" if count >= 2**20 else f"{count // 2**10} KiB"
