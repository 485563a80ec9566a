"""Python suites: kept out of pytest's own process, reported test by test, and run alone when an id is pasted."""

from __future__ import annotations

import re
import shutil
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

class Mixin(object):
    def test_mixed(self):
        pass
"""

_JUNIT = """<testsuites><testsuite><testcase classname="go" name="a" time="0.5"/><testcase classname="go" name="b[x]">
<failure message="bad">here</failure><system-out>printed by b</system-out></testcase></testsuite></testsuites>"""

_SUITES = """[[suite]]
match = "lambdas/foreign"
command = ["python", "run.py"]
junit = ["*.xml"]
"""

_TWO = """
def test_two():
    print("said two")
    open("seen_two", "w").close()
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
    made.write("lambdas/two/test_two.py", _TWO)
    made.write("lambdas/foreign/Makefile", "test:\n\tdocker compose run tests\n")
    made.write("lambdas/foreign/run.py", f"open('junit.xml', 'w').write({_JUNIT!r})\n")
    made.configure(_SUITES)
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
    shown = re.findall(r"(lambdas\S+) (?:PASSED|FAILED)", result.stdout)
    one = "lambdas/one/tests/test_one.py"
    assert sorted(shown) == sorted(
        [f"{one}::TestIt::test_small[1]", f"{one}::TestIt::test_small[2]", f"{one}::test_other"]
    )
    assert "conftest" not in result.stderr


def test_k_finds_tests_by_name_and_runs_no_others(suited: Scratch) -> None:
    """The source says which suite to look into; of one that runs whole, no part is run again."""
    result = suited.run("-k", "test_other or test_mixed or nowhere", "-v", "-rs")
    assert result.code == 0, result.text
    one = "lambdas/one/tests/test_one.py"
    assert re.findall(r"^(\S+) (PASSED|FAILED|SKIPPED)", result.stdout, re.MULTILINE) == [
        (f"{one}::test_other", "PASSED"),
        (f"{one}::Mixin::test_mixed", "SKIPPED"),
    ]
    assert "Mixin::test_mixed is in the source, and no test when it is run" in result.stdout
    assert not list(suited.path.glob("**/seen_two"))
    assert suited.outcomes()["lambdas/one/requirements.txt::unit"] == "missing"

    parts = suited.run("-k", "small or test_two", "-v", "-n", "2")
    assert parts.code == 1
    shown = re.findall(r"(lambdas\S+) (?:PASSED|FAILED)|(?:PASSED|FAILED) (lambdas\S+)", parts.stdout)
    ids = {first or second for first, second in shown}
    assert {f"{one}::TestIt::test_small[2]", "lambdas/two/test_two.py::test_two"} <= ids
    assert f"{one}::test_other" not in ids
    assert "said two" not in parts.stdout

    whole = suited.run("-k", "unit and (one or test_small)", "-v")
    assert re.findall(r"^(\S+) (?:PASSED|FAILED) ", whole.stdout, re.MULTILINE) == [
        "lambdas/one/requirements.txt::unit",
        f"{one}::TestIt::test_small[1]",
        f"{one}::TestIt::test_small[2]",
        f"{one}::test_other",
    ]


def test_k_that_means_no_test_starts_no_suite(suited: Scratch) -> None:
    shutil.rmtree(suited.output, ignore_errors=True)
    result = suited.run("-k", "fmt", "-v")
    assert result.code == 0
    assert "lambdas/" not in result.stdout
    assert not (suited.output / "cache" / "suites").exists()


def test_a_test_from_a_junit_file_is_selected_by_its_id(suited: Scratch) -> None:
    everything = suited.run("lambdas/foreign/run.py", "lambdas/foreign/Makefile", "-v")
    ids = re.findall(r"^(lambdas/foreign/\S+) (PASSED|FAILED)", everything.stdout, re.MULTILINE)
    assert ("lambdas/foreign/Makefile::unit[go::a]", "PASSED") in ids
    assert ("lambdas/foreign/Makefile::unit[go::b[x]]", "FAILED") in ids
    assert "printed by b" in everything.stdout

    for one, outcome in ids:
        if "[" in one:
            alone = suited.run(one, "-v")
            assert re.findall(r"^(\S+) (PASSED|FAILED) ", alone.stdout, re.MULTILINE) == [(one, outcome)]


def test_an_id_that_is_not_there_is_named(suited: Scratch) -> None:
    result = suited.run("lambdas/one/tests/test_one.py::test_nope")
    assert result.code == 1
    assert "not found" in result.stdout
    assert Path(suited.path, "lambdas/one/__pycache__").exists() is False


def test_inside_of_a_suite_pytest_stays_as_it_is(suited: Scratch) -> None:
    result = suited.run("tests/test_one.py", "-p", "no:xdist", env={"PYTHONPATH": "src"}, cwd="lambdas/one")
    assert "1 failed, 2 passed" in result.stdout
