"""Paths as they are given on a command line: absolute, and what they lead through; and as they are said."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pytest_tfpipeline.errors import UsageError

#: Said of an option that was given nothing.
EMPTY = "is empty: is a variable not set?"


def given_path(value: str | Path, start: Path) -> Path:
    """The path, from `start`, absolute and without `..`, gone as the system goes it. Other links stay: whether one of
    them is in the checkout can matter to whoever asks.

    Raises UsageError where nothing was given, which else would be `start` itself.
    """
    if not str(value):
        raise UsageError(EMPTY)
    path = Path((start / value).absolute().anchor)
    for part in (start / value).absolute().parts[1:]:
        path = Path(os.path.realpath(path)).parent if part == ".." else path / part
    return path


def said(directory: str) -> str:
    """A directory of the repository in a sentence: `.` would look like its end."""
    return "the top directory" if directory == "." else directory


def is_file(path: Path) -> bool:
    """Whether a file is there; also of a text that is longer than a path can be."""
    try:
        return path.is_file()
    except OSError:
        return False


def way_to(path: Path) -> Iterator[Path]:
    """Every link that leads to the file, each where it really is, and the file itself. `path` must be there."""
    absolute = path.absolute()
    here, waiting = Path(absolute.anchor), [*reversed(absolute.parts[1:])]
    while waiting:
        part = waiting.pop()
        one = here.parent if part == ".." else here / part
        if one.is_symlink():
            yield one
            target = one.readlink()
            here = Path(target.anchor) if target.is_absolute() else here
            waiting += reversed(target.parts[1:] if target.is_absolute() else target.parts)
        else:
            here = one
    yield here
