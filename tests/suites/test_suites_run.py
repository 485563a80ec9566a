"""Suites run by the real pytest, in environments that the real uv builds."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from pytest_tfpipeline.model import Outcome, Suite
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.suites.report import read_junit
from pytest_tfpipeline.suites.run import SuiteResult, SuiteRun, run_suite

UV = str(Path(sys.executable).with_name("uv"))


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One directory for all: the environment with pytest alone is built once."""
    return tmp_path_factory.mktemp("cache")


class Tree:
    """A private copy of a repository with one suite in `app`."""

    def __init__(self, path: Path, cache: Path) -> None:
        self.path = path
        self.cache = cache

    def add(self, name: str, text: str) -> Tree:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return self

    def run(self, directory: str = "app", *, environ: dict[str, str] | None = None, **fields: object) -> SuiteResult:
        own = {"inner", "declared", "only", "coverage"}
        rest = {name: value for name, value in fields.items() if name in own}
        given = {"timeout": 60.0, **{name: value for name, value in fields.items() if name not in own}}
        tests = tuple(str(path.relative_to(self.path)) for path in sorted(self.path.rglob(f"{directory}/**/*test*.py")))
        suite = Suite(directory, directory, f"{directory}/test_it.py", tests=tests, **given)
        wanted = SuiteRun(suite, self.path, self.cache, UV, **rest)
        return run_suite(Runner({**os.environ, **(environ or {})}), wanted)


@pytest.fixture
def tree(tmp_path: Path, cache: Path) -> Tree:
    return Tree(tmp_path / "copy", cache)


def outcomes(result: SuiteResult) -> dict[str, Outcome]:
    return {case.id: case.outcome for case in result.cases}


MIXED = """
import unittest
import pytest

def test_passes():
    pass

def test_fails():
    assert 1 == 2, "they differ"

@pytest.mark.skip(reason="not today")
def test_skipped():
    pass

@pytest.mark.xfail(reason="known")
def test_xfail():
    assert False

@pytest.fixture
def broken():
    raise RuntimeError("no database")

def test_setup(broken):
    pass

class TestOld(unittest.TestCase):
    def test_equal(self):
        self.assertEqual(1, 1)
"""


def test_each_test_is_reported_with_its_outcome_and_text(tree: Tree) -> None:
    result = tree.add("app/test_it.py", MIXED).run()
    assert result.judgement.outcome is Outcome.FAILED
    assert outcomes(result) == {
        "test_it.py::test_passes": Outcome.PASSED,
        "test_it.py::test_fails": Outcome.FAILED,
        "test_it.py::test_skipped": Outcome.SKIPPED,
        "test_it.py::test_xfail": Outcome.SKIPPED,
        "test_it.py::test_setup": Outcome.ERROR,
        "test_it.py::TestOld::test_equal": Outcome.PASSED,
    }
    assert "they differ" in result.judgement.text
    assert "no database" in result.judgement.text
    assert next(case.text for case in result.cases if case.id.endswith("xfail")) == "xfail: known"


def test_skips_inside_a_suite_do_not_fail_it(tree: Tree) -> None:
    result = tree.add("app/sub/a_test.py", "import pytest\ndef test_a(): pytest.skip('x')\ndef test_b(): pass\n").run()
    assert result.judgement.outcome is Outcome.PASSED
    assert result.judgement.summary == "1 passed, 1 skipped"


def test_nothing_of_the_repository_above_leaks_in(tree: Tree) -> None:
    tree.add("pyproject.toml", "[tool.pytest.ini_options]\naddopts = '--no-such-option'\n")
    tree.add("conftest.py", "raise RuntimeError('the conftest of the repository')\n")
    tree.add("app/src/helper.py", "VALUE = 3\n").add("app/data.txt", "here")
    tree.add("app/inner/test_inner.py", "def test_inner(): assert False\n")
    tree.add("app/tests/test_it.py", "import helper\ndef test_it():\n    assert open('data.txt').read() == 'here'\n")
    result = tree.run(inner=("app/inner",))
    assert result.judgement.text == ""
    assert outcomes(result) == {"tests/test_it.py::test_it": Outcome.PASSED}


