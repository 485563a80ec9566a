"""Whether test files of one suite would be taken for each other: over their paths and the `__init__.py` files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def have_colliding_names(tests: Iterable[Path]) -> bool:
    """Whether pytest, as it imports by default, would take two of these files, or two packages, for one."""
    bases: dict[str, Path] = {}
    modules: dict[str, Path] = {}
    for path in tests:
        base, name = _module(path)
        top = name.partition(".")[0]
        if modules.setdefault(name, path) != path or bases.setdefault(top, base) != base:
            return True
    return False


def _module(path: Path) -> tuple[Path, str]:
    """The directory that pytest puts on `sys.path` for the file, and the name that it imports it by."""
    base = path.parent
    while (base / "__init__.py").is_file():
        base = base.parent
    return base, ".".join(path.relative_to(base).with_suffix("").parts)
