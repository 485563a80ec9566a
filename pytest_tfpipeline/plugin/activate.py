"""Decide whether there is anything to do here, and register the plugin objects of this process's role."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import pytest

from pytest_tfpipeline.plugin.typed import join_paths
from pytest_tfpipeline.plugin.wishes import CHECK_MODE, asked_for

#: Endings of the files that make a repository one with Terraform.
_ENDINGS = (".tf", ".tf.json", ".tofu", ".tofu.json")
#: What makes a directory a Python project of its own.
_SUITE_MARKS = ("requirements*.txt", "pyproject.toml", "Pipfile", "Makefile")
_NOT_ENTERED = {".git", ".terraform", ".tfpipeline", "node_modules", ".venv", "venv", "__pycache__", "site-packages"}


def activate(config: pytest.Config) -> None:
    """Register everything on the controller; a worker follows what the controller hands it."""
    _register_markers(config)
    option = config.option
    if hasattr(config, "workerinput"):
        from pytest_tfpipeline.plugin.worker import join

        join(config)
        return
    if option.help or option.version or option.tf_list or option.markers or option.showfixtures:
        return
    join_paths(config)
    top = top_of(config.rootpath)
    wanted = asked_for(config) != CHECK_MODE
    if not wanted and not has_terraform(top):
        return
    if wanted and not has_terraform(top):
        raise pytest.UsageError(
            f"no Terraform in {top}: nothing ends in {', '.join(_ENDINGS)} and there is no [tool.tfpipeline]"
        )
    _interrupt_on_sigterm()
    from pytest_tfpipeline.plugin.controller import take_control

    take_control(config, top)


def top_of(path: Path) -> Path:
    """The repository that the path is in: the nearest directory upwards that has `.git`, else the path itself."""
    return next((one for one in (path, *path.parents) if (one / ".git").exists()), path)


def has_terraform(top: Path) -> bool:
    """Whether the repository is configured for us or has a file that terraform or tofu would read."""
    if (top / "tfpipeline.toml").exists():
        return True
    with contextlib.suppress(OSError):
        if b"[tool.tfpipeline" in (top / "pyproject.toml").read_bytes():
            return True
    for _, folders, files in os.walk(top):
        if any(name.endswith(_ENDINGS) for name in files):
            return True
        folders[:] = sorted(set(folders) - _NOT_ENTERED)
    return False


def pass_over_suites(early_config: pytest.Config) -> None:
    """Before anything is discovered: of an argument inside what looks like a suite, read no conftest.py yet.

    pytest reads those above its arguments at once; here they are read, if at all, when their directory is collected.
    """
    start = early_config.invocation_params.dir
    named = early_config.known_args_namespace.file_or_dir
    kept = [arg for arg in named if not _looks_inside_suite(Path(start, str(arg).split("::")[0]), start)]
    if len(kept) < len(named) and has_terraform(top_of(start)):
        early_config.known_args_namespace.file_or_dir = kept or [str(start)]


def _looks_inside_suite(path: Path, start: Path) -> bool:
    between = [one for one in path.parents if one != start and start in one.parents]
    return any(any(one.glob(pattern)) for one in between for pattern in _SUITE_MARKS)


def _register_markers(config: pytest.Config) -> None:
    from pytest_tfpipeline.plugin.markers import MARKERS

    for line in MARKERS:
        config.addinivalue_line("markers", line)


def _interrupt_on_sigterm() -> None:
    """SIGTERM ends a run as Ctrl-C does: without a handler it would leave terraform running, and its lock held."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    with contextlib.suppress(ValueError):  # not the main thread: whoever runs pytest there has handlers of its own
        signal.signal(signal.SIGTERM, interrupt)