def test_the_suites_own_configuration_counts(tree: Tree) -> None:
    tree.add("app/pyproject.toml", "[tool.pytest.ini_options]\npython_files = 'spec_*.py'\ncache_dir = 'elsewhere'\n")
    tree.add("app/spec_it.py", "def test_spec(): pass\n").add("app/test_no.py", "def test_no(): assert False\n")
    result = tree.run()
    assert outcomes(result) == {"spec_it.py::test_spec": Outcome.PASSED}
    assert not (tree.path / "app/elsewhere").exists()


SEES = """
import json, os
def test_env():
    json.dump(dict(os.environ), open("seen.json", "w"))
"""


def test_no_credential_reaches_a_suite(tree: Tree) -> None:
    import json

    given = {
        "AWS_ACCESS_KEY_ID": "AKIAREAL",
        "AWS_PROFILE": "production",
        "ARM_CLIENT_SECRET": "real",
        "GITHUB_TOKEN": "real",
        "ACTIONS_ID_TOKEN_REQUEST_URL": "real",
        "TF_VAR_password": "real",
        "OUR_OWN_THING": "real",
        "PYTEST_ADDOPTS": "-k nothing",
        "HARMLESS": "kept",
    }
    result = tree.add("app/test_it.py", SEES).run(environ=given, declared=frozenset({"OUR_OWN_THING"}))
    assert result.judgement.outcome is Outcome.PASSED
    seen = json.loads((tree.path / "app/seen.json").read_text())
    assert seen["AWS_ACCESS_KEY_ID"] == "testing"
    assert seen["HARMLESS"] == "kept"
    assert "real" not in seen.values()
    assert "AWS_PROFILE" not in seen


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (
            "import os\ndef test_dies(): os.kill(os.getpid(), 11)\n",
            "killed by signal 11, while it ran test_it.py::test_dies",
        ),
        ("import os\ndef test_leaves(): os._exit(0)\n", "ended with 0 before pytest was done, while it ran"),
        ("import time\ndef test_hangs(): time.sleep(60)\n", "no end within 6 s, while it ran test_it.py::test_hangs"),
        ("import pytest\ndef test_a(): pytest.exit('enough')\n", "interrupted or broke (exit code 2)"),
        ("import no_such_package\ndef test_a(): pass\n", "environment not prepared: No module named no_such_package"),
        ("def test_a():\n    import no_such_package\n", "environment not prepared: No module named no_such_package"),
        ("import sys\nsys.exit(0)\n", "sys.exit() was called outside of a test, while it imported test_it.py"),
        ("import os\nos._exit(0)\n", "ended with 0 before pytest was done, while it imported test_it.py"),
        ("def helper(): pass\n", "no test was collected"),
        ("print 'Python 2'\n", "Missing parentheses in call to 'print'"),
        ("def test_a(:\n", "not every test could be collected"),
    ],
)
def test_what_is_not_a_failed_test_is_an_error_that_says_why(tree: Tree, body: str, says: str) -> None:
    result = tree.add("app/test_it.py", body).run(timeout=6.0 if "sleep" in body else 60.0)
    assert says in result.judgement.text
    assert result.judgement.outcome is Outcome.ERROR
    assert "site-packages" not in result.judgement.text, "pytest's own way to the suite says nothing"
    if "import no_such_package" not in body and "sys" in body:
        assert 'app/test_it.py", line 2' in result.judgement.text


def test_a_suite_may_be_declared_empty(tree: Tree) -> None:
    result = tree.add("app/test_it.py", "def helper(): pass\n").run(empty=True)
    assert (result.judgement.outcome, result.judgement.summary) == (Outcome.PASSED, "no tests, as declared")
    failed = tree.add("app/test_it.py", "def test_a(): assert False\n").run(empty=True)
    assert failed.judgement.outcome is Outcome.FAILED


