"""A repository as it is: what is broken in one place is said there, and the rest of the run goes on.

Not in a run that can apply: nothing would come of it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfpipeline.model import Run
from pytest_tfpipeline.plugin.conftests import culprit, remember
from pytest_tfpipeline.plugin.narrowing import is_committed
from pytest_tfpipeline.plugin.place import has_terraform, top_of


def goes_on_without(early_config: pytest.Config, error: BaseException) -> bool:
    """Whether pytest may start although a conftest.py cannot be loaded: where nothing can be applied, unless tests
    below it were named. It is noted, to be reported among the errors of the collection."""
    options, manager = early_config.known_args_namespace, early_config.pluginmanager
    path = None if options.apply_env else culprit(manager, error)
    if path is None or not has_terraform(top_of(early_config.rootpath)):
        return False
    start = early_config.invocation_params.dir
    named = [Path(start, str(arg).split("::")[0]) for arg in options.file_or_dir]
    if any(one.suffix == ".py" and path.parent in one.parents for one in named):
        return bool(options.tf_list)
    remember(early_config, path, error)
    return True


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
