"""The pytest plugin: thin hooks over an engine that does not know pytest.

This module is what pytest imports at every start, in every repository, so it imports nothing but pytest. Whatever
costs is imported by the hook that needs it.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the `tfpipeline` options."""
    from pytest_tfpipeline.plugin.options import add_options

    add_options(parser)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Show the listing instead of running; run on all cores when a plan or an apply is asked for."""
    option = config.option
    if option.tf_list and not (option.help or option.version):
        from pytest_tfpipeline.plugin.listing import show_listing

        shown = show_listing(config)
        yield_listing = shown
    else:
        yield_listing = None
        if option.tf_plan or option.apply_env:
            from pytest_tfpipeline.plugin.parallel import use_all_cores

            use_all_cores(config)
    return (yield) if yield_listing is None else yield_listing


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin objects of this process's role, if there is Terraform here."""
    from pytest_tfpipeline.plugin.activate import activate

    activate(config)
