"""Write files that only the user may read, whole or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pytest_tfpipeline.errors import WorkspaceError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_BAD_NAME = {errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL}


def make_private(path: Path) -> Path:
    """Make the directory, and those above it that are missing, with mode 0700; returns it."""
    with explain_disk(path):
        missing = [folder for folder in (path, *path.parents) if not folder.exists()]
        for folder in reversed(missing):
            with suppress(FileExistsError):
                folder.mkdir(mode=0o700)
    return path


def write_private(path: Path, data: str | bytes) -> Path:
    """Write the file with mode 0600, atomically: a reader sees the old one or the new one. Returns it."""
    return _write(path, data, None)


def write_shared(path: Path, data: str | bytes) -> Path:
    """The same for a file of the user's tree: it keeps its mode, and a new one is for everybody to read."""
    with explain_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o644
    return _write(path, data, mode)


def _write(path: Path, data: str | bytes, mode: int | None) -> Path:
    raw = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
    with explain_disk(path):
        # mkstemp makes the file 0600.
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:40]}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(raw)
            if mode is not None:
                Path(name).chmod(mode)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    return path


@contextmanager
def explain_disk(path: Path) -> Iterator[None]:
    """Turn "no space left" and "not permitted" below `path` into a WorkspaceError that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise WorkspaceError(
                f"the disk is full ({_free(path)} free)",
                where=str(path),
                mend="free some space, or put the output elsewhere with --tf-output DIR",
            ) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise WorkspaceError(
                f"cannot be written: {error.strerror}",
                where=str(error.filename or path),
                mend="give this user the right to write there, or use --tf-output DIR",
            ) from error
        if isinstance(error, (FileNotFoundError, NotADirectoryError)) or error.errno in _BAD_NAME:
            raise WorkspaceError(
                f"cannot be made: {error.strerror}",
                where=str(error.filename or path),
                mend="use a directory that can be made: --tf-output DIR",
            ) from error
        raise


def _free(path: Path) -> str:
    for folder in (path, *path.parents):
        with suppress(OSError):
            return f"{shutil.disk_usage(folder).free / 2**20:.1f} MiB"
    return "nothing known"
