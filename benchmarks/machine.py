"""Which machine it is, and which programs were measured."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.tools import find_tool

_GIB = 2**30


def describe() -> dict[str, str]:
    """Processor, memory, system, and the version of everything that takes part."""
    runner = Runner()
    tools = {name: find_tool(name, version=None, runner=runner).version for name in ("terraform", "tflint", "checkov")}
    packages = {name: version(name) for name in ("pytest-tfpipeline", "pytest", "pytest-xdist")}
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    machine = {
        "processors": f"{len(os.sched_getaffinity(0))} of {_processor()}",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
    }
    return machine | tools | packages


def _processor() -> str:
    with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
        fields: Mapping[str, str] = dict(_field(line) for line in lines if ":" in line)
    return fields.get("model name", platform.machine())


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()
