"""Which arguments a var file or a backend file gives a value to."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from pytest_tfpipeline.discover.outline import OutlineError, arguments


def assigned(path: Path) -> frozenset[str] | None:
    """The names, or None where the file cannot be read: then terraform is the judge of it."""
    try:
        stat = path.stat()
        return _assigned(path, stat.st_mtime_ns, stat.st_size)
    except OSError:
        return None


@lru_cache(maxsize=4096)
def _assigned(path: Path, _changed: int, _size: int) -> frozenset[str] | None:
    try:
        text = path.read_text(encoding="utf-8-sig")
        found = json.loads(text) if path.name.endswith(".json") else arguments(text)
    except (UnicodeDecodeError, OutlineError, ValueError, RecursionError):
        return None
    return frozenset(found) if isinstance(found, dict) else None
