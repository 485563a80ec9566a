"""What one suite's environment is made of: files, Python, and the plugins that its own configuration asks for."""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pytest_tfpipeline.model import Suite
from pytest_tfpipeline.suites import locks
from pytest_tfpipeline.suites.pytest_ini import own_ini
from pytest_tfpipeline.suites.requirements import install_arguments, required_python, with_included

#: Files above a suite that hold what the tests of everything below need.
_SHARED = ("*requirements*test*.txt", "*requirements*dev*.txt", "test*requirements*.txt", "dev*requirements*.txt")

#: What a line of pytest's configuration looks like that only this plugin understands.
_PLUGINS = (
    (r"--cov\b|--no-cov\b", "pytest-cov"),
    (r"(?<![\w-])-n[ =]?(?:\d|auto|logical)|--numprocesses\b|--dist\b", "pytest-xdist"),
    (r"--timeout\b|^timeout\s*=", "pytest-timeout"),
    (r"--reruns\b", "pytest-rerunfailures"),
    (r"--asyncio-mode\b|^asyncio_(?:mode|default)\w*\s*=", "pytest-asyncio"),
    (r"--random-order\b", "pytest-random-order"),
    (r"--randomly\b|-p no:randomly", "pytest-randomly"),
    (r"--html\b", "pytest-html"),
    (r"--benchmark\b", "pytest-benchmark"),
    (r"--ds\b|^DJANGO_SETTINGS_MODULE\s*=", "pytest-django"),
    (r"^env(?:_files)?\s*=", "pytest-env"),
)
#: Fixtures of plugins that suites forget to name, since everybody has them.
_FIXTURES = ((re.compile(r"\bdef test_\w*\([^)]*\bmocker\b"), "pytest-mock"),)
#: A requirement that is a path: it means something else in another directory.
_LOCAL = re.compile(rb"^\s*-e\b|--editable|\./|file:|^\s*--find-links", re.MULTILINE)
_COMMENT = re.compile(rb"(?:^|\s)#.*$")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that the environment depends on."""

    #: uv's `--python`.
    python: str
    #: Its own files, relative to the tree: requirements, project files and locks.
    files: tuple[str, ...]
    arguments: tuple[str, ...]
    #: The text of a constraints file, from the locks.
    constraints: str
    #: Test requirements of a directory above; left out where they contradict the suite's own.
    shared: tuple[str, ...]
    #: The environment's name: changes with the content of any file it is made from, and with the Python.
    digest: str


def recipe_of(tree: Path, suite: Suite) -> Recipe:
    """The recipe for that suite of the tree."""
    python = suite.python or python_of(tree, suite.requirements)
    found = [name for name in _locks(suite) if (tree / name).is_file()]
    shared = _shared(tree, suite)
    plugins = [*_plugins(tree, suite), *(["pytest-cov"] if suite.coverage else [])]
    arguments = (*install_arguments(tree, suite.requirements), *dict.fromkeys(plugins))
    files = (*suite.requirements, *found)
    return Recipe(
        python=python,
        files=files,
        arguments=arguments,
        constraints=locks.constraints([tree / name for name in found]),
        shared=shared,
        digest=_digest(tree, (*files, *shared), (python, *plugins)),
    )


def python_of(tree: Path, requirements: Sequence[str]) -> str:
    """What uv is asked for as `--python`: this interpreter where the files allow it, else what they say."""
    required = required_python(tree, requirements)
    return sys.executable if required.contains(_own_version(), prereleases=True) else str(required)


def shared_arguments(tree: Path, recipe: Recipe) -> tuple[str, ...]:
    """What the files of directories above add to `uv pip install`."""
    return tuple(word for name in recipe.shared for word in ("-r", str(tree / name)))


def _locks(suite: Suite) -> list[str]:
    return [f"{suite.dir}/{name}" for name in locks.NAMES]


def _shared(tree: Path, suite: Suite) -> tuple[str, ...]:
    """The test requirements of the nearest directory above that has some, the top included."""
    for directory in (tree / suite.dir).parents:
        names = sorted(path for path in directory.glob("*.txt") if _is_shared(path.name))
        if names or directory == tree:
            return tuple(path.relative_to(tree).as_posix() for path in names)
    return ()


def _is_shared(name: str) -> bool:
    return any(fnmatchcase(name.lower(), pattern) for pattern in _SHARED)


def _plugins(tree: Path, suite: Suite) -> list[str]:
    """Plugins that its configuration and its tests take for granted."""
    path = own_ini(tree / suite.dir).path
    lines = [line for line in _text(path).splitlines() if not line.lstrip().startswith(("#", ";"))] if path else []
    found = [name for pattern, name in _PLUGINS if any(re.search(pattern, line) for line in lines)]
    tests = [_text(tree / name) for name in suite.tests]
    return found + [name for pattern, name in _FIXTURES if any(pattern.search(text) for text in tests)]


def _digest(tree: Path, files: Sequence[str], words: Sequence[str]) -> str:
    sha = hashlib.sha256("\0".join(("3", _own_version(), *words, "")).encode())
    top = tree.resolve()
    for path in with_included(tree, files):
        content = path.read_bytes()
        # Suites that say the same share an environment, unless what they say depends on where they say it.
        alone = path.suffix != ".txt" or _LOCAL.search(content)
        place, said = (path.relative_to(top).as_posix(), content) if alone else (path.name, _requirements(content))
        sha.update(place.encode() + b"\0" + said + b"\0")
    return sha.hexdigest()[:24]


def _requirements(content: bytes) -> bytes:
    """A requirements file without what pip does not read."""
    lines = (_COMMENT.sub(b"", line).strip() for line in content.splitlines())
    return b"\n".join(line for line in lines if line)


def _own_version() -> str:
    return ".".join(str(part) for part in sys.version_info[:3])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
