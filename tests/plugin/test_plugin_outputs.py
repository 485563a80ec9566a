"""Tests of outputs: held back until their environment is applied, then run like any other, and in nobody's way else."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from scratch import Scratch

from pytest_tfpipeline.context import open_context
from pytest_tfpipeline.model import Repository, Run
from pytest_tfpipeline.plugin.state import Phase, State
from pytest_tfpipeline.plugin.worker import Witness

OUTPUTS = """
import pytest
from pathlib import Path


@pytest.fixture
def address(tf_outputs):
    return f"https://{tf_outputs['value']}.example.org"


def test_values(tf_outputs):
    assert tf_outputs.root in ("infra/a", "infra/b")
    assert tf_outputs.environment == "staging"
    assert dict(tf_outputs) == {"value": "hello"}
    assert list(tf_outputs) == ["value"] and len(tf_outputs) == 1
    assert tf_outputs.get("value") == "hello" and tf_outputs.get("other", 7) == 7 and "other" not in tf_outputs


@pytest.mark.tf_policy(roots="infra/a", environments=["staging"])
def test_chosen(tf_outputs):
    assert tf_outputs.root == "infra/a"


@pytest.mark.tf_policy(environments=["production"])
def test_elsewhere(tf_outputs):
    raise AssertionError


class TestInAClass:
    @pytest.mark.parametrize("ending", ["org", "example.org"])
    def test_through_a_fixture(self, address, ending):
        assert address.endswith(ending)


@pytest.mark.tf_policy(roots="infra/a")
def test_what_was_planned_is_there(tf_plan, tf_outputs):
    (it,) = tf_plan.resources("terraform_data", actions="create")
    assert it.after["input"] == tf_outputs["value"]


def test_another():
    pass
"""

CALLS = {
    *(f"test_values[{root}-staging]" for root in "ab"),
    *(f"TestInAClass::test_through_a_fixture[{root}-staging-{end}]" for root in "ab" for end in ("org", "example.org")),
    "test_chosen[a-staging]",
    "test_what_was_planned_is_there[a-staging]",
}


@pytest.fixture
def two_roots(scratch: Scratch) -> Scratch:
    """Roots `a` and `b` that are applied and `c` that is not."""
    scratch.root("b")
    scratch.root("c")
    scratch.configure(roots='match = "infra/[ab]"\napply = true\n')
    return scratch


@pytest.mark.parametrize("workers", ["0", "2"])
def test_they_run_after_the_apply_once_per_root_and_stand_in_evidence_and_junit(
    two_roots: Scratch, tmp_path: Path, workers: str
) -> None:
    two_roots.write("tests/test_live.py", OUTPUTS)
    two_roots.commit()
    junit = tmp_path / "junit.xml"

    result = two_roots.run("--apply-env", "staging", "-n", workers, "-v", f"--junitxml={junit}")

    assert result.code == 0, result.text
    checks = {one["id"]: one for one in two_roots.evidence()["checks"] if one["id"].startswith("tests/test_live.py")}
    found = {key.removeprefix("tests/test_live.py::"): one["outcome"] for key, one in checks.items()}
    assert found == dict.fromkeys(CALLS | {"test_another"}, "passed"), result.text
    about = checks["tests/test_live.py::test_values[b-staging]"]
    assert (about["check"], about["root"], about["environment"]) == ("policy_test", "infra/b", "staging")
    assert "1 output test had nothing to judge: their roots or environments are not applied" in result.stdout
    assert result.stdout.rindex("infra/b/main.tf::apply[staging]") < result.stdout.index("test_values[")
    assert "deselected" not in result.stdout.replace("1 deselected", ""), "test_elsewhere, and nothing else"
    assert junit.read_text().count('name="test_values[a-staging]"') == 1
    assert junit.read_text().count("<testsuite ") == 1


LOGGING = """#!/bin/sh
[ "$1" = output ] || [ "$1" = apply ] && echo "$1 $RIGHTS" >> "{log}"
exec "{terraform}" "$@"
"""


def test_outputs_are_read_once_per_root_with_the_rights_of_a_plan(two_roots: Scratch, tmp_path: Path) -> None:
    program, log = tmp_path / "bin" / "terraform", tmp_path / "log"
    program.write_text(LOGGING.format(log=log, terraform=shutil.which("terraform")))
    program.chmod(0o755)
    rights = '[environment.staging]\nplan_env = { RIGHTS = "plan" }\napply_env = { RIGHTS = "apply" }\n'
    two_roots.configure(rights, roots='match = "infra/[ab]"\napply = true\n')
    two_roots.write("tests/test_live.py", OUTPUTS)
    two_roots.commit()

    result = two_roots.run("--apply-env", "staging", "-n", "2", env={"TFPIPELINE_TERRAFORM": str(program)})

    assert result.code == 0, result.text
    assert sorted(log.read_text().splitlines()) == ["apply apply"] * 2 + ["output plan"] * 2


BROKEN = """
import os

