"""What the processes of all tests import is compiled once, before the first of them starts.

Thousands of them start, and none may write what it compiles (its repository is looked at afterwards): without this each
compiles everything anew, unless the environment was made by `uv sync --compile-bytecode`.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_IMPORTS_ALL = """
import compileall, importlib, pkgutil
import pytest_tfpipeline, xdist.looponfail, xdist.plugin, xdist.remote
for module in pkgutil.walk_packages(pytest_tfpipeline.__path__, "pytest_tfpipeline."):
    if not module.name.endswith(".__main__"):
        importlib.import_module(module.name)
import moto  # which imports a service when it is asked for it
compileall.compile_dir(moto.__path__[0], quiet=2)
"""


def pytest_configure(config: pytest.Config) -> None:
    """Compile, in the controller of a run that has workers; a run of a few tests does not wait for it."""
    if getattr(config.option, "numprocesses", None):
        writes = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        subprocess.run([sys.executable, "-c", _IMPORTS_ALL], env=writes, check=True)
