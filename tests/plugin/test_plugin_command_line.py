"""The command line: wrong usage, ids that are pasted back, workers, and repositories that are none of our business."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scratch import Scratch

WRONG = {
    "unknown environment": (("--apply-env", "stagin"), "did you mean `staging`"),
    "unknown environment to plan": (("--tf-plan", "staging,prod"), "known environments: staging"),
    "plan and apply": (("--apply-env", "staging", "--tf-plan", "staging"), "either --tf-plan or --apply-env"),
    "no name": (("--tf-plan", "staging,"), "name is missing"),
    "no value": (("--apply-env",), "--apply-env ENV: the environment's name is missing"),
    "no value to plan": (("--tf-plan",), "--tf-plan ENV[,ENV]: an environment's name is missing"),
    "mistyped id": (("infra/a/main.tf::lnt",), "lnt"),
    "mistyped id in workers": (("--tf-plan", "staging", "infra/a/main.tf::lnt"), "lnt"),
    "allowed by ini": (("--apply-env", "staging", "-n", "0"), "--allow-destroy counts only when it is typed"),
    "looponfail": (("--apply-env", "staging", "--looponfail"), "looponfail"),
}


@pytest.mark.parametrize("case", list(WRONG))
def test_wrong_usage_is_said_and_nothing_is_run(case: str, scratch: Scratch) -> None:
    args, says = WRONG[case]
    if case == "allowed by ini":
        scratch.write(
            "pytest.ini", "[pytest]\ntestpaths = tests\naddopts = --allow-destroy infra/a//terraform_data.it\n"
        )
    scratch.commit()

    result = scratch.run(*args, timeout=60)

    assert result.code == 4, result.text
    assert says in result.text
    assert "Traceback" not in result.text
    assert not scratch.applied("a")


def test_every_id_that_is_shown_can_be_pasted_back_and_selects_itself(scratch: Scratch) -> None:
    """A plan's id brings its environment along."""
    scratch.commit()
    shown = scratch.run("--tf-plan", "staging", "-n", "0", "-v").stdout
    ids = re.findall(r"^(\S+::\S+) PASSED", shown, re.MULTILINE)
    assert "infra/a/main.tf::plan[staging]" in ids
    assert "tests/test_rules.py::test_small[a-staging]" in ids

    for one in ids:
        args = ("--tf-plan", "staging") if one.startswith("tests") else ()
        again = scratch.run("--collect-only", "-q", *args, one)
        assert [line for line in again.stdout.splitlines() if "::" in line] == [one], again.text

    planned = scratch.run("infra/a/main.tf::plan[staging]", "-v")
    assert planned.code == 0, planned.text
    assert scratch.outcomes()["infra/a/main.tf::plan[staging]"] == "passed"
    assert "1 passed" in planned.stdout
    assert scratch.environment("staging")["plans"][0]["add"] == 1


def test_all_cores_are_the_default_of_a_plan_and_a_root_stays_on_one_worker(scratch: Scratch) -> None:
    scratch.root("b")
    scratch.root("c")
    scratch.commit()

    result = scratch.run("--tf-plan", "staging", "-v")

    assert result.code == 0, result.text
    assert "scheduling tests via RootScheduling" in result.stdout
    workers: dict[str, set[str]] = {}
    for worker, root in re.findall(
        r"^\[(gw\d+)\].* (?:infra/(?=\w/)|tests/test_rules.py::test_small\[)(\w)", result.stdout, re.MULTILINE
    ):
        workers.setdefault(root, set()).add(worker)
    assert set(workers) == {"a", "b", "c"}, result.text
    assert all(len(used) == 1 for used in workers.values()), workers

    for args in (("-n", "0"), ("-p", "no:xdist"), ("-k", "fmt", "-n", "2", "--dist", "load")):
        other = scratch.run("--tf-plan", "staging", "-k", "fmt", *args)
        assert other.code == 0, other.text
        assert "RootScheduling" not in other.stdout


def test_static_checks_start_no_workers_and_make_no_plan(scratch: Scratch) -> None:
    scratch.commit()

    result = scratch.run("-k", "fmt or lint", "-v")

    assert result.code == 0, result.text
    assert "had nothing to judge" not in result.text, "whoever selects is not told what was not selected"
    assert re.findall(r"^(\S+::\S+) PASSED", result.stdout, re.MULTILINE) == [
        "infra/a/main.tf::fmt",
        "infra/a/main.tf::lint",
    ]
    assert not list(scratch.output.glob("runs/*/plans/*/*"))


def test_a_repository_without_terraform_is_left_alone(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    for name in (".tflint.hcl", "tfpipeline.toml"):
        (scratch.path / name).unlink()
    scratch.write("tests/test_it.py", "def test_good():\n    pass\n\n\ndef test_bad():\n    assert False\n")
    scratch.commit()
    expected = {"-k good": 0, "-k bad": 1, "-k nothing": 5, "--nonsense": 4, "tests/nowhere.py": 4}

    for args, code in expected.items():
        result = scratch.run(*args.split())
        assert result.code == code, result.text
        assert "tfpipeline:" not in result.text
    assert not scratch.output.exists()

    wanted = scratch.run("--tf-plan", "staging")
    assert wanted.code == 4, wanted.text
    assert "no Terraform in" in wanted.stderr
    assert not scratch.output.exists()


def test_evidence_of_a_usage_error_takes_the_place_of_the_last_run_s(scratch: Scratch) -> None:
    scratch.commit()
    scratch.run("--tf-plan", "staging", "-n", "0", "-k", "fmt")

    scratch.run("--apply-env", "stagin")

    assert scratch.evidence()["run"]["exit_code"] == 4
    assert len(list((scratch.output / "evidence").glob("*.json"))) == 2


_LOADERS = """
import sys


def test_loaded():
    names = [name for name in sys.modules if name.startswith("pytest_tfpipeline.plugin.")]
    assert len(names) > 5
    assert {type(sys.modules[name].__spec__.loader).__name__ for name in names} == {"SourceFileLoader"}
"""


def test_python_itself_imports_the_plugin(scratch: Scratch) -> None:
    """Rewritten as pytest does with plugins, its modules would be parsed anew by every process where no bytecode can be
    kept."""
    scratch.write("tests/test_loaded.py", _LOADERS)
    scratch.commit()

    result = scratch.run("tests/test_loaded.py", "-n", "0")

    assert result.code == 0, result.text
