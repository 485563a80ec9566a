"""A repository as it is: what cannot be collected is named, and a plan goes on past it; an apply does not."""

from __future__ import annotations

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


def test_a_plan_goes_on_past_what_cannot_be_collected(broken: Scratch) -> None:
    run = broken.run("--tf-plan", "staging", "-n", "0")
    assert run.code == 1, run.text
    for said in ("a_module_that_is_not_there", "others are broken", "pytest.ini stops at failures"):
        assert said in run.text, run.text
    (plan,) = broken.environment()["plans"]
    assert plan["add"] == 1, "it was planned all the same"


def test_an_apply_does_not(broken: Scratch) -> None:
    run = broken.run("--apply-env", "staging", "-n", "0")
    assert run.code != 0, run.text
    assert not broken.applied("a")
