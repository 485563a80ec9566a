"""This plugin's own code, as one hash: what an older one has answered, this one may answer otherwise."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

#: Packages whose answers are part of ours.
_BESIDE = ("pydantic", "python-hcl2", "python-terraform")


@cache
def own_code() -> str:
    """SHA-256 over every file of the package and the versions of what it stands on."""
    top = Path(__file__).parent.parent
    found = hashlib.sha256(" ".join(map(version, _BESIDE)).encode())
    for path in sorted(top.rglob("*")):
        if path.suffix != ".pyc" and path.is_file():
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            found.update(f"{path.relative_to(top).as_posix()}\0{content}\0".encode())
    return found.hexdigest()
