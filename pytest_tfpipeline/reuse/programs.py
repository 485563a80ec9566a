"""The programs that results were made with, as far as they can be told apart from others.

A script that starts another program (a version manager's, a wrapper of the user's) says nothing about that one: what it
answers is not kept. What a program is, is remembered by its place, inode, size and times of change, on this machine
alone: starting and hashing it would cost more than all the rest.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.errors import ToolError
from pytest_tfpipeline.model import Tool
from pytest_tfpipeline.reuse.entries import Entries
from pytest_tfpipeline.reuse.tree import Unknowable
from pytest_tfpipeline.tools.identify import Seen, recall, seen
from pytest_tfpipeline.warm.service import interpreter

_MAGIC = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
_REMEMBERED = "programs"
#: Seconds that a file must have been left alone: within the clock's grain, a change would not be seen.
_QUIET = 10.0


def program_of(ctx: Context, name: str, directory: str) -> dict[str, object]:
    """Version and content of the program that judges that directory. Raises Unknowable."""
    tool = _found(ctx, name, directory)
    found: dict[str, object] = {"name": name, "version": tool.version, "sha256": tool.sha256}
    if name == "checkov":
        return found | {"packages": _packages(Path(tool.path))}
    if not is_plain(Path(tool.path), name):
        raise Unknowable(f"{tool.path} may start another program")
    return found


def is_plain(path: Path, name: str) -> bool:
    """Whether it is a binary of that name, and no script, and no shim that is a link to a version manager."""
    try:
        real = path.resolve()
        with real.open("rb") as file:
            return file.read(4) in _MAGIC and real.name.startswith(name)
    except OSError:
        return False


def remember(entries: Entries) -> None:
    """Keep what this process found programs to be, for the next."""
    now = time.time()
    kept = [
        [list(key), tool.name, tool.version, tool.path, tool.sha256]
        for key, tool in seen().items()
        if is_plain(Path(tool.path), tool.name) and now - max(key.changed, key.modified) / 1e9 > _QUIET
    ]
    text = json.dumps(sorted(kept))
    if kept and entries.get(_REMEMBERED) != text:
        entries.put(_REMEMBERED, text)


def recollect(entries: Entries) -> None:
    """Know again what an earlier process found."""
    text = entries.get(_REMEMBERED)
    if text is not None:
        recall({Seen(*key): Tool(*fields) for key, *fields in json.loads(text)})


def _found(ctx: Context, name: str, directory: str) -> Tool:
    """Without installing anything: what is not there has not answered anything here either."""
    try:
        return ctx.terraform_there(directory) if name in ("terraform", "tofu") else ctx.tool_there(name)
    except ToolError as error:
        raise Unknowable(f"{name} is not there yet: {error.what}") from None


def _packages(program: Path) -> Mapping[str, object]:
    """What is installed beside checkov: its own files are only a part of it."""
    python = interpreter(program)
    if python is None:
        raise Unknowable(f"{program} is not the program of an environment")
    places = sorted(python.parent.parent.glob("lib/python*/site-packages"))
    return {place.parent.name: sorted(path.name for path in place.glob("*.dist-info")) for place in places}