def test_modules_are_found_where_the_makefile_says_and_in_the_directories_above(tree: Tree) -> None:
    """As `make test` over many functions has it: `from one.main import`, and every test file is `test.py`."""
    tree.add("app/Makefile", "ENV := @PYTHONPATH=src:../shared/src\ntest:\n\t$(ENV) python -m unittest */test.py\n")
    tree.add("shared/src/common/__init__.py", "VALUE = 1\n").add("above.py", "VALUE = 2\n")
    for name in ("one", "two"):
        tree.add(f"app/{name}/main.py", f"NAME = {name!r}\n").add(f"app/{name}/beside_{name}.py", "")
        tree.add(
            f"app/{name}/test.py",
            f"import unittest, above, beside_{name}\nfrom common import VALUE\nfrom {name}.main import NAME\n"
            f"class TestIt(unittest.TestCase):\n    def test_it(self): assert (NAME, VALUE) == ({name!r}, 1)\n",
        )
    result = tree.run()
    assert result.judgement.text == ""
    assert list(outcomes(result)) == ["one/test.py::TestIt::test_it", "two/test.py::TestIt::test_it"]


def test_what_is_installed_is_not_hidden_by_a_directory_above(tree: Tree) -> None:
    tree.add("pluggy/__init__.py", "raise RuntimeError('not the installed one')\n")
    result = tree.add("app/test_it.py", "import pluggy\ndef test_a(): assert pluggy.PluginManager\n").run()
    assert result.judgement.text == ""


def test_test_requirements_above_a_suite_are_its_own_unless_they_contradict_it(tree: Tree) -> None:
    tree.add("requirements-dev.txt", "packaging==24.2\n").add(
        "free/test_it.py", "import packaging\ndef test_a(): pass\n"
    )
    assert tree.run("free").judgement.text == ""
    tree.add("app/requirements.txt", "packaging==23.2\n")
    tree.add("app/test_it.py", "import packaging\ndef test_a(): assert packaging.__version__ == '24.2'\n")
    result = tree.run(requirements=("app/requirements.txt",))
    assert result.judgement.outcome is Outcome.FAILED
    assert "is without requirements-dev.txt, which contradicts the suite's own requirements" in result.judgement.text


PART = """
import pytest
@pytest.mark.parametrize("n", [1, 2])
def test_a(n): print("said", n)
def test_a_b(): assert False
class TestIt:
    def test_c(self): assert False
    def test_d(self): pass
"""


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        ("test_it.py::test_a", ["test_it.py::test_a[1]", "test_it.py::test_a[2]"]),
        ("test_it.py::test_a[2]", ["test_it.py::test_a[2]"]),
        ("test_it.py::TestIt::test_d", ["test_it.py::TestIt::test_d"]),
    ],
)
def test_only_what_was_asked_for_is_run(tree: Tree, only: str, expected: list[str]) -> None:
    result = tree.add("app/test_it.py", PART).run(only=(only,))
    assert result.judgement.text == ""
    assert list(outcomes(result)) == expected
    if expected[-1].endswith("a[2]"):
        assert result.cases[-1].output == (("Captured stdout call", "said 2\n"),)


def test_one_that_is_not_there_is_not_found(tree: Tree) -> None:
    result = tree.add("app/test_it.py", PART).run(only=("test_it.py::test_x",))
    assert result.judgement.outcome is Outcome.ERROR
    assert result.judgement.text.startswith("not found: test_it.py::test_x")


def test_coverage_is_measured_where_the_suite_asks_for_it(tree: Tree, tmp_path: Path) -> None:
    tree.add("app/ours.py", "def used(): return 1\ndef unused():\n    return 2\n")
    tree.add("app/test_it.py", "import ours\ndef test_a(): assert ours.used()\n")
    tree.add("app/pytest.ini", "[pytest]\naddopts = --cov=ours --strict-markers -W error\n")
    file = tmp_path / "coverage" / "app.xml"
    result = tree.run(coverage=file)
    assert result.judgement.text == ""
    assert result.judgement.summary == "1 passed, 67% covered"
    assert "ours.py" in file.read_text()
    tree.add("app/pytest.ini", "[pytest]\naddopts = --cov=ours --cov-fail-under=90\n")
    failed = tree.run(coverage=file)
    assert failed.judgement.outcome is Outcome.FAILED
    assert failed.judgement.text.startswith("1 passed; ERROR: Coverage failure: total of 67")
    part = tree.run(coverage=file, only=("test_it.py::test_a",))
    assert part.judgement.outcome is Outcome.PASSED


