"""Find a program: the one that the environment names, on PATH, in the plugin's tool directory, or installed there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_tfpipeline.errors import ToolError
from pytest_tfpipeline.model import Tool
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.tools.identify import identify, refuse_wrapper
from pytest_tfpipeline.tools.places import candidates
from pytest_tfpipeline.tools.programs import Program, program

if TYPE_CHECKING:
    from pytest_tfpipeline.tools.install import Installer


def find_tool(
    name: str,
    *,
    version: str | None,
    runner: Runner,
    install: bool = True,
    progress: Callable[[str], None] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Tool:
    """terraform, tofu, tflint, checkov, ruff or uv.

    `version` is the exact one asked for; with None anything not too old will do (of checkov the version whose
    hashes this package ships). What is there already costs no connection. Raises ToolError, with the command that
    mends it, for a program that is missing, has the wrong version, or is a wrapper.
    """
    wanted = program(name)
    if version is not None:
        _refuse_old(wanted, version, None)
    environ = runner.environ if environ is None else environ
    named = environ.get(wanted.variable)
    if named:
        return _named(wanted, Path(named).absolute(), version, runner)
    others = []
    for path in candidates(name, environ):
        refuse_wrapper(wanted, path)
        try:
            tool = identify(wanted, path, runner)
        except ToolError as error:
            # A version manager's shim, for one, of a version that is not installed.
            others.append(f"{path}: {error.what}")
            continue
        if _is_it(wanted, tool, version):
            return _new_enough(wanted, tool)
        others.append(f"{path} is {tool.version}")
    from pytest_tfpipeline.tools.install import Installer

    return _own(wanted, version, Installer(runner, environ, progress or _silent), others, install=install)


def _silent(_line: str) -> None:
    """Progress that nobody wants."""


def _named(wanted: Program, path: Path, version: str | None, runner: Runner) -> Tool:
    """The program that the user named counts, whatever else is there."""
    refuse_wrapper(wanted, path)
    tool = identify(wanted, path, runner)
    if version is not None and tool.version != version:
        what = f"{wanted.variable} names version {tool.version}, but {version} is asked for"
        raise ToolError(what, where=str(path), mend=wanted.mending(version))
    return _new_enough(wanted, tool)


def _is_it(wanted: Program, tool: Tool, version: str | None) -> bool:
    exact = version or (wanted.default if wanted.strict else None)
    return exact is None or tool.version == exact


def _new_enough(wanted: Program, tool: Tool) -> Tool:
    _refuse_old(wanted, tool.version, tool.path)
    return tool


def _refuse_old(wanted: Program, version: str, path: str | None) -> None:
    if wanted.too_old(version):
        what = f"{wanted.name} {version} is too old: {wanted.minimum} or newer is needed"
        raise ToolError(what, where=path, mend=wanted.mending(None))


def _own(wanted: Program, version: str | None, installer: Installer, others: list[str], *, install: bool) -> Tool:
    """The plugin's own, installed if need be; `others` says what else is there."""
    exact = version or wanted.default
    try:
        path = installer.place(wanted.name, exact)
        if not path.exists():
            if not install or wanted.name == "uv":
                raise ToolError("it is not installed")
            path = installer.install(wanted.name, exact)
    except ToolError as error:
        what = "; ".join([f"{wanted.name} {exact} is missing", *others, str(error)])
        raise ToolError(what, mend=wanted.mending(version)) from None
    return identify(wanted, path, installer.runner)
