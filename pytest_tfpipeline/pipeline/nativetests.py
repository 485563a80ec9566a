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
    table = f"[[{config.prefix if config.source else 'tool.tfpipeline.'}test]]"
    return {
        file: {
            "emulator": entry.emulator,
            "var_files": list(entry.var_files),
            "timeout": seconds(entry.timeout),
            "table": table,
        }
        for file, entry in found.items()
        if entry.run
    }


def native_test_notes(config: Config, repository: Repository) -> Iterator[str]:
    """A note that names the files which the configuration leaves out."""
    left = [file for file in native_tests(repository) if not native_test_config(config, file).run]
    if left:
        yield f"native tests that are not run here (`run = false`): {', '.join(left)}"


def native_tests(repository: Repository) -> tuple[str, ...]:
    """Every file of native tests, by its path."""
    return tuple(file for files in repository.tests.values() for file in files)