def test_a_suite_that_stops_at_its_first_failure_says_what_it_left_out(tree: Tree) -> None:
    tree.add("app/pytest.ini", "[pytest]\naddopts = -x\n")
    result = tree.add("app/test_it.py", "def test_a(): assert False\ndef test_b(): pass\n").run()
    assert result.judgement.outcome is Outcome.FAILED
    assert "1 failed; 1 collected tests were not run: test_it.py::test_b" in result.judgement.text


def test_a_conftest_that_lacks_a_package(tree: Tree) -> None:
    tree.add("app/conftest.py", "import no_such_package\n").add("app/test_it.py", "def test_a(): pass\n")
    result = tree.run()
    assert result.judgement.outcome is Outcome.ERROR
    assert result.judgement.text.startswith("environment not prepared: No module named no_such_package")


def test_two_suites_with_conflicting_pins_and_no_network_the_second_time(tree: Tree) -> None:
    for name, version in (("one", "23.2"), ("two", "24.2")):
        tree.add(f"{name}/requirements.txt", f"packaging=={version}\n")
        body = f"import packaging\ndef test_pin(): assert packaging.__version__ == '{version}'\n"
        tree.add(f"{name}/test_it.py", body)
        result = tree.run(name, requirements=(f"{name}/requirements.txt",))
        assert result.judgement == result.judgement.__class__(Outcome.PASSED, "", "1 passed")
    again = tree.run(
        "one", requirements=("one/requirements.txt",), environ={"UV_OFFLINE": "1", "UV_CACHE_DIR": "/dev/null"}
    )
    assert again.judgement.outcome is Outcome.PASSED


def test_requirements_that_cannot_be_had(tree: Tree, tmp_path: Path) -> None:
    tree.add("app/requirements.txt", "no-such-package-of-ours==1\n").add("app/test_it.py", "def test_a(): pass\n")
    result = tree.run(requirements=("app/requirements.txt",), environ={"UV_OFFLINE": "1"})
    assert result.judgement.outcome is Outcome.ERROR
    assert result.judgement.text.startswith("environment not prepared: uv pip failed (app/requirements.txt)")
    assert "no-such-package-of-ours" in result.judgement.text
    assert not [path for path in tree.cache.iterdir() if path.is_dir() and not (path / ".tfpipeline-ready").exists()]


def test_an_environment_left_half_made_is_made_again(tree: Tree, tmp_path: Path) -> None:
    tree.cache = tmp_path / "cache"
    tree.add("app/test_it.py", "def test_a(): pass\n").run()
    (made,) = [path for path in tree.cache.iterdir() if path.is_dir()]
    (made / ".tfpipeline-ready").unlink()
    shutil.rmtree(made / "bin")
    assert tree.run().judgement.outcome is Outcome.PASSED


def test_an_environment_that_nobody_used_for_a_month_is_removed(tree: Tree, tmp_path: Path) -> None:
    tree.cache = tmp_path / "cache"
    ages = {"old": time.time() - 31 * 86400, "recent": time.time() - 86400}
    for name, when in ages.items():
        marker = tree.cache / name / ".tfpipeline-ready"
        marker.parent.mkdir(parents=True)
        marker.touch()
        os.utime(marker, (when, when))
    tree.add("app/test_it.py", "def test_a(): pass\n").run()
    assert {path.name for path in tree.cache.iterdir() if path.is_dir()} > {"recent"}
    assert not (tree.cache / "old").exists()


def test_a_python_that_cannot_be_had(tree: Tree) -> None:
    tree.add("app/pyproject.toml", "[project]\nname = 'app'\nversion = '1'\nrequires-python = '>=3.99'\n")
    tree.add("app/test_it.py", "def test_a(): pass\n")
    result = tree.run(requirements=("app/pyproject.toml",), environ={"UV_OFFLINE": "1"})
    assert result.judgement.outcome is Outcome.ERROR
    assert result.judgement.text.startswith(
        "environment not prepared: Python >=3.99 (app/pyproject.toml) is not on this machine"
    )
    assert result.judgement.text.endswith("or name another with `python` in its [[suite]]")
    assert len(result.judgement.text.splitlines()) == 3


