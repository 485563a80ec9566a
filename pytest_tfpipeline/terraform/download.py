"""Modules and providers that init has to fetch: where from, and for how long it may wait for nothing."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pytest_tfpipeline.model import Finding
from pytest_tfpipeline.process import Outcome, Stall
from pytest_tfpipeline.terraform.call import Directory
from pytest_tfpipeline.terraform.diagnostics import failure
from pytest_tfpipeline.workspace import make_private, root_file_name

#: Seconds without a byte after which a module's server is given up; neither git nor terraform does that by itself
#: where a connection is accepted and never answered.
STALLED = 20.0
_MODULE = re.compile(r'^[ \t]*module[ \t]+"[^"\n]*"[ \t]*\{(.*?)^[ \t]*\}', re.MULTILINE | re.DOTALL)
_SOURCE = re.compile(r'^[ \t]*source[ \t]*=[ \t]*"(?!\.\.?/)([^"\n]+)"', re.MULTILINE)


def has_remote_modules(directory: Directory) -> bool:
    """Whether the root, or a local module that it calls, seems to call a module that is not in the tree."""
    root = directory.root
    folders = (directory.dir, *(root.modules if root else ()))
    files = (file for folder in folders for file in (directory.copy / folder).glob("*.t*") if file.is_file())
    return any(_calls_elsewhere(file.name, file.read_text("utf-8", "replace")) for file in files)


def _calls_elsewhere(name: str, text: str) -> bool:
    if name.endswith((".tf", ".tofu")):
        return any(_SOURCE.search(block[1]) for block in _MODULE.finditer(text))
    return name.endswith((".tf.json", ".tofu.json")) and any(
        not source.startswith(("./", "../")) for source in _json_sources(text)
    )


def _json_sources(text: str) -> Iterator[str]:
    """What `"module": {"NAME": {"source": ...}}` names, each block alone or in a list."""
    try:
        blocks = dict(json.loads(text).get("module", {})).values()
    except (ValueError, TypeError, AttributeError):
        return
    for block in blocks:
        for each in block if isinstance(block, list) else [block]:
            if isinstance(each, dict) and isinstance(each.get("source"), str):
                yield each["source"]


def stall_of(directory: Directory) -> Stall | None:
    """Ends an init in which no byte of a module comes any more. Once terraform has written its list of modules, and
    goes on to backend and providers, only the ordinary timeout holds."""
    modules = directory.cwd / ".terraform" / "modules"
    if (modules / "modules.json").exists() or not has_remote_modules(directory):
        return None
    temporary = temporary_path(directory)

    def pulse() -> object:
        return object() if (modules / "modules.json").exists() else _size(modules) + _size(temporary)

    return Stall(STALLED, pulse)


def temporary_path(directory: Directory) -> Path:
    """Where archives are put before they are unpacked: watched, so it is the run's own."""
    return make_private(directory.ctx.workspace.path / "tmp" / directory.copy.name / root_file_name(directory.dir))


def stalled_finding(directory: Directory, outcome: Outcome) -> Finding:
    """What was being fetched, and what to do."""
    last = [line for line in outcome.stdout.splitlines() if "Downloading" in line][-1:]
    what = f"\n{_message(last[0])}" if last else ""
    text = (
        f"A module cannot be had: not a byte of it has come for {outcome.limit:g} seconds.{what}\n"
        "-> Check the module's `source`, and that this machine can reach its server."
    )
    return failure("no-module", text, file=directory.root.anchor if directory.root else None)


def _message(line: str) -> str:
    try:
        return str(json.loads(line)["@message"])
    except (ValueError, LookupError, TypeError):
        return line


def _size(folder: Path) -> int:
    """Bytes of all files below, as far as they can be seen while somebody else writes them."""
    total = 0
    for here, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):
                total += (Path(here) / name).lstat().st_size
    return total
