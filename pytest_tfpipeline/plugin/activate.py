"""Decide whether there is anything to do here, and register the plugin objects of this process's role."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfpipeline.lasting import lasting_imports
from pytest_tfpipeline.plugin.beforehand import refuse_listing
from pytest_tfpipeline.plugin.place import ENDINGS, has_terraform, top_of
from pytest_tfpipeline.plugin.typed import join_paths
from pytest_tfpipeline.plugin.wishes import CHECK_MODE, asked_for

#: What makes a directory a Python project of its own.
_SUITE_MARKS = ("requirements*.txt", "pyproject.toml", "Pipfile", "setup.py", "Makefile")


def activate(config: pytest.Config) -> None:
    """Register everything on the controller; a worker follows what the controller hands it."""
    _register_markers(config)
    option = config.option
    if hasattr(config, "workerinput"):
        with lasting_imports():
            from pytest_tfpipeline.plugin.worker import join

        _take_interrupts_in_worker(config)
        join(config)
        return
    if option.help or option.version or option.tf_list or option.markers:
        return
    refuse_listing(config)
    if option.showfixtures:
        return
    join_paths(config)
    top = top_of(config.rootpath)
    wanted = asked_for(config) != CHECK_MODE or bool(option.tf_baseline)
    if not wanted and not has_terraform(top):
        return
    if wanted and not has_terraform(top):
        raise pytest.UsageError(
            f"no Terraform in {top}: nothing ends in {', '.join(ENDINGS)} and there is no [tool.tfpipeline]"
        )
    from pytest_tfpipeline.plugin.interrupts import Interrupts

    Interrupts(config, top).install()
    with lasting_imports():
        from pytest_tfpipeline.plugin.controller import take_control

    take_control(config, top)


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


def _take_interrupts_in_worker(config: pytest.Config) -> None:
    """Where the controller leads one of our runs: elsewhere pytest stays as it is."""
    from pytest_tfpipeline.plugin.interrupts import WorkerInterrupts
    from pytest_tfpipeline.plugin.state import WIRE_KEY

    if WIRE_KEY in config.workerinput:  # type: ignore[attr-defined]
        WorkerInterrupts(config).install()
