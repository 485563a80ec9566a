"""Which files hold Python tests: by the usual names, and by those that a directory's own pytest configuration gives."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

from pytest_tfpipeline.discover.directories import parent

USUAL = ("test.py", "test_*.py", "*_test.py")

_CONFIGURATIONS = frozenset({"pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg", "pyproject.toml", "pytest.toml"})
_PYTHON_FILES = re.compile(r"^[ \t]*python_files\s*=\s*(\[[^\]]*\]|.*(?:\n[ \t]+.+)*)", re.MULTILINE)
_PATTERN = re.compile(r"[\w.*?-]+")


def test_files(top: Path, files: Iterable[str]) -> list[str]:
    """Those of `files` that hold tests. The configuration at the top is about the repository's own pytest run."""
    listed = list(files)
    own = {parent(path): found for path in listed if parent(path) != "." and (found := _own_patterns(top, path))}
    return [path for path in listed if path.endswith(".py") and _is_test(path, own)]


def _own_patterns(top: Path, path: str) -> tuple[str, ...]:
    """The patterns of `python_files` in a file that may be pytest's configuration."""
    if posixpath.basename(path) not in _CONFIGURATIONS:
        return ()
    try:
        text = (top / path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ()
    found = _PYTHON_FILES.search(text) if "python_files" in text else None
    words = _PATTERN.findall(found[1]) if found else []
    return tuple(word if word.endswith((".py", "*")) else f"{word}*.py" for word in words)


def _is_test(path: str, own: Mapping[str, tuple[str, ...]]) -> bool:
    name = posixpath.basename(path)
    if any(fnmatchcase(name, pattern) for pattern in USUAL):
        return True
    directory = parent(path) if own else "."
    while directory != "." and directory not in own:
        directory = parent(directory)
    return directory != "." and any(fnmatchcase(name, pattern) for pattern in own[directory])