import pytest

pytestmark = pytest.mark.tf_policy(roots="infra/a")


def test_bad(tf_outputs):
    assert tf_outputs["value"] == "something else"


def test_misspelt(tf_outputs):
    tf_outputs["vlaue"]


def test_good(tf_outputs):
    assert tf_outputs["value"] == "hello"
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_one_that_fails_leaves_the_apply_as_it_is_and_ends_with_11(scratch: Scratch, workers: str) -> None:
    scratch.write("tests/test_live.py", BROKEN)
    scratch.commit()

    result = scratch.run("--apply-env", "staging", "-n", workers)

    assert result.code == 11, result.text
    assert scratch.value("a") == "hello"
    assert scratch.environment()["verdict"]["open"]
    found = scratch.outcomes()
    assert found["tests/test_live.py::test_bad[a-staging]"] == "failed"
    assert found["tests/test_live.py::test_good[a-staging]"] == "passed"
    assert "infra/a[staging]: there is no output 'vlaue'; infra/a has: value" in result.stdout
    assert "outputs.py" not in result.stdout, "no traceback into the plugin"


CRASHING = """
import os

import pytest


@pytest.mark.parametrize("one", [1, 2, 3])
def test_good(tf_outputs, one):
    assert tf_outputs


def test_kills(tf_outputs):
    os._exit(1)
"""


def test_one_that_kills_its_worker_takes_nothing_else_with_it(scratch: Scratch) -> None:
    scratch.write("tests/test_live.py", CRASHING)
    scratch.commit()

    result = scratch.run("--apply-env", "staging", "-n", "2")

    assert result.code == 11, result.text
    assert scratch.value("a") == "hello"
    checks = {one["id"]: one for one in scratch.evidence()["checks"]}
    killed = checks["tests/test_live.py::test_kills[a-staging]"]
    assert (killed["outcome"], killed["root"], killed["environment"]) == ("error", "infra/a", "staging")
    assert [checks[f"tests/test_live.py::test_good[a-staging-{one}]"]["outcome"] for one in (1, 2, 3)] == ["passed"] * 3
    assert "INTERNALERROR" not in result.text


MARK = """
def test_leaves_a_mark(tf_outputs, pytestconfig):
    (pytestconfig.rootpath.parent / "mark").touch()
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_behind_a_closed_gate_none_is_run(scratch: Scratch, tmp_path: Path, workers: str) -> None:
    scratch.write("tests/test_live.py", MARK + "\n\ndef test_in_the_way():\n    raise AssertionError\n")
    scratch.commit()

    result = scratch.run("--apply-env", "staging", "-n", workers)

    assert result.code == 1, result.text
    assert scratch.reasons() == {"check-failed"}, "and nothing is missing"
    assert not scratch.applied("a")
    assert not (tmp_path / "mark").exists()
    assert "test_leaves_a_mark[" not in result.stdout


DROPPING = """
import pytest


def pytest_collection_modifyitems(items, config):
    later = (config.rootpath.parent / "states" / "a.tfstate").exists()
    if later == LATER:
        items[:] = [item for item in items if "test_leaves_a_mark" not in item.name]
