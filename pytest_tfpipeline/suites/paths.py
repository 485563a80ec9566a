"""From where a suite imports beside itself: what its Makefile and poetry say, and what its imports give away.

Read when the suite is run, from its private copy: looking into every Python file at each start would cost too much.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_tfpipeline.model import Suite

_PYTHONPATH = re.compile(r"\bPYTHONPATH\s*[:?]?=\s*[\"']?([^\s\"';&]+)")
_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import\b|import[ \t]+([\w., \t]+))", re.MULTILINE)
#: Files that are read for imports; a suite with more says what it needs in these.
_READ_AT_MOST = 400


@dataclass(frozen=True, slots=True)
class ImportPaths:
    """Directories for `sys.path`: `told` stand before what is installed, `guessed` behind it."""

    told: tuple[Path, ...] = ()
    guessed: tuple[Path, ...] = ()


def import_paths(tree: Path, suite: Suite) -> ImportPaths:
    """The directories inside the tree that the suite imports from, in order."""
    directory = tree / suite.dir
    own = (directory, directory / "src", directory / "tests")
    told = [path for path in _told(tree, directory) if path not in own]
    known = {*own, *told}
    guessed = [path for path in _guessed(tree, directory, known) if path not in known]
    return ImportPaths(tuple(dict.fromkeys(told)), tuple(dict.fromkeys(guessed)))


def _told(tree: Path, directory: Path) -> Iterator[Path]:
    words = [part for match in _PYTHONPATH.findall(_text(directory / "Makefile")) for part in match.split(":")]
    for word in (*words, *_poetry_sources(directory / "pyproject.toml")):
        path = Path(os.path.normpath(directory / word))
        if "$" not in word and path.is_relative_to(tree) and path.is_dir():
            yield path


def _poetry_sources(path: Path) -> list[str]:
    try:
        poetry = tomllib.loads(_text(path)).get("tool", {}).get("poetry", {})
        return [str(entry["from"]) for entry in poetry.get("packages", ()) if "from" in entry]
    except (ValueError, AttributeError, TypeError):
        return []


def _guessed(tree: Path, directory: Path, known: Iterable[Path]) -> Iterator[Path]:
    """For a module that is in none of the known places: the nearest directory above that has it."""
    above = [path for path in directory.parents if path.is_relative_to(tree)]
    for name in sorted(_imported(directory)):
        if not any(_provides(path, name) for path in known):
            yield from [path for path in above if _provides(path, name)][:1]


def _imported(directory: Path) -> set[str]:
    files = [path for _, path in zip(range(_READ_AT_MOST), directory.rglob("*.py"), strict=False)]
    found = [first or second for path in files for first, second in _IMPORT.findall(_text(path))]
    names = {part.split()[0].partition(".")[0] for text in found for part in text.split(",") if part.strip()}
    return names - sys.stdlib_module_names - {""}


def _provides(directory: Path, name: str) -> bool:
    """Whether `import NAME` would find a module there; a directory counts if there is Python in it."""
    package = directory / name
    return package.with_suffix(".py").is_file() or (package.is_dir() and any(package.glob("*.py")))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
