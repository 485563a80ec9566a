"""TOML files, with errors that say file and line."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from pytest_tfpipeline.errors import ConfigurationError

#: What to do, by how a message of `tomllib` begins.
_MENDS = {
    "Cannot ": "write each key once, and each entry of an array of tables below a header in two brackets: `[[root]]`",
    "Invalid value": 'put text into quotes: `"..."`',
}
_POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


def parse_toml(path: Path, name: str, limit: int | None = None) -> dict[str, Any]:
    """The document in that file, which messages call `name`; more than `limit` bytes are refused.

    Raises ConfigurationError where it is missing, too large, not UTF-8, or not TOML (a key that is there twice is not).
    """
    text = _text(path, name, limit)
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError, and numbers of thousands of digits
        raise _syntax_error(str(error), text, name) from None
    except RecursionError:
        raise ConfigurationError("is nested too deeply to be read", where=name, mend="flatten it") from None


def _text(path: Path, name: str, limit: int | None) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(-1 if limit is None else limit + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigurationError(f"cannot be read: {reason}", where=name, mend="name a file that is there") from None
    if limit is not None and len(data) > limit:
        what = f"is larger than {limit // 1024} KiB, which no file of its kind is"
        raise ConfigurationError(what, where=name, mend="name the file that was meant")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ConfigurationError(
            f"is not UTF-8: byte 0x{data[error.start]:02x}", where=f"{name}:{line}", mend="save the file as UTF-8"
        ) from None


def _syntax_error(message: str, text: str, name: str) -> ConfigurationError:
    position = _POSITION.search(message)
    line = int(position[1]) if position and position[1] else text.count("\n") + 1
    what = _POSITION.sub("", message)
    mend = next((mend for begin, mend in _MENDS.items() if what.startswith(begin)), "correct the syntax")
    column = f", column {position[2]}" if position and position[2] else ""
    return ConfigurationError(
        f"is not valid TOML{column}: {what[:1].lower()}{what[1:]}", where=f"{name}:{line}", mend=mend
    )
