"""How a suite is run: argv and environment, pure but for a look at the suite's own configuration."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pytest_tfpipeline.suites.pytest_ini import own_ini

#: The directory, and the name, of the plugin that reports from inside the suite's pytest.
PLUGIN_DIRECTORY = Path(__file__).parent / "child"
PLUGIN = "tfpipeline_child"
EVENTS_VARIABLE = "TFPIPELINE_EVENTS"

#: Names of test files, unless the suite's own configuration says otherwise.
PYTHON_FILES = "test.py test_*.py *_test.py"


def pytest_argv(python: Path, directory: Path, inner: Iterable[Path], cache: Path) -> tuple[str, ...]:
    """pytest over one suite: its own configuration and conftest files and no others, not the suites inside it.

    The interpreter is not started with `-I`: what the suite imports is its own.
    """
    ini = own_ini(directory)
    argv = [str(python), "-m", "pytest", "-p", PLUGIN, "--rootdir", str(directory), "--confcutdir", str(directory)]
    argv += ["-c", str(ini.path or "/dev/null"), "-o", f"cache_dir={cache}"]
    if not ini.names_files:
        argv += ["-o", f"python_files={PYTHON_FILES}"]
    argv += [f"--ignore={path}" for path in inner]
    return (*argv, "--color=no", "-q")


def own_command(command: Sequence[str], programs: Path) -> tuple[str, ...]:
    """The suite's own command; a program that its environment has is taken from there."""
    first = programs / command[0]
    found = "/" not in command[0] and first.is_file()
    return (str(first) if found else command[0], *command[1:])


def junit_files(command: Sequence[str], directory: Path, since: float) -> tuple[Path, ...]:
    """The JUnit files that the suite's own command wrote: the one its arguments name, else what looks like one."""
    for index, word in enumerate(command):
        for option in ("--junitxml", "--junit-xml"):
            if word == option and index + 1 < len(command):
                return _written((directory / command[index + 1],), since)
            if word.startswith(f"{option}="):
                return _written((directory / word.partition("=")[2],), since)
    found = {
        path for pattern in ("*junit*.xml", "TEST-*.xml", "*test-results*.xml") for path in directory.rglob(pattern)
    }
    return _written(sorted(found), since)


def _written(paths: Iterable[Path], since: float) -> tuple[Path, ...]:
    return tuple(path for path in paths if path.is_file() and path.stat().st_mtime >= since - 1)