"""


def test_one_that_a_conftest_takes_away_closes_the_gate(scratch: Scratch) -> None:
    scratch.write("tests/test_live.py", MARK)
    scratch.write("tests/conftest.py", DROPPING.replace("LATER", "False"))
    scratch.commit()

    result = scratch.run("--apply-env", "staging", "-n", "0")

    assert (result.code, scratch.reasons()) == (1, {"check-missing"}), result.text
    assert not scratch.applied("a")


def test_one_that_is_not_run_after_the_apply_is_missed(scratch: Scratch, tmp_path: Path) -> None:
    scratch.write("tests/test_live.py", MARK + "\n\ndef test_other(tf_outputs):\n    assert tf_outputs\n")
    scratch.write("tests/conftest.py", DROPPING.replace("LATER", "True"))
    scratch.commit()

    result = scratch.run("--apply-env", "staging", "-n", "2")

    assert result.code == 11, result.text
    assert scratch.outcomes()["tests/test_live.py::test_leaves_a_mark[a-staging]"] == "missing"
    assert scratch.outcomes()["tests/test_live.py::test_other[a-staging]"] == "passed"
    assert "tests/test_live.py::test_leaves_a_mark[a-staging]: missing: no result after the apply" in result.stdout
    assert not (tmp_path / "mark").exists()


def test_a_later_phase_misses_nothing_of_what_it_leaves_out(pytestconfig: pytest.Config, tmp_path: Path) -> None:
    """What it said would stand against the next environment."""
    run = Run("id", "apply", Repository(str(tmp_path)), str(tmp_path), str(tmp_path))
    first = State(run, open_context(run), tmp_path)
    later = State(run, open_context(run), tmp_path, Phase(frozenset({("infra/a", "staging")}), outputs=True))
    items = SimpleNamespace(items=[])
    answers = []
    for state in (first, later):
        witness = Witness(pytestconfig, state)
        witness.pytest_itemcollected(cast("pytest.Item", SimpleNamespace(nodeid="tests/test_a.py::test_plain")))
        hook = witness.pytest_collection(cast("pytest.Session", items))
        next(hook)
        with pytest.raises(StopIteration):
            next(hook)
        answers.append(witness.answer)

    assert answers[0]["dropped"] == ["tests/test_a.py::test_plain"]
    assert answers[1] == {}


def test_to_be_run_later_they_are_shown_now(scratch: Scratch) -> None:
    scratch.write("tests/test_live.py", MARK)
    scratch.commit()

    result = scratch.run("--apply-env", "staging", "--collect-only", "-q")

    assert "tests/test_live.py::test_leaves_a_mark[a-staging]" in result.stdout, result.text


ASKING = """
def test_asks_late(request):
    request.getfixturevalue("tf_outputs")
"""


def test_one_that_cannot_be_held_back_is_told_how_and_closes_the_gate(scratch: Scratch) -> None:
    scratch.write("tests/test_live.py", ASKING)
    scratch.commit()

    result = scratch.run("--apply-env", "staging", "-n", "0")

    assert result.code == 1, result.text
    assert not scratch.applied("a")
    assert "tf_outputs was asked for in the middle of a test" in result.stdout
    assert "-> name tf_outputs as an argument of the test" in result.stdout


ENDING = """
import os
import signal

import pytest


def test_ends(tf_outputs):
    ENDS


def test_after_it(tf_outputs):
    raise AssertionError
