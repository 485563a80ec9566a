"""Where results are kept, and the secret that says which of them are the user's own.

The directory may be carried from machine to machine; the secret lies outside of it, or comes from a variable. Whoever
has both can make a result up, so nothing that is kept counts for an apply.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_tfpipeline.errors import UsageError

#: The directory, or `off`.
CACHE_VARIABLE = "TFPIPELINE_CACHE"
OFF = "off"
#: The secret, where a directory is carried between machines.
KEY_VARIABLE = "TFPIPELINE_CACHE_KEY"
_LEAST = 16
_BYTES = 32


@dataclass(frozen=True)
class Place:
    """`results` are of any machine with the same secret; `own` is of this machine and user alone."""

    results: Path
    own: Path
    secret: bytes


def find_place(environ: Mapping[str, str]) -> Place | None:
    """The place, made if need be; None where it is turned off, or there is no home directory, or none that is this
    user's alone. Raises UsageError for a secret that is too short to be one, and for a word that is no directory."""
    named = environ.get(CACHE_VARIABLE, "")
    own = _below(environ, "XDG_DATA_HOME", ".local/share")
    cache = Path(named).absolute() if named else _below(environ, "XDG_CACHE_HOME", ".cache")
    if named and named.lower() != OFF and os.sep not in named and not Path(named).is_dir():
        mend = f"`{OFF}` turns reuse off, and a directory that is to be made is `./{named}`"
        raise UsageError(f"there is no directory `{named}`", where=CACHE_VARIABLE, mend=mend)
    if named.lower() == OFF or cache is None or own is None:
        return None
    try:
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _private(cache / "results"):
            return None
        return Place(cache / "results", own, _secret(environ, own / "reuse.key"))
    except OSError:
        return None


def _below(environ: Mapping[str, str], variable: str, otherwise: str) -> Path | None:
    base = environ.get(variable) or (f"{environ['HOME']}/{otherwise}" if environ.get("HOME") else "")
    return Path(base) / "pytest-tfpipeline" if Path(base).is_absolute() else None


def _private(path: Path) -> bool:
    """Whether it is a directory that nobody but this user can write to."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = path.lstat()
    others = stat.S_IWGRP | stat.S_IWOTH
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & others


def _secret(environ: Mapping[str, str], path: Path) -> bytes:
    given = environ.get(KEY_VARIABLE, "")
    if given and len(given) < _LEAST:
        mend = "make one with `python -c 'import secrets; print(secrets.token_hex(32))'`"
        raise UsageError(f"is shorter than {_LEAST} characters", where=KEY_VARIABLE, mend=mend)
    return given.encode("utf-8", "surrogateescape") if given else _kept(path)


def _kept(path: Path) -> bytes:
    """The user's own secret; the first who needs it makes it, and all who come at the same time get the same."""
    if not path.exists():
        made = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(_BYTES))
        try:
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return _read(path)


def _read(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    with os.fdopen(descriptor, "rb") as file:
        info = os.fstat(descriptor)
        found = file.read(_BYTES + 1)
    if info.st_uid != os.geteuid() or stat.S_IMODE(info.st_mode) & 0o077 or len(found) != _BYTES:
        raise PermissionError(f"{path} is not a secret of this user's")
    return found
