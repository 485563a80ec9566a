"""The kept results as files: one each, written whole or not at all, believed only with a seal of the user's secret."""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pytest_tfpipeline.errors import WorkspaceError
from pytest_tfpipeline.workspace.write import write_private

#: Bytes that all of them may take; the oldest go first.
ROOM = 64 * 1024**2
#: Bytes of one of them.
LARGEST = 4 * 1024**2
#: Seconds after which one that is taken counts as new again, and after which what a killed run left is removed.
_TOUCH = _LEFT_OVER = 3600.0
_LABEL = b"pytest-tfpipeline result 1"
_SEAL = 64


class Entries:
    """Sealed texts by name. Whatever is wrong with one of them, it is as if it were not there."""

    def __init__(self, directory: Path, secret: bytes, room: int = ROOM) -> None:
        self._directory, self._secret, self._room = directory, secret, room

    def name(self, description: str) -> str:
        """The name of what is described. Without the secret, nobody can tell one from the other."""
        return self._mac(b"name", description.encode("utf-8", "surrogatepass"))

    def get(self, name: str) -> str | None:
        """The text, if it is there and ours."""
        path = self._directory / name
        try:
            raw = _read(path)
            seal, payload = raw[:_SEAL], raw[_SEAL:]
            if not hmac.compare_digest(seal, self._seal(name, payload)):
                return None
            if time.time() - path.stat().st_mtime > _TOUCH:
                os.utime(path)
            return payload.decode()
        except (OSError, UnicodeDecodeError):
            return None

    def put(self, name: str, text: str) -> None:
        """Keep it. A directory that cannot be written is no error: the next run makes the result anew."""
        payload = text.encode("utf-8", "surrogatepass")
        if len(payload) + _SEAL <= LARGEST:
            with suppress(WorkspaceError, OSError):
                write_private(self._directory / name, self._seal(name, payload) + payload)

    def shrink(self) -> None:
        """Remove the oldest until the others have room, and what was left of writes that never ended."""
        now = time.time()
        found = sorted((info.st_mtime, info.st_size, path) for path, info in self._files())
        total = sum(size for _, size, _ in found)
        for changed, size, path in found:
            left_over = path.name.startswith(".") and now - changed > _LEFT_OVER
            if total > self._room or left_over:
                total -= size
                with suppress(OSError):
                    path.unlink()

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        with suppress(OSError), os.scandir(self._directory) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.is_file(follow_symlinks=False):
                        yield Path(entry.path), entry.stat(follow_symlinks=False)

    def _seal(self, name: str, payload: bytes) -> bytes:
        return self._mac(name.encode(), payload).encode()

    def _mac(self, what: bytes, data: bytes) -> str:
        return hmac.new(self._secret, b"\0".join((_LABEL, what, data)), hashlib.sha256).hexdigest()


def _read(path: Path) -> bytes:
    """The file's bytes, if it is this user's and nobody else's; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        info = os.fstat(descriptor)
        if not stat.S_ISREG(info.st_mode) or info.st_uid != os.geteuid() or stat.S_IMODE(info.st_mode) & 0o077:
            raise PermissionError(f"{path} is not this user's own")
        if info.st_size > LARGEST:
            raise OSError(f"{path} is too large")
        return file.read(LARGEST + 1)
