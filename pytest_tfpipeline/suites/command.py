"""How a suite is run: argv and environment, pure but for a look at the suite's own configuration."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from pytest_tfpipeline.suites.layout import have_colliding_names
from pytest_tfpipeline.suites.pytest_ini import SuiteIni, own_ini

#: The directory, and the name, of the plugin that reports from inside the suite's pytest.
PLUGIN_DIRECTORY = Path(__file__).parent / "child"
PLUGIN = "tfpipeline_child"
EVENTS_VARIABLE = "TFPIPELINE_EVENTS"
WISHES_VARIABLE = "TFPIPELINE_CHILD"

#: Names of test files, unless the suite's own configuration says otherwise.
PYTHON_FILES = "test.py test_*.py *_test.py"


@dataclass(frozen=True, slots=True)
class PytestCall:
    """One call of a suite's pytest: `inner` are directories of suites inside it, `tests` its test files, `only` node
    ids or paths relative to it (none: all), `coverage` where to write its XML."""

    directory: Path
    inner: tuple[Path, ...] = ()
    tests: tuple[Path, ...] = ()
    only: tuple[str, ...] = ()
    coverage: Path | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The files and directories of `only`, each once."""
        return tuple(dict.fromkeys(each.partition("::")[0] for each in self.only))

    @property
    def renames(self) -> bool:
        """Whether its test files need names of their own, as pytest would take some for others."""
        ini = own_ini(self.directory)
        return not ini.mentions("import-mode") and not ini.mentions("import_mode") and have_colliding_names(self.tests)


def pytest_argv(python: Path, call: PytestCall, cache: Path) -> tuple[str, ...]:
    """pytest over one suite: its own configuration and conftest files and no others, not the suites inside it.

    The interpreter is not started with `-I`: what the suite imports is its own.
    """
    directory, ini = call.directory, own_ini(call.directory)
    argv = [str(python), "-m", "pytest", "-p", PLUGIN, "--rootdir", str(directory), "--confcutdir", str(directory)]
    argv += ["-c", str(ini.path or "/dev/null"), "-o", f"cache_dir={cache}"]
    if not ini.names_files:
        argv += ["-o", f"python_files={PYTHON_FILES}"]
    argv += [f"--ignore={path}" for path in call.inner]
    argv += ["--import-mode=importlib"] if call.renames else []
    return (*argv, *_coverage(call, ini), "--color=no", "-q", *call.files)


def _coverage(call: PytestCall, ini: SuiteIni) -> tuple[str, ...]:
    """A part of the tests says nothing about how much all of them cover."""
    if call.coverage is None:
        return ()
    if call.only:
        return ("--no-cov",)
    measured = () if ini.mentions("--cov") else ("--cov",)
    return (*measured, "--cov-report=term", f"--cov-report=xml:{call.coverage}")


def own_command(command: Sequence[str], programs: Path) -> tuple[str, ...]:
    """The suite's own command; a program that its environment has is taken from there."""
    first = programs / command[0]
    found = "/" not in command[0] and first.is_file()
    return (str(first) if found else command[0], *command[1:])


def junit_files(patterns: Sequence[str], command: Sequence[str], directory: Path, since: float) -> tuple[Path, ...]:
    """The JUnit files that the suite's own command wrote: those that were declared, else the one that its arguments
    name, else what looks like one."""
    named = patterns or _named(command)
    wanted = named or ("**/*junit*.xml", "**/TEST-*.xml", "**/*test-results*.xml")
    found = {path for pattern in wanted for path in _matching(directory, pattern)}
    return tuple(path for path in sorted(found) if path.is_file() and path.stat().st_mtime >= since - 1)


def _matching(directory: Path, pattern: str) -> Iterable[Path]:
    return [Path(pattern)] if pattern.startswith("/") else directory.glob(os.path.normpath(pattern))


def _named(command: Sequence[str]) -> tuple[str, ...]:
    options = ("--junitxml", "--junit-xml")
    apart = [after for word, after in pairwise(command) if word in options]
    joined = [word.partition("=")[2] for word in command if word.startswith(tuple(f"{one}=" for one in options))]
    return (*apart, *joined)
