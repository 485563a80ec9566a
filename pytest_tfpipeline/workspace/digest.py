"""What a tree of files holds, as hashes: how a change between plan and apply is seen."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

#: Written by terraform itself while it works: its own directory, state (guarded by lineage and serial) and locks.
VOLATILE = (".terraform", "*.tfstate", "*.tfstate.*", ".*.lock.info", "terraform.tfstate.d", ".git")


def manifest(path: Path, exclude: Collection[str] = VOLATILE) -> dict[str, str]:
    """{path relative to `path`: SHA-256} of every file and symlink, but for names that match `exclude`.

    A symlink counts as the text of its target and is not followed; the executable bit counts.
    """
    return {name: file_digest(path / name) for name in sorted(_walk(path, exclude))}


def tree_digest(path: Path, exclude: Collection[str] = VOLATILE) -> str:
    """One SHA-256 over the manifest: the same for the same files with the same bytes, in any order."""
    return manifest_digest(manifest(path, exclude))


def manifest_digest(files: Mapping[str, str]) -> str:
    """One SHA-256 over a manifest."""
    return hashlib.sha256(json.dumps(sorted(files.items())).encode()).hexdigest()


def changed_files(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    """Names that were added, removed or changed, sorted."""
    return tuple(sorted(name for name in {*before, *after} if before.get(name) != after.get(name)))


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes and executable bit, or of a symlink's target; "" if it is not there."""
    try:
        if path.is_symlink():
            return hashlib.sha256(b"link:" + os.fsencode(path.readlink())).hexdigest()
        plain = sha256(path)
        return hashlib.sha256(f"exec:{plain}".encode()).hexdigest() if os.access(path, os.X_OK) else plain
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return ""


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _walk(top: Path, exclude: Collection[str]) -> Iterator[str]:
    for folder, folders, files in os.walk(top):
        here = Path(folder)
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = [name for name in folders if name not in links and not _matches(name, exclude)]
        for name in (*files, *links):
            if not _matches(name, exclude):
                yield (here / name).relative_to(top).as_posix()


def _matches(name: str, patterns: Collection[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
