"""What a program found is: its version, its checksum, and whether it is the real one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from pytest_tfpipeline.errors import ToolError
from pytest_tfpipeline.model import Tool
from pytest_tfpipeline.process import Request, Runner
from pytest_tfpipeline.tools.pinned import environment_name, installed_version, requirements_digest
from pytest_tfpipeline.tools.programs import Program, program

_VERSION = re.compile(r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?")
#: Those that say their version as JSON, each with the action that puts a wrapper in its place.
_SETUP_ACTIONS = {"terraform": "hashicorp/setup-terraform", "tofu": "opentofu/setup-opentofu"}
#: Asking for a version must neither read the user's settings nor make a connection.
_QUIET = {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": "/dev/null", "TFLINT_DISABLE_VERSION_CHECK": "1"}
_TIMEOUT = 60.0


class Seen(NamedTuple):
    """By what a file is known to be the same: any change of it changes one of these; times are in nanoseconds."""

    path: str
    device: int
    inode: int
    size: int
    modified: int
    changed: int


_known: dict[Seen, Tool] = {}


def seen() -> Mapping[Seen, Tool]:
    """What programs this process has found."""
    return dict(_known)


def recall(found: Mapping[Seen, Tool]) -> None:
    """Take what an earlier process of this user has found on this machine."""
    _known.update(found)


def identify(wanted: Program, path: Path, runner: Runner) -> Tool:
    """The tool at that path, remembered as long as the file is the same.

    Raises ToolError where it cannot be run or does not say its version.
    """
    try:
        info = path.stat()
        key = Seen(str(path), info.st_dev, info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)
        if key not in _known:
            version = _version(wanted, path, runner)
            _known[key] = Tool(wanted.name, version, str(path), _checksum(wanted, path))
    except OSError as error:
        raise ToolError(f"{error.strerror}", where=str(path), mend=wanted.mending(None)) from None
    return _known[key]


def checksum_now(tool: Tool) -> str:
    """What the checksum of a tool found earlier is at this moment, read anew; "" where it is gone."""
    try:
        return _checksum(program(tool.name), Path(tool.path))
    except OSError:
        return ""


def refuse_wrapper(wanted: Program, path: Path) -> None:
    """Raise ToolError for the script that hashicorp/setup-terraform puts in terraform's place
    (hashicorp/setup-terraform#20), and opentofu/setup-opentofu in OpenTofu's."""
    if wanted.name not in _SETUP_ACTIONS or not path.is_file():
        return
    action = _SETUP_ACTIONS[wanted.name]
    with path.open("rb") as file:
        first = file.readline(200)
    by_node = first.startswith(b"#!") and b"node" in first
    if by_node or (path.parent / f"{wanted.name}-bin").exists():
        what = f"this is the wrapper of {action}, which changes {wanted.name}'s output and exit codes"
        mend = f"Set `{wanted.name}_wrapper: false` in the step that uses {action}."
        raise ToolError(what, where=str(path), mend=mend)


def _version(wanted: Program, path: Path, runner: Runner) -> str:
    by_metadata = installed_version(path, wanted.name) if wanted.name == "checkov" else None
    if by_metadata:
        return by_metadata
    argument = ("version", "-json") if wanted.name in _SETUP_ACTIONS else ("--version",)
    request = Request((str(path), *argument), "/", env=_QUIET, unset=("TFLINT_CONFIG_FILE",), timeout=_TIMEOUT)
    outcome = runner.run(request)
    found = _VERSION.search(_said(wanted, outcome.stdout)) if outcome.ok else None
    if found is None:
        said = outcome.error or (outcome.stderr or outcome.stdout).strip()[:300] or f"exit code {outcome.code}"
        raise ToolError(f"it does not say its version: {said}", where=str(path), mend=wanted.mending(None))
    return found[0]


def _said(wanted: Program, stdout: str) -> str:
    if wanted.name not in _SETUP_ACTIONS:
        return stdout
    try:
        return str(json.loads(stdout)["terraform_version"])
    except (ValueError, LookupError, TypeError):
        return ""


def _checksum(wanted: Program, path: Path) -> str:
    """Of the program; of an environment of checkov its list of packages or of files, since the program itself is
    only a few lines that import them."""
    if wanted.name == "checkov":
        environment = path.parent.parent
        if environment.name == environment_name(wanted.name):
            return requirements_digest(wanted.name)
        records = list(path.resolve().parent.parent.glob("lib/python*/site-packages/checkov-*.dist-info/RECORD"))
        path = records[0] if records else path
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