"""


@pytest.mark.parametrize(
    ("ends", "workers", "code"),
    [
        ("pytest.exit('enough', returncode=0)", "0", 11),
        ("raise KeyboardInterrupt", "0", 2),
        ("os.kill(os.getppid(), signal.SIGINT)", "2", 2),
    ],
)
def test_one_that_ends_the_run_makes_no_success_of_it(scratch: Scratch, ends: str, workers: str, code: int) -> None:
    scratch.write("tests/test_live.py", ENDING.replace("ENDS", ends))
    scratch.commit()

    result = scratch.run("--apply-env", "staging", "-n", workers, "--dist", "loadfile" if workers == "2" else "no")

    assert result.code == code, result.text
    assert scratch.value("a") == "hello"
    assert scratch.environment()["applied"][0]["outcome"] == "applied"
    assert set(scratch.outcomes()) >= {f"tests/test_live.py::test_{name}[a-staging]" for name in ("ends", "after_it")}
    assert "INTERNALERROR" not in result.text


def test_a_skip_is_no_pass_and_is_said(scratch: Scratch) -> None:
    scratch.write("tests/test_live.py", "import pytest\n\n\ndef test_later(tf_outputs):\n    pytest.skip('later')\n")
    scratch.commit()

    result = scratch.run("--apply-env", "staging", "-n", "0")

    assert result.code == 11, result.text
    assert "tests/test_live.py::test_later[a-staging]: skipped: later" in result.stdout


def test_without_an_apply_they_are_not_run_and_that_is_said_once(scratch: Scratch) -> None:
    scratch.write("tests/test_live.py", OUTPUTS)
    scratch.commit()

    for args in ((), ("--tf-plan", "staging", "-n", "2")):
        result = scratch.run(*args)

        assert result.code == 0, result.text
        assert result.stdout.count("5 output tests had nothing to judge: they want an apply (--apply-env ENV)") == 1
        assert "tests/test_live.py::test_another" in scratch.outcomes() if args else "1 policy test" in result.stdout
        assert not any("staging]" in key for key in scratch.outcomes() if "test_live" in key)


@pytest.mark.parametrize("args", [(), ("--tf-plan", "staging", "-n", "2"), ("--tf-plan", "staging", "-n", "0")])
def test_a_pasted_id_is_told_what_it_needs(scratch: Scratch, args: tuple[str, ...]) -> None:
    scratch.write("tests/test_live.py", OUTPUTS)
    scratch.commit()

    result = scratch.run("tests/test_live.py::test_values[a-staging]", *args)

    assert result.code == 4, result.text
    assert "tests/test_live.py::test_values needs an apply before it: --apply-env ENV" in result.text
    assert "test_chosen needs" not in result.text


SECRET = "the-long-" + "s3cret" * 60
PART = "s3cret" * 2

SENSITIVE = """
resource "terraform_data" "made" {
  input = join("", concat(["the-long-"], [for one in range(60) : "s3cret"], [substr(timestamp(), 0, 0)]))
}

output "password" {
  value     = terraform_data.made.output
  sensitive = true
}
"""

PRINTING = """
import pytest


def test_passes(tf_outputs, record_property):
    print("captured", tf_outputs["password"])
    record_property("password", tf_outputs["password"])


def test_compares(tf_outputs):
    assert tf_outputs["password"] == tf_outputs["password"] + "x"


def test_shows(tf_outputs):
    password = tf_outputs["password"]
    assert not password


def test_raises(tf_outputs):
    raise ValueError(tf_outputs["password"])


def test_skips(tf_outputs):
    pytest.skip(tf_outputs["password"])


def test_shows_all(tf_outputs):
    assert tf_outputs == {}
"""


def test_a_sensitive_output_is_given_and_stands_in_no_report(scratch: Scratch, tmp_path: Path) -> None:
    """Made during the apply, so that no plan knew it, and so long that pytest shows parts of it."""
    scratch.root("a", SENSITIVE)
    scratch.write("tests/test_live.py", PRINTING)
    scratch.write("pytest.ini", "[pytest]\ntestpaths = tests\njunit_logging = all\n")
    scratch.commit()
    junit = tmp_path / "junit.xml"

    result = scratch.run(
        *("--apply-env", "staging", "-n", "2", "-rA", "--showlocals"),
        f"--junitxml={junit}",
    )

    assert scratch.outcomes()["tests/test_live.py::test_passes[a-staging]"] == "passed", result.text
    assert result.code == 11, result.text
    assert SECRET in str(scratch.state("a")), "the state has it"
    for text in (result.text, *(path.read_text() for path in (junit, scratch.output / "summary.md"))):
        assert PART not in text
    assert PART not in (scratch.output / "evidence.json").read_text()
    assert "captured ***" in junit.read_text()
