"""What a run of all tests with workers does so that it takes less time.

What the processes of the tests import is compiled once, before the first of them starts. Thousands of them start, and
none may write what it compiles (its repository is looked at afterwards): without this each compiles everything anew,
unless the environment was made by `uv sync --compile-bytecode`.

Files that take long are begun first: pytest-xdist begins those with the most tests, and at the end one worker would be
alone with a test that takes half a minute.
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

#: Files with a test or a fixture of more than ten seconds.
_LONG = (
    "test_differential_corpus.py",
    "test_project_workflows.py",
    "test_plugin_emulated.py",
    "test_promotion_waves.py",
    "test_emulator_terraform.py",
    "test_emulator_types.py",
    "test_waves_real.py",
)
#: Directories of which nearly every test is a run of its own.
_SLOW = ("attacks", "promotion", "plugin", "badinput", "warm")


def pytest_configure(config: pytest.Config) -> None:
    """Compile, and keep the order, in the controller of a run that has workers; a few tests do not wait for it."""
    if getattr(config.option, "numprocesses", None):
        writes = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        subprocess.run([sys.executable, "-c", _IMPORTS_ALL], env=writes, check=True)
        config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first, then slow directories; the rest fills up what the workers have left."""
    items.sort(key=lambda item: (item.path.name not in _LONG, item.path.parent.name not in _SLOW))
