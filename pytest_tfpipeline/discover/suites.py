"""Python suites: projects with tests of their own, each run in a process and an environment of its own."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path

from pytest_tfpipeline.config import Config, suite_config
from pytest_tfpipeline.config.durations import seconds
from pytest_tfpipeline.config.keys import SuiteConfig
from pytest_tfpipeline.config.patterns import matches_any
from pytest_tfpipeline.discover.directories import join, parent
from pytest_tfpipeline.discover.files import prunes
from pytest_tfpipeline.discover.roots import excluded
from pytest_tfpipeline.discover.test_files import test_files
from pytest_tfpipeline.model import Suite

_REQUIREMENTS = ("requirements*.txt", "pyproject.toml", "Pipfile", "setup.py")
#: What the tests of a project need beside it; alone they make nothing a project.
_TEST_REQUIREMENTS = ("test*requirements*.txt", "dev*requirements*.txt")
_MAKE_TARGET = re.compile(r"^(?:unit-?)?tests?\s*:(?!=)", re.MULTILINE)
_POLICY = re.compile(r"\btf_(?:plan|configuration|outputs)\b")
_PYTEST = re.compile(r"^\s*(?:import pytest|from pytest\b)|^(?:async )?def test_", re.MULTILINE)
_UNITTEST = re.compile(r"^\s*(?:import unittest|from unittest import .*TestCase\b)", re.MULTILINE)


def find_suites(top: Path, files: Iterable[str], config: Config) -> tuple[Suite, ...]:
    """Every suite, sorted by directory. The repository's top is never one: its tests are the ordinary pytest run."""
    listed = [path for path in files if not prunes(path)]
    tests = test_files(top, listed)
    if not tests and not config.suite:
        return ()
    marks = _marks(top, listed, tests)
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for path in tests:
        place = _place(path, marks)
        if place[0] != "." and not excluded(place[0], config.exclude):
            found[place].append(path)
    suites = [_suite(top, place, paths, listed, config) for place, paths in sorted(found.items())]
    every = [*(suite for suite in suites if suite is not None), *_declared(found, listed, config)]
    return tuple(sorted(every, key=lambda suite: suite.dir))


def _marks(top: Path, files: Iterable[str], tests: Iterable[str]) -> dict[str, str]:
    """Directory to the file that makes it a Python project, for directories above test files."""
    above = {ancestor for path in tests for ancestor in _ancestors(path)}
    found: dict[str, str] = {}
    for path in sorted(files):
        directory, name = parent(path), posixpath.basename(path)
        if directory not in above or directory in found:
            continue
        if any(fnmatchcase(name, pattern) for pattern in _REQUIREMENTS) or (
            name == "Makefile" and _MAKE_TARGET.search(_text(top, path))
        ):
            found[directory] = name
    return found


def _ancestors(path: str) -> list[str]:
    """The directories above a file, nearest first, the top last."""
    found = []
    while path != ".":
        path = parent(path)
        found.append(path)
    return found


def _place(path: str, marks: Mapping[str, str]) -> tuple[str, str]:
    """The suite's directory that a test file belongs to, and the rule that said so."""
    for directory in _ancestors(path):
        if directory in marks:
            if posixpath.basename(directory) in ("test", "tests") and marks[directory].startswith("requirements"):
                continue
            return directory, f"suite: {marks[directory]}"
    for directory in _ancestors(path):
        if posixpath.basename(directory) == "tests":
            return parent(directory), "suite: parent of tests/"
    return parent(path), "suite: directory of the test file"


def _suite(
    top: Path, place: tuple[str, str], tests: Sequence[str], files: Sequence[str], config: Config
) -> Suite | None:
    """None where all its tests are policy tests, which belong to the repository's own run."""
    directory, rule = place
    texts = [text for text in (_text(top, path) for path in tests) if not _POLICY.search(text)]
    if not texts:
        return None
    requirements = tuple(path for path in files if _is_requirement(path, directory))
    suite = Suite(
        dir=directory,
        name=posixpath.basename(directory),
        anchor=_anchor(directory, rule, requirements, tests),
        rule=rule,
        requirements=requirements,
        framework=_framework(texts),
        tests=tuple(tests),
    )
    entry = suite_config(config, directory)
    return suite if entry is None else _as_configured(suite, entry, files)


def _as_configured(suite: Suite, entry: SuiteConfig, files: Sequence[str]) -> Suite:
    wanted = entry.requirements
    named = tuple(path for path in files if wanted is not None and matches_any(wanted, path))
    return replace(
        suite,
        requirements=suite.requirements if wanted is None else named,
        command=entry.command or (),
        junit=entry.junit or (),
        python=entry.python,
        env=dict(entry.env),
        coverage=entry.coverage,
        empty=entry.empty,
        timeout=seconds(entry.timeout),
    )


def _declared(found: Iterable[tuple[str, str]], files: Sequence[str], config: Config) -> Iterator[Suite]:
    """Suites without a Python test file: a directory that is named as it is, with a command of its own or as empty."""
    known = {directory for directory, _ in found}
    named = ((entry, name) for entry in config.suite if entry.command or entry.empty for name in entry.match)
    for entry, name in named:
        inside = [path for path in files if path.startswith(f"{name}/")]
        if name not in known and inside:
            requirements = tuple(path for path in inside if _is_requirement(path, name))
            anchor = min(requirements, default=min(inside, key=lambda path: (path.count("/"), path)))
            suite = Suite(name, posixpath.basename(name), anchor, "suite: configured", requirements)
            yield _as_configured(suite, entry, files)


def _is_requirement(path: str, directory: str) -> bool:
    """A requirements file or a project's file of the suite; its `tests/` may have requirements too."""
    above, name = parent(path), posixpath.basename(path)
    if above == directory:
        return any(fnmatchcase(name, pattern) for pattern in (*_REQUIREMENTS, *_TEST_REQUIREMENTS, "setup.cfg"))
    inside = (join(directory, "test"), join(directory, "tests"))
    return above in inside and any(fnmatchcase(name, each) for each in ("requirements*.txt", *_TEST_REQUIREMENTS))


def _anchor(directory: str, rule: str, requirements: Sequence[str], tests: Sequence[str]) -> str:
    """What makes it a suite; a test file only where nothing else does."""
    for name in ("pyproject.toml", "requirements.txt"):
        if join(directory, name) in requirements:
            return join(directory, name)
    mark = rule.removeprefix("suite: ")
    return min(tests) if " " in mark else join(directory, mark)


def _framework(texts: Iterable[str]) -> str:
    """unittest where tests are written for it and none needs pytest."""
    found = list(texts)
    needs_pytest = any(_PYTEST.search(text) for text in found)
    return "unittest" if not needs_pytest and any(_UNITTEST.search(text) for text in found) else "pytest"


def _text(top: Path, path: str) -> str:
    try:
        return (top / path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
