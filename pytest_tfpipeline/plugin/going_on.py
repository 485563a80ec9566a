"""A repository as it is: what is broken in one place is said there, and the rest of the run goes on.

Not in a run that can apply: nothing would come of it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfpipeline.model import Run
from pytest_tfpipeline.plugin.narrowing import is_committed
from pytest_tfpipeline.plugin.place import has_terraform, top_of


def goes_on_without(early_config: pytest.Config, error: BaseException) -> bool:
    """Whether pytest may start although a conftest.py cannot be imported: for a listing, and where it is only that of a
    directory, whose collection will fail. The one at the top is everybody's."""
    path = getattr(error, "path", None)
    if type(error).__name__ != "ConftestImportFailure" or not isinstance(path, Path):
        return False
    top = top_of(early_config.rootpath)
    if early_config.known_args_namespace.tf_list:
        return True
    return path.parent not in (top, early_config.rootpath) and has_terraform(top)


def go_on(config: pytest.Config, run: Run) -> tuple[str, ...]:
    """Let the run go on behind tests that cannot be collected, unless some were chosen, and a plan also behind what the
    ini file would stop it at. Gives what the user should be told."""
    option, notes = config.option, []
    if run.can_apply:
        return ()
    if run.mode == "plan" or config.args_source is not pytest.Config.ArgsSource.ARGS:
        option.continue_on_collection_errors = True
    if run.mode == "plan" and option.maxfail and is_committed(config, "-x/--maxfail"):
        option.maxfail = 0
        file = config.inipath.name if config.inipath else "the ini file"
        notes.append(f"{file} stops at failures (-x or --maxfail); this run goes on, so that everything is judged")
    return tuple(notes)
