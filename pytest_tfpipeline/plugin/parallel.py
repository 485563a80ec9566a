"""How many workers a run gets when nobody has said."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

from pytest_tfpipeline.plugin.state import is_worker

#: Bytes that one worker may need at its peak: terraform and the largest provider of the field.
WORKER_MEMORY = 1024**3


def use_all_cores(config: pytest.Config) -> None:
    """Make `-n auto` the default, unless pytest-xdist is not there or was told something else.

    Raises pytest.UsageError for an option of pytest-xdist that no plan can be made with.
    """
    option = config.option
    if getattr(option, "looponfail", False):
        raise pytest.UsageError("--looponfail runs for ever: give it neither --tf-plan nor --apply-env")
    if is_worker(config) or not hasattr(option, "numprocesses"):
        return
    untouched = option.numprocesses is None and option.dist == "no" and not option.tx
    if untouched and not option.usepdb and not option.collectonly:
        option.numprocesses = "auto"
        option.tf_scheduler = True
        config.pluginmanager.register(MemoryLimit(), "tfpipeline-memory")
    elif option.dist == "no":
        option.tf_scheduler = True


class MemoryLimit:
    """Keeps `-n auto` from starting more providers than fit into memory."""

    @pytest.hookimpl(wrapper=True, optionalhook=True)
    def pytest_xdist_auto_num_workers(self) -> Generator[None, int | None, int | None]:
        """The number pytest-xdist came to, or fewer."""
        found = yield
        return found if found is None else max(1, min(found, available_memory() // WORKER_MEMORY))


def room() -> int:
    """How many processes of a worker's size run well at the same time."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, available_memory() // WORKER_MEMORY))


def available_memory() -> int:
    """Bytes of memory that are free or can be freed; a great number where the system does not tell."""
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") + _reclaimable()
    except (ValueError, OSError):
        return 1 << 62


def _reclaimable() -> int:
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            sizes = dict(line.split(":", 1) for line in lines)
    except OSError:
        return 0
    return int(sizes.get("Cached", "0 kB").split()[0]) * 1024
