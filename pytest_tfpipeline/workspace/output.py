"""The output directory (`.tfpipeline`): whose it is, and what is left in it of earlier runs."""

from __future__ import annotations

import os
import shutil
import stat
import time
from contextlib import suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from pytest_tfpipeline.errors import WorkspaceError
from pytest_tfpipeline.workspace.write import explain_disk, write_private

_LOCK = "live.lock"
#: Seconds after which a directory that no run has marked as in use is one that was left before it could be.
_UNMARKED = 3600.0


def prepare_output(path: Path) -> Path:
    """Make the output directory, readable by this user alone and ignored by git; returns it.

    Raises WorkspaceError where something is there that is not ours: it would hold plans, and plans hold secrets.
    """
    with explain_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            path.mkdir(mode=0o700)
        except FileExistsError:
            _refuse_foreign(path)
            path.chmod(0o700)
        ignore = path / ".gitignore"
        if not ignore.is_file() or ignore.is_symlink():
            write_private(ignore, "*\n")
    return path


def hold(work_path: Path) -> BaseFileLock:
    """Mark the run's directory as in use until the lock is released or the process ends."""
    lock = FileLock(work_path / _LOCK, mode=0o600, thread_local=False)
    lock.acquire()
    return lock


def clean_old_runs(output_path: Path, keep: int) -> tuple[Path, ...]:
    """Remove earlier runs' directories but for the newest `keep`; returns what was removed.

    Never one in use, nor one where terraform left a state that it could not write (`errored.tfstate`).
    """
    runs = output_path / "runs"
    if not runs.is_dir() or runs.is_symlink():
        return ()
    found = []
    for path in runs.iterdir():
        with suppress(FileNotFoundError):  # another run cleans up, too
            if _is_own_folder(path):
                found.append((path.stat().st_mtime, path.name))
    return tuple(runs / name for age, name in sorted(found, reverse=True)[keep:] if _remove(runs / name, age))


def _remove(path: Path, made: float) -> bool:
    if not (path / _LOCK).exists() and time.time() - made < _UNMARKED:
        return False
    lock = FileLock(path / _LOCK, mode=0o600, thread_local=False)
    try:
        lock.acquire(timeout=0)
    except (Timeout, OSError):
        return False
    try:
        if _has_errored_state(path):
            return False
        shutil.rmtree(path, ignore_errors=True)
    finally:
        lock.release()
    return not path.exists()


def _has_errored_state(path: Path) -> bool:
    return any("errored.tfstate" in files for _, _, files in os.walk(path))


def _is_own_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _refuse_foreign(path: Path) -> None:
    found = path.lstat()
    mend = "remove it, or choose another place with --tf-output DIR"
    if stat.S_ISLNK(found.st_mode):
        raise WorkspaceError("is a symlink, and plans are not written through one", where=str(path), mend=mend)
    if not stat.S_ISDIR(found.st_mode):
        raise WorkspaceError("is not a directory", where=str(path), mend=mend)
    if found.st_uid != os.geteuid():
        raise WorkspaceError(f"belongs to another user (uid {found.st_uid})", where=str(path), mend=mend)
