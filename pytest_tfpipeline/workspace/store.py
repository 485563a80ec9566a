"""Results that a run computes once, whichever of its processes needs them first."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from filelock import FileLock

from pytest_tfpipeline.codec import dumps, loads
from pytest_tfpipeline.workspace.write import explain_disk, make_private, write_private

T = TypeVar("T")


def file_name(key: str) -> str:
    """Any text as one file name; different texts give different names."""
    name = quote(key, safe=" ()[]{}@,=+", errors="surrogateescape")
    if name.strip(".") and len(name) <= 120:
        return name
    return f"{name.strip('.')[:80]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"


class Store:
    """JSON files (mode 0600) under one directory, each with a lock of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def once(self, key: str, kind: type[T], make: Callable[[], T]) -> T:
        """The kept value, or the one that `make` gives now."""
        with self.locked(key):
            found = self.get(key, kind)
            if found is not None:
                return found
            value = make()
            self.put(key, value)
            return value

    def get(self, key: str, kind: type[T]) -> T | None:
        """The kept value, or None."""
        try:
            return loads(kind, self._file(key).read_bytes())
        except FileNotFoundError:
            return None

    def put(self, key: str, value: object) -> None:
        """Keep the value, in place of an earlier one."""
        make_private(self._path)
        write_private(self._file(key), dumps(value))

    @contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Hold the key's lock, against other processes and threads alike."""
        make_private(self._path)
        lock = FileLock(self._path / f"{file_name(key)}.lock", mode=0o600, thread_local=False)
        with explain_disk(self._path):
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _file(self, key: str) -> Path:
        return self._path / f"{file_name(key)}.json"
