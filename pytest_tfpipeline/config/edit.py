"""Add to a configuration file without losing anything of it: text is put in, and nothing is written anew.

What is put in is held against what was there: the file that comes out must say everything that it said, and what was
added, and must have every line that it had. Where that cannot be had by adding lines (a table that is written on one
line, say), the file is left alone.
"""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_tfpipeline.config.entries import Home, assignments
from pytest_tfpipeline.errors import ConfigurationError

#: What some editors begin a file with.
_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Addition:
    """Keys of the configuration's top, and whole tables as lines, which may hold comments."""

    top: Mapping[str, object]
    tables: Sequence[Sequence[str]]

    @property
    def empty(self) -> bool:
        """Whether there is nothing to add."""
        return not self.top and not self.tables


def addition_text(home: Home, addition: Addition, *, header: bool = True) -> str:
    """The addition as a text of its own; `header` as in a file that does not have the table yet."""
    top = list(assignments(addition.top))
    if top and header and home.prefix:
        top.insert(0, home.header(""))
    blocks = ["\n".join(lines) for lines in ([top] if top else []) + [list(table) for table in addition.tables]]
    return "\n\n".join(blocks) + "\n" if blocks else ""


def with_addition(path: Path, home: Home, addition: Addition) -> str:
    """The file's text with the addition. Raises ConfigurationError where it cannot be added safely."""
    before = _read(path, home)
    after = _inserted(before, home, addition)
    if not _kept(before, after, home, addition):
        what = "is written in a way that nothing can be added to safely (a table on one line, say)"
        raise ConfigurationError(what, where=home.file, mend="say there by hand what --tf-list asks for")
    return after


def _read(path: Path, home: Home) -> str:
    try:
        return path.read_bytes().decode("utf-8") if path.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"cannot be read: {error}", where=home.file, mend="mend it first") from None


def _inserted(before: str, home: Home, addition: Addition) -> str:
    """Keys of the top below the table's header, or first of all in a file of our own; tables at the end."""
    ending = "\r\n" if "\r\n" in before else "\n"
    mark = _MARK if before.startswith(_MARK) else ""
    lines = before.removeprefix(_MARK).splitlines(keepends=True)
    at = _place(lines, home) if addition.top else None
    if at is not None:
        if at and not lines[at - 1].endswith("\n"):
            lines[at - 1] += ending
        lines[at:at] = [f"{line}{ending}" for line in assignments(addition.top)]
    rest = Addition({} if at is not None else addition.top, addition.tables)
    text = mark + "".join(lines)
    more = addition_text(home, rest).replace("\n", ending)
    if not more:
        return text
    gap = "" if not text else ending if text.endswith("\n") else ending * 2
    return f"{text}{gap}{more}"


def _place(lines: Sequence[str], home: Home) -> int | None:
    """The line before which keys of the top belong; None where the table is not there yet. A first line that names the
    schema stays the first."""
    if not home.prefix:
        return 1 if lines and lines[0].startswith("#:schema") else 0
    header = home.header("")
    return next((at + 1 for at, line in enumerate(lines) if line.split("#")[0].strip() == header), None)


def _kept(before: str, after: str, home: Home, addition: Addition) -> bool:
    """Whether nothing was lost and exactly the addition was added."""
    try:
        old, new = tomllib.loads(before.removeprefix(_MARK)), tomllib.loads(after.removeprefix(_MARK))
        added = tomllib.loads(addition_text(home, addition))
    except tomllib.TOMLDecodeError:
        return False
    rest = iter(after.removeprefix(_MARK).splitlines())
    return new == _merged(old, added) and all(line in rest for line in before.removeprefix(_MARK).splitlines())


def _merged(old: dict[str, Any], added: dict[str, Any]) -> dict[str, Any]:
    found = dict(old)
    for name, value in added.items():
        there = found.get(name)
        if isinstance(there, dict) and isinstance(value, dict):
            found[name] = _merged(there, value)
        elif isinstance(there, list) and isinstance(value, list):
            found[name] = [*there, *value]
        else:
            found[name] = value
    return found


def write_text(path: Path, text: str) -> None:
    """Write the file: atomically, through a link, and with the permissions that the file has."""
    real = path.resolve()
    mode = real.stat().st_mode & 0o777 if real.exists() else 0o644
    number, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}-")
    try:
        with os.fdopen(number, "wb") as file:
            file.write(text.encode())
        Path(name).chmod(mode)
        Path(name).replace(real)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise ConfigurationError(f"cannot be written: {error}", where=str(path), mend="mend that") from None
