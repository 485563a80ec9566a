"""Which terraform a root asks for: `.terraform-version`, `.tool-versions` and `required_version`."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pytest_tfpipeline.errors import ToolError
from pytest_tfpipeline.model import Tool
from pytest_tfpipeline.tools.constraints import exact_version, satisfies


def wanted_terraform(directories: Iterable[Path], required_version: str = "") -> str | None:
    """The exact version asked for, or None where anything that `required_version` allows will do.

    `directories` are the root's and its parents, nearest first, up to the repository's top. A version manager's
    keyword (`latest`, `min-required`) is not an exact version.
    """
    for directory in directories:
        for found in (_terraform_version(directory), _tool_versions(directory)):
            if found is not None:
                return exact_version(found)
    return exact_version(required_version)


def require_version(tool: Tool, required_version: str, where: str) -> None:
    """Raise ToolError where the terraform found is not one that the root at `where` allows.

    What cannot be read as a constraint is left for terraform itself to refuse.
    """
    allowed = True
    with suppress(ValueError):
        allowed = satisfies(tool.version, required_version)
    if not allowed:
        mend = (
            f'Name a version that it allows under [tool.tfpipeline.tools] (terraform = "..."), or change '
            f"required_version. Found: {tool.path}."
        )
        what = f"terraform {tool.version} does not satisfy required_version = {required_version!r}"
        raise ToolError(what, where=where, mend=mend)


def _terraform_version(directory: Path) -> str | None:
    for line in _lines(directory / ".terraform-version"):
        return line
    return None


def _tool_versions(directory: Path) -> str | None:
    for line in _lines(directory / ".tool-versions"):
        name, *versions = line.split()
        if name == "terraform" and versions:
            return versions[0]
    return None


def _lines(path: Path) -> list[str]:
    """Lines without comments and blank ones; none where there is no such file."""
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return []
    return [line for raw in text.splitlines() if (line := raw.split("#")[0].strip())]
