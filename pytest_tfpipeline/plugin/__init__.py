"""The pytest plugin: thin hooks over an engine that does not know pytest.

This module is what pytest imports at every start, in every repository, so it imports nothing that pytest has not
imported itself. Whatever costs is imported by the hook that needs it.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import suppress
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

import pytest


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the `tfpipeline` options, and the command that one of them is."""
    if Unrewritten not in sys.meta_path:
        sys.meta_path.insert(0, Unrewritten)
    from pytest_tfpipeline.plugin.options import add_options

    add_options(parser)
    pluginmanager.register(Listing(), "tfpipeline-listing")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, object, object]:
    """Keep a suite's conftest.py out of this process, also where one of the suite's tests was named, and do not fail
    for one that is only a directory's."""
    if early_config.known_args_namespace.file_or_dir:
        from pytest_tfpipeline.plugin.activate import pass_over_suites

        pass_over_suites(early_config)
    try:
        return (yield)
    except Exception as error:
        from pytest_tfpipeline.plugin.going_on import goes_on_without

        if not goes_on_without(early_config, error):
            raise
        return None


@pytest.hookimpl(wrapper=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Run on all cores when a plan, an apply or a baseline is asked for. A wrapper, to be before pytest-xdist, and to
    end in order what is interrupted before pytest looks after that."""
    if not (config.option.tf_plan or config.option.apply_env or config.option.tf_baseline):
        return (yield)
    try:
        from pytest_tfpipeline.lasting import lasting_imports

        with lasting_imports():
            from pytest_tfpipeline.plugin.parallel import use_all_cores

        use_all_cores(config)
        return (yield)
    except KeyboardInterrupt:
        with suppress(ValueError):  # not the main thread
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        from pytest_tfpipeline.plugin.interrupts import end_interrupted

        return end_interrupted(config)


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin objects of this process's role, if there is Terraform here."""
    from pytest_tfpipeline.plugin.activate import activate

    activate(config)


class Unrewritten:
    """Finds this package's modules before pytest's finder does, which would rewrite their asserts: they have none, and
    wherever its work cannot be kept (a read-only installation, PYTHONDONTWRITEBYTECODE) it costs a second a process."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """As Python itself finds it."""
        return PathFinder.find_spec(name, path, target) if name.startswith("pytest_tfpipeline.") else None


class Listing:
    """`--tf-list` takes the place of a run."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int | None:
        """Show the listing, if it is asked for."""
        if not config.option.tf_list or config.option.help or config.option.version:
            return None
        from pytest_tfpipeline.plugin.listing import show_listing

        return show_listing(config)
