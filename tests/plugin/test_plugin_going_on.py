"""A repository as it is: what cannot be collected is named, and a plan goes on past it; an apply does not."""

from __future__ import annotations

import re

import pytest
from scratch import Scratch


@pytest.fixture
def broken(scratch: Scratch) -> Scratch:
    scratch.write("tests/test_broken.py", "import a_module_that_is_not_there\n")
    scratch.write("tests/others/conftest.py", "raise RuntimeError('others are broken')\n")
    scratch.write("tests/others/test_it.py", "def test_it():\n    pass\n")
    scratch.write("pytest.ini", "[pytest]\naddopts = -x\n")
    scratch.commit()
    return scratch


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_plan_goes_on_past_what_cannot_be_collected(broken: Scratch, workers: str) -> None:
    broken.write("tests/test_first.py", "def test_that_fails():\n    assert False\n")
    broken.commit()
    run = broken.run("--tf-plan", "staging", "-n", workers)
    assert run.code == 1, run.text
    for said in (
        "tests/test_broken.py:1: ModuleNotFoundError: No module named 'a_module_that_is_not_there'\n-> Install",
        "others are broken",
        "pytest.ini stops at failures",
    ):
        assert said in run.text, run.text
    assert "importlib" not in run.text, run.text
    (plan,) = broken.environment()["plans"]
    assert plan["add"] == 1, "it was planned all the same"


@pytest.mark.parametrize("workers", ["0", "2"])
def test_checks_below_a_conftest_that_cannot_be_loaded_are_collected(scratch: Scratch, workers: str) -> None:
    scratch.write("conftest.py", "import the_top_needs_it\n")
    scratch.write("infra/a/conftest.py", "pytest_plugins = ['a_needs_it']\n")
    scratch.write("tests/test_it.py", "def test_it():\n    pass\n")
    scratch.commit()
    run = scratch.run("-k", "fmt or test_it", "-n", workers)
    assert run.code == 1, run.text
    for said in (
        "conftest.py:1: ModuleNotFoundError: No module named 'the_top_needs_it'",
        "infra/a/conftest.py",
        "1 passed",
    ):
        assert said in run.text, run.text
    assert "_pytest" not in run.text, run.text


def test_plugins_that_a_conftest_names_and_nobody_has(scratch: Scratch) -> None:
    scratch.write("conftest.py", "pytest_plugins = ['nobody_has_it']\n")
    scratch.write("tests/test_it.py", "def test_it():\n    pass\n")
    scratch.commit()
    run = scratch.run("--collect-only", "-q")
    assert "infra/a/main.tf::fmt" in run.stdout, run.text
    assert "test_it" not in run.stdout, run.text
    assert "nobody_has_it" in run.text
    named = scratch.run("tests/test_it.py", "-q")
    assert named.code == 4, named.text


def test_an_apply_does_not(broken: Scratch) -> None:
    run = broken.run("--apply-env", "staging", "-n", "0")
    assert run.code != 0, run.text
    assert not broken.applied("a")


def test_an_apply_does_not_start_without_a_conftest(scratch: Scratch) -> None:
    scratch.write("conftest.py", "raise RuntimeError('the top is broken')\n")
    scratch.commit()
    run = scratch.run("--apply-env", "staging", "-n", "0")
    assert run.code == 4, run.text
    assert "the top is broken" in run.text
    assert not scratch.applied("a")


def test_what_fails_alike_everywhere_is_shown_once(scratch: Scratch) -> None:
    for name in ("a", "b", "c"):
        scratch.root(name, 'terraform {\n      required_version = "= 99.0"\n}\n')
    scratch.commit()
    run = scratch.run("-k", "fmt or validate", "-n", "2")
    assert "cannot be had here: terraform = 99.0, wanted by infra/a, infra/b, infra/c" in run.stdout, run.text
    assert len(re.findall("and on as above, of infra/[abc]/main.tf::fmt", run.stdout)) == 2, run.text
    assert run.stdout.count("[gw") <= 6, "the worker's name once for each failure"
    assert run.stdout.count('+  required_version = "= 99.0"') == 1
    all_of_it = scratch.run("-k", "fmt", "-n", "0", "-v").stdout
    assert all_of_it.count('+  required_version = "= 99.0"') == 3, all_of_it


def test_copies_of_earlier_runs_are_not_collected(scratch: Scratch) -> None:
    scratch.write("pytest.ini", "[pytest]\nnorecursedirs = data\n")
    scratch.write(".tfpipeline/runs/1/tree/_static/tests/test_copy.py", "raise SystemExit(1)\n")
    scratch.commit()
    run = scratch.run("--collect-only", "-q")
    assert run.code == 0, run.text
    assert "infra/a/main.tf::fmt" in run.stdout
    assert "tfpipeline/runs" not in run.text
