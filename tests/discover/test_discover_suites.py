from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

TEST = "import unittest\n\n\nclass T(unittest.TestCase):\n    pass\n"
PYTEST = "def test_it():\n    pass\n"

PLACES = {
    "requirements": ({"l/a/requirements.txt": "", "l/a/tests/test_x.py": TEST}, "l/a", "l/a/requirements.txt"),
    "requirements of development": (
        {"l/a/requirements-dev.txt": "", "l/a/test.py": TEST},
        "l/a",
        "l/a/requirements-dev.txt",
    ),
    "pyproject": ({"l/a/pyproject.toml": "", "l/a/tests/unit/x_test.py": TEST}, "l/a", "l/a/pyproject.toml"),
    "Pipfile": ({"l/a/Pipfile": "", "l/a/test.py": TEST}, "l/a", "l/a/Pipfile"),
    "Makefile": ({"l/a/Makefile": "test: x\n\tpytest\n", "l/a/b/test_x.py": TEST}, "l/a", "l/a/Makefile"),
    "a Makefile without tests": ({"l/Makefile": "build:\n", "l/a/tests/test_x.py": TEST}, "l/a", "l/a/tests/test_x.py"),
    "parent of tests": ({"l/a/tests/x/test_x.py": TEST}, "l/a", "l/a/tests/x/test_x.py"),
    "requirements of the tests": ({"l/a/tests/requirements.txt": "", "l/a/tests/test_x.py": TEST}, "l/a", None),
    "nearest wins": ({"l/Pipfile": "", "l/a/Pipfile": "", "l/a/test.py": TEST}, "l/a", "l/a/Pipfile"),
}


@pytest.mark.parametrize(("files", "directory", "anchor"), PLACES.values(), ids=PLACES.keys())
def test_place(describe: Callable[..., Any], files: dict[str, str], directory: str, anchor: str | None) -> None:
    (suite,) = describe(files).repository.suites
    assert suite.dir == directory
    if anchor:
        assert suite.anchor == anchor


def test_the_repository_itself_is_no_suite(describe: Callable[..., Any]) -> None:
    found = describe({"pyproject.toml": "", "tests/test_x.py": PYTEST, "src/x/test_y.py": PYTEST})
    assert found.repository.suites == ()


def test_policy_tests_are_no_suite(describe: Callable[..., Any]) -> None:
    found = describe({"p/requirements.txt": "", "p/test_x.py": "def test_x(tf_plan):\n    pass\n"})
    assert found.repository.suites == ()


@pytest.mark.parametrize("place", ["x/site-packages/y", "x/.venv/y", "x/node_modules/y", "x/.tox/y"])
def test_installed_packages_are_no_suites(describe: Callable[..., Any], place: str) -> None:
    assert describe({f"{place}/requirements.txt": "", f"{place}/test_x.py": TEST}).repository.suites == ()


def test_frameworks(describe: Callable[..., Any]) -> None:
    found = describe(
        {
            "u/requirements.txt": "",
            "u/test_x.py": TEST,
            "p/requirements.txt": "",
            "p/test_x.py": PYTEST,
            "m/requirements.txt": "",
            "m/test_x.py": TEST,
            "m/test_y.py": "import pytest\n" + PYTEST,
        }
    )
    assert {suite.dir: suite.framework for suite in found.repository.suites} == {
        "u": "unittest",
        "p": "pytest",
        "m": "pytest",
    }


def test_requirements_of_the_tests_beside_a_project(describe: Callable[..., Any]) -> None:
    more = ("l/a/test_requirements.txt", "l/a/tests/dev-requirements.txt")
    files = {
        "l/a/setup.py": "",
        "l/a/tests/test_x.py": TEST,
        "l/a/docs_requirements.txt": "",
        **dict.fromkeys(more, ""),
    }
    (suite,) = describe(files).repository.suites
    assert suite.requirements == ("l/a/setup.py", *more)
    alone = describe({"l/b/test_requirements.txt": "", "l/b/tests/test_x.py": TEST}).repository.suites
    assert [each.rule for each in alone if each.dir == "l/b"] == ["suite: parent of tests/"]


def test_configured_command_and_python_and_requirements(describe: Callable[..., Any]) -> None:
    files = {
        "l/a/requirements.txt": "",
        "l/a/requirements-dev.txt": "",
        "l/a/tests/test_x.py": PYTEST,
        "l/b/Pipfile": "",
    }
    config = {"suite": [{"match": "l/*", "command": ["pytest", "-q"], "python": "3.12"}]}
    (suite,) = describe(files, config).repository.suites
    assert (suite.command, suite.python) == (("pytest", "-q"), "3.12")
    assert suite.requirements == ("l/a/requirements-dev.txt", "l/a/requirements.txt")


def test_an_entry_for_several_suites(describe: Callable[..., Any]) -> None:
    files = {"l/a/test_x.py": PYTEST, "m/b/test_y.py": PYTEST, "none/run.sh": ""}
    config = {"suite": [{"match": ["l/*", "m/b", "none"], "command": ["make", "test"]}]}
    found = describe(files, config).repository.suites
    assert {suite.dir: suite.command for suite in found} == dict.fromkeys(["l/a", "m/b", "none"], ("make", "test"))


def test_an_excluded_suite_is_not_there(describe: Callable[..., Any]) -> None:
    assert describe({"l/a/Pipfile": "", "l/a/test.py": TEST}, {"exclude": ["l"]}).repository.suites == ()
