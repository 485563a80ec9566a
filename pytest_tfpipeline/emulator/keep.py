"""The kept state of an emulated cloud as a file: who may use it, whether it can be trusted, how it is replaced.

The payload is a pickle, and a pickle is code. So a file is read only if it is a regular file of this user that nobody
else can read or write, and only what this version of Python and moto wrote, whole, is handed on.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
import sys
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pytest_tfpipeline.errors import EmulatorError, UsageError

_FORMAT = "pytest-tfpipeline emulated cloud 1"
_SUFFIX = ".state"
_HEADER_LIMIT = 4096
#: Seconds that a cloud whose controller was killed gets to write its state before a new one gives up on it.
_LAST_WORDS = 10.0


def state_path(output_path: Path, environment: str) -> Path:
    """Where the cloud of `environment` is kept between runs."""
    return output_path / "emulator" / f"{_file_name(environment)}{_SUFFIX}"


def reset(output_path: Path, environment: str | None = None) -> tuple[str, ...]:
    """Remove the kept state of one environment, or of all; returns the names of those that had one.

    Raises EmulatorError while a run uses it.
    """
    directory = output_path / "emulator"
    if directory.is_symlink():
        raise EmulatorError("is a symbolic link", where=str(directory), mend="remove the link")
    names = _used(directory) if environment is None else (environment,)
    return tuple(name for name in names if _remove(state_path(output_path, name)))


def _used(directory: Path) -> tuple[str, ...]:
    """The environments that have a state, or a run that will make one."""
    files = [*directory.glob(f"*{_SUFFIX}"), *directory.glob(f"*{_SUFFIX}.lock")]
    return tuple(sorted({path.name.removesuffix(".lock").removesuffix(_SUFFIX) for path in files}))


def lock(path: Path) -> int:
    """Take the only right to write the state at `path`; returns the descriptor that holds it.

    The lock lives as long as any process has the descriptor open, so it is handed to the emulator's process, which
    may outlive a killed controller by the moment that it takes to save. Raises EmulatorError naming the holder.
    """
    deadline = time.monotonic() + _LAST_WORDS
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock_path = Path(f"{path}.lock")
    descriptor = _open_lock(lock_path)
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            holder = lock_path.read_text(encoding="ascii", errors="replace").strip()
            if _alive(holder) or time.monotonic() > deadline:
                os.close(descriptor)
                raise EmulatorError(
                    f"the emulated cloud is in use by process {holder or '(unknown)'}",
                    where=str(path),
                    mend="wait for that run to end, or end it; or give this run an output directory of its own "
                    "(--tf-output)",
                ) from None
            time.sleep(0.05)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def read(path: Path) -> bytes | None:
    """The payload that `write` kept at `path`, or None where there is no file.

    Raises EmulatorError, with why and what to do, where the file is not wholly ours.
    """
    found = _opened(path)
    return None if found is None else found[1]


def seed_of(path: Path) -> str:
    """The digest of the seed that the cloud kept at `path` was filled with; "" for none. Raises as `read` does."""
    found = _opened(path)
    return "" if found is None else str(found[0].get("seed", ""))


def _opened(path: Path) -> tuple[dict[str, Any], bytes] | None:
    """The header and the payload of a file that is wholly ours."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _refusal(path, "is a symbolic link" if path.is_symlink() else str(error.strerror)) from None
    with os.fdopen(descriptor, "rb") as file:
        objection = _ownership_objection(os.fstat(descriptor))
        if objection:
            raise _refusal(path, objection)
        header, payload = file.readline(_HEADER_LIMIT), file.read()
    told = _header(header)
    objection = _content_objection(told, payload)
    if objection:
        raise _refusal(path, objection)
    return told, payload


def write(path: Path, payload: bytes, seed: str = "") -> None:
    """Replace the file at `path` atomically, mode 0600; `seed` is what `seed_of` then gives. Raises OSError where it
    cannot be written."""
    told = _expected_header() | {"sha256": hashlib.sha256(payload).hexdigest(), "seed": seed}
    header = json.dumps(told).encode() + b"\n"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = Path(f"{path}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(header)
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _expected_header() -> dict[str, str]:
    python = ".".join(str(part) for part in sys.version_info[:2])
    return {"format": _FORMAT, "moto": version("moto"), "python": python, "cloudpickle": version("cloudpickle")}


def _ownership_objection(found: os.stat_result) -> str:
    """Why a file of that owner and mode is not read, or ""."""
    if not stat.S_ISREG(found.st_mode):
        return "is not a regular file"
    if found.st_uid != os.geteuid():
        return f"belongs to another user (uid {found.st_uid})"
    if found.st_mode & 0o077:
        return f"can be read or written by other users (mode {stat.S_IMODE(found.st_mode):04o}, not 0600)"
    if found.st_nlink != 1:
        return "has more than one name (hard links)"
    return ""


def _header(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _content_objection(found: dict[str, Any], payload: bytes) -> str:
    """Why what a file holds is not read, or ""."""
    if found.get("format") != _FORMAT:
        return "is not the state of an emulated cloud"
    for name, expected in _expected_header().items():
        if found.get(name) != expected:
            return f"was written with {name} {found.get(name)}, and this is {name} {expected}"
    if found.get("sha256") != hashlib.sha256(payload).hexdigest():
        return "is damaged (its checksum does not match)"
    return ""


def _refusal(path: Path, objection: str) -> EmulatorError:
    environment = path.name.removesuffix(_SUFFIX)
    return EmulatorError(
        f"the kept state of the emulated cloud {objection}, so it is not loaded",
        where=str(path),
        mend=f"start with an empty cloud: python -m pytest_tfpipeline emulator reset {environment}",
    )


def _remove(path: Path) -> bool:
    """Remove a state under its lock; whether there was one. A run that has not kept its state yet holds the lock."""
    if not _there(path) and not _there(Path(f"{path}.lock")):
        return False
    descriptor = lock(path)
    try:
        found = _there(path)
        path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)
    return found


def _there(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _open_lock(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise EmulatorError(
            f"cannot be opened: {error.strerror}", where=str(path), mend="remove it, or mend its owner and mode"
        ) from None


def _alive(holder: str) -> bool:
    """Whether the controller that took the lock still runs; if not, its emulator is about to end."""
    with suppress(ValueError, ProcessLookupError):
        os.kill(int(holder), 0)
        return True
    return False


def _file_name(environment: str) -> str:
    if not environment or environment.startswith(".") or "/" in environment or "\0" in environment:
        raise UsageError(f"{environment!r} is not the name of an environment", mend="give a plain name: staging")
    return environment