def test_a_crash_under_xdist_is_blamed_on_its_test(tree: Tree) -> None:
    tree.add("app/requirements.txt", "pytest==7.4.4\npytest-xdist\n").add(
        "app/pytest.ini", "[pytest]\naddopts = -n 1\n"
    )
    tree.add("app/test_it.py", "import os\ndef test_a(): pass\ndef test_b(): os.kill(os.getpid(), 9)\n")
    result = tree.run(requirements=("app/requirements.txt",))
    assert result.judgement.outcome in (Outcome.FAILED, Outcome.ERROR)
    assert outcomes(result)["test_it.py::test_b"] in (Outcome.FAILED, Outcome.ERROR)


def test_a_command_of_its_own(tree: Tree) -> None:
    tree.add("app/test_it.py", "def test_a(): pass\ndef test_b(): assert False\n")
    result = tree.run(command=("pytest", "-q", "-k", "test_a", "-p", "no:cacheprovider"))
    assert outcomes(result) == {"test_it.py::test_a": Outcome.PASSED}
    failed = tree.run(command=("pytest", "-q", "-p", "no:cacheprovider"))
    assert failed.judgement.outcome is Outcome.FAILED
    assert "test_it.py::test_b" in failed.judgement.text


JUNIT = """<testsuites><testsuite><testcase classname="go" name="a" time="0.5"/>
<testcase classname="go" name="b"><failure message="bad">here</failure></testcase></testsuite></testsuites>"""


def test_a_command_that_writes_junit(tree: Tree) -> None:
    script = f"import os; os.makedirs('out', exist_ok=True); open('out/junit.xml', 'w').write({JUNIT!r})"
    result = tree.add("app/run.py", script).run(command=("python", "run.py"))
    assert outcomes(result) == {"go::a": Outcome.PASSED, "go::b": Outcome.FAILED}
    assert result.judgement.outcome is Outcome.FAILED
    alone = tree.run(command=("python", "run.py"), junit=("out/*.xml",), only=("go::a",))
    assert (outcomes(alone), alone.judgement.outcome) == ({"go::a": Outcome.PASSED}, Outcome.PASSED)
    nowhere = tree.run(command=("python", "run.py"), junit=("elsewhere/*.xml",))
    assert nowhere.judgement.outcome is Outcome.ERROR
    assert nowhere.judgement.text.startswith("`python run.py` ended with 0 and wrote none of elsewhere/*.xml")


def test_a_case_that_names_a_file_of_the_suite_has_the_id_that_pytest_would_give_it(tmp_path: Path) -> None:
    cases = (
        '<testcase classname="tests.test_it.TestIt" name="a"/><testcase file="{0}" classname="tests.test_it" name="b"/>'
    )
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_it.py").touch()
    (tmp_path / "out.xml").write_text(f"<testsuite>{cases.format('tests/test_it.py')}</testsuite>")
    ids = [case.id for case in read_junit([tmp_path / "out.xml"], tmp_path)]
    assert ids == ["tests/test_it.py::TestIt::a", "tests/test_it.py::b"]


def test_a_command_that_is_not_there(tree: Tree) -> None:
    result = tree.add("app/x.txt", "").run(command=("no-such-program",))
    assert result.judgement.outcome is Outcome.ERROR
    assert "could not be started" in result.judgement.text


def test_an_old_pytest_and_a_parallel_one_report_the_same(tree: Tree) -> None:
    tree.add("app/requirements.txt", "pytest==7.4.4\npytest-xdist\n").add(
        "app/pytest.ini", "[pytest]\naddopts = -n 2\n"
    )
    tree.add("app/test_it.py", "def test_a(): pass\ndef test_b(): assert False\n")
    result = tree.run(requirements=("app/requirements.txt",))
    assert outcomes(result) == {"test_it.py::test_a": Outcome.PASSED, "test_it.py::test_b": Outcome.FAILED}
    assert result.judgement.outcome is Outcome.FAILED
