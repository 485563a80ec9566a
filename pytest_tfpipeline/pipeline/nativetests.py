"""What the configuration says about files of native tests. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tfpipeline.config.durations import seconds
from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.match import native_test_config
from pytest_tfpipeline.model import Repository


def native_test_settings(config: Config, repository: Repository) -> dict[str, dict[str, object]]:
    """The emulator, var files and limit (in seconds) of each file that is run, and what the table that says so is
    called."""
    found = {file: native_test_config(config, file) for file in native_tests(repository)}
    wrapped = {file: passed for files, _, passed in _wrapped(repository) for file in files}
    table = f"[[{config.prefix if config.source else 'tool.tfpipeline.'}test]]"
    return {
        file: {
            "emulator": entry.emulator,
            "var_files": list(entry.var_files or wrapped.get(file, ())),
            "timeout": seconds(entry.timeout),
            "table": table,
        }
        for file, entry in found.items()
        if entry.run
    }


def native_test_notes(config: Config, repository: Repository) -> Iterator[str]:
    """Notes that name the files which the configuration leaves out, and the wrappers whose var files are taken."""
    left = [file for file in native_tests(repository) if not native_test_config(config, file).run]
    if left:
        yield f"native tests that are not run here (`run = false`): {', '.join(left)}"
    places = [
        place
        for files, place, _ in _wrapped(repository)
        if any(not native_test_config(config, file).var_files for file in files)
    ]
    if places:
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        passes = "pass" if more else "passes"
        yield f"native tests get the var files that {places[0]}{more} {passes}; `var_files` of a [[test]] says others"


def _wrapped(repository: Repository) -> Iterator[tuple[tuple[str, ...], str, tuple[str, ...]]]:
    """Files of native tests, the line of the wrapper beside them that runs them, and the var files that it passes."""
    for directory, files in repository.tests.items():
        if directory in repository.test_var_files:
            yield files, *repository.test_var_files[directory]


def native_tests(repository: Repository) -> tuple[str, ...]:
    """Every file of native tests, by its path."""
    return tuple(file for files in repository.tests.values() for file in files)
