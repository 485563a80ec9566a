"""Python suites: kept out of pytest's own process, reported test by test, and run alone when an id is pasted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scratch import Scratch

_TESTS = """
import pytest

class TestIt:
    @pytest.mark.parametrize("n", [1, 2])
    def test_small(self, n):
        assert n < 2

def test_other():
    assert True
"""


@pytest.fixture(scope="module")
def suited(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    """A suite whose conftest.py must never be imported by the run itself."""
    made = Scratch(tmp_path_factory.mktemp("suited"))
    made.without_checkov()
    made.root("a")
    made.write("pytest.ini", "[pytest]\ntestpaths = lambdas\n")
    made.write("lambdas/one/requirements.txt", "")
    made.write("lambdas/one/conftest.py", "import os\nassert 'PYTEST_XDIST_WORKER' not in os.environ\nimport helper\n")
    made.write("lambdas/one/src/helper.py", "")
    made.write("lambdas/one/tests/test_one.py", _TESTS)
    made.commit()
    return made


def test_each_test_is_reported_and_its_pasted_id_runs_it_alone(suited: Scratch) -> None:
    everything = suited.run("-m", "tf_unit", "-v")
    assert everything.code == 1
    failed = re.search(
        r"^(lambdas/one/tests/test_one.py::TestIt::test_small\[2\]) FAILED", everything.stdout, re.MULTILINE
    )
    assert failed, everything.text
    assert "lambdas/one/tests/test_one.py::test_other PASSED" in everything.stdout

    alone = suited.run(failed[1], "-v")
    assert alone.code == 1
    assert re.findall(r"(\S+) (?:PASSED|FAILED)", alone.stdout) == [failed[1]]
    assert "assert 2 < 2" in alone.stdout


@pytest.mark.parametrize("named", ["lambdas/one/tests/test_one.py", "lambdas/one/tests"])
def test_a_file_or_directory_of_a_suite_runs_in_its_process(suited: Scratch, named: str) -> None:
    result = suited.run(named, "-v", "-n", "2")
    assert result.code == 1
    assert "1 failed" in result.stdout
    assert "conftest" not in result.stderr


def test_an_id_that_is_not_there_is_named(suited: Scratch) -> None:
    result = suited.run("lambdas/one/tests/test_one.py::test_nope")
    assert result.code == 1
    assert "not found" in result.stdout
    assert Path(suited.path, "lambdas/one/__pycache__").exists() is False


def test_inside_of_a_suite_pytest_stays_as_it_is(suited: Scratch) -> None:
    result = suited.run("tests/test_one.py", "-p", "no:xdist", env={"PYTHONPATH": "src"}, cwd="lambdas/one")
    assert "1 failed, 2 passed" in result.stdout
