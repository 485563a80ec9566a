"""Where programs are looked for, and where the plugin keeps its own."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from pytest_tfpipeline.errors import ToolError

#: The plugin's own tool directory.
TOOLS_VARIABLE = "TFPIPELINE_TOOLS_DIR"


def candidates(name: str, environ: Mapping[str, str]) -> Iterator[Path]:
    """Executables of that name that are there already, in the order in which they count.

    ruff and uv beside this interpreter come first: the lock file of the project chose them.
    """
    seen = set()
    for directory in _directories(name, environ):
        path = directory / name
        if directory.is_absolute() and path not in seen and path.is_file() and os.access(path, os.X_OK):
            seen.add(path)
            yield path


def _directories(name: str, environ: Mapping[str, str]) -> Iterator[Path]:
    if name in {"ruff", "uv"}:
        yield Path(sys.executable).parent
    if name == "uv":
        import uv

        with suppress(FileNotFoundError):
            yield Path(uv.find_uv_bin()).parent
    yield from (Path(entry) for entry in environ.get("PATH", "").split(os.pathsep) if entry)
    if name in {"tflint", "tofu"}:
        yield from _go_directories(environ)


def _go_directories(environ: Mapping[str, str]) -> Iterator[Path]:
    """Where Go puts programs."""
    if environ.get("GOBIN"):
        yield Path(environ["GOBIN"])
    yield from (Path(entry) / "bin" for entry in environ.get("GOPATH", "").split(os.pathsep) if entry)
    if environ.get("HOME"):
        yield Path(environ["HOME"]) / "go/bin"


def tool_directory(environ: Mapping[str, str]) -> Path:
    """The plugin's own tool directory, made if need be: per user, shared by repositories.

    Without a home directory that can be written to it is one of the user's own below the temporary directory.
    Raises ToolError where there is no place at all.
    """
    named = environ.get(TOOLS_VARIABLE)
    if named:
        if _usable(Path(named).absolute()):
            return Path(named).absolute()
        raise ToolError("this directory cannot be written to", where=f"{TOOLS_VARIABLE}={named}")
    data_home = environ.get("XDG_DATA_HOME") or (f"{environ['HOME']}/.local/share" if environ.get("HOME") else "")
    place = Path(data_home) / "pytest-tfpipeline/tools"
    if place.is_absolute() and _usable(place):
        return place
    place = Path(tempfile.gettempdir()) / f"pytest-tfpipeline-{os.getuid()}"
    if not place.is_symlink() and _usable(place):
        return place
    mend = f"Set {TOOLS_VARIABLE} to a directory that can be written to."
    raise ToolError("there is no directory to install tools into", mend=mend)


def _usable(place: Path) -> bool:
    """Whether it can be written to by this user, and by no other (what is in it will be run)."""
    with suppress(OSError):
        place.mkdir(parents=True, exist_ok=True, mode=0o700)
        info = place.stat()
        mine = info.st_uid == os.getuid() and not info.st_mode & stat.S_IWOTH
        return mine and os.access(place, os.W_OK | os.X_OK)
    return False
