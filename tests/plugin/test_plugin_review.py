"""What a careful operator tries before trusting the gate: crashes, narrowed runs, moved commits, values left empty."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from scratch import Scratch

CRASHES_ON_B = """
import os


def test_rule(tf_plan):
    if tf_plan.root.endswith("b"):
        os._exit(3)
"""


def left(scratch: Scratch) -> list[str]:
    return [one["root"] for one in scratch.environment()["left"]]


def applied(scratch: Scratch) -> list[tuple[str, str]]:
    return [(one["root"], one["outcome"]) for one in scratch.environment()["applied"]]


def test_a_policy_test_that_crashes_in_a_later_wave_stops_its_root(scratch: Scratch) -> None:
    scratch.root("b", reads="a")
    scratch.write("tests/test_rules.py", CRASHES_ON_B)
    scratch.commit()
    result = scratch.run("--apply-env", "staging", "-n", "2")
    assert result.code == 11, result.text
    assert applied(scratch) == [("infra/a", "applied")]
    assert left(scratch) == ["infra/b"]
    assert not scratch.applied("b")


def test_the_first_failure_of_a_later_wave_may_end_its_tests_but_not_lose_what_was_applied(scratch: Scratch) -> None:
    scratch.root("b", reads="a")
    scratch.write("pytest.ini", "[pytest]\ntestpaths = tests\naddopts = -x\n")
    rule = 'def test_{name}(tf_plan):\n    assert not tf_plan.root.endswith("b")\n\n\n'
    scratch.write("tests/test_rules.py", "".join(rule.format(name=name) for name in "abcdef"))
    scratch.commit()
    result = scratch.run("--apply-env", "staging", "-n", "2")
    assert result.code == 11, result.text
    assert applied(scratch) == [("infra/a", "applied")]
    assert left(scratch) == ["infra/b"]
    assert not scratch.applied("b")


WAITS_ON_B = """
def test_rule(tf_plan):
    if tf_plan.root.endswith("b"):
        with open({pipe!r}, "w") as stream:
            stream.write("here")
        with open({pipe!r}) as stream:
            stream.read()
"""


@pytest.mark.parametrize("args", [("-n", "2"), ("-p", "no:xdist")], ids=["workers", "alone"])
def test_an_interrupt_while_a_later_wave_is_judged_keeps_what_was_applied(
    args: tuple[str, ...], scratch: Scratch, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    scratch.root("b", reads="a")
    scratch.write("tests/test_rules.py", WAITS_ON_B.format(pipe=str(pipe)))
    scratch.commit()
    with scratch.start("--apply-env", "staging", *args) as process:
        with pipe.open() as stream:
            assert stream.read() == "here"
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 2, output
    assert applied(scratch) == [("infra/a", "applied")]
    assert left(scratch) == ["infra/b"]
    assert not scratch.applied("b")
    assert "staging: interrupted, applied in part" in output


HIDDEN_OUTPUTS = """
output "known" {
  value     = sensitive("hunter2-plan")
  sensitive = true
}

output "made" {
  value     = terraform_data.it.id
  sensitive = true
}
"""


def test_a_failing_after_apply_command_shows_no_sensitive_output(scratch: Scratch, tmp_path: Path) -> None:
    scratch.root("a", HIDDEN_OUTPUTS)
    after = '[["sh", "-c", "cat; echo it broke; exit 1"]]'
    scratch.configure(roots=f'match = "infra/*"\napply = true\nafter_apply = {after}\n')
    scratch.commit()
    junit = tmp_path / "junit.xml"
    result = scratch.run("--apply-env", "staging", "-n0", f"--junitxml={junit}")
    assert result.code == 11, result.text
    assert "it broke" in result.text
    state = scratch.state("a")
    assert state is not None
    made = state["outputs"]["made"]["value"]
    written = [path.read_text() for path in (junit, scratch.output / "evidence.json", scratch.output / "summary.md")]
    for text in (result.text, *written):
        assert "hunter2-plan" not in text
        assert made not in text


def test_a_test_that_ends_the_run_as_a_success_does_not_make_it_one(scratch: Scratch) -> None:
    scratch.write("tests/test_ends.py", 'import pytest\n\n\ndef test_ends():\n    pytest.exit("bye", returncode=0)\n')
    scratch.commit()
    result = scratch.run("--apply-env", "staging", "-n0")
    assert result.code == 1, result.text
    assert scratch.evidence()["run"]["exit_code"] == 1
    assert not scratch.applied("a")


FAILS = "def test_rule(tf_plan):\n    assert False\n"


@pytest.mark.parametrize(
    ("args", "cwd"),
    [
        (("-c", "other.ini"), "."),
        (("--noconftest",), "."),
        (("--confcutdir", "tests/policies"), "."),
        (("@arguments",), "."),
        ((), "infra"),
    ],
    ids=["ini", "noconftest", "confcutdir", "file", "directory"],
)
def test_what_keeps_tests_from_being_found_closes_the_gate(args: tuple[str, ...], cwd: str, scratch: Scratch) -> None:
    scratch.write("tests/policies/test_rules.py", FAILS)
    scratch.write("tests/conftest.py", "collect_ignore = ['policies']\n" if cwd == "." else "")
    scratch.write("other.ini", "[pytest]\ntestpaths = infra\n")
    scratch.write("arguments", "-p\nno:unraisableexception\n")
    scratch.commit()
    result = scratch.run("--apply-env", "staging", "-n0", *args, cwd=cwd)
    assert result.code == 1, result.text
    assert "narrowed" in scratch.reasons()
    assert not scratch.applied("a")


@pytest.mark.parametrize(
    ("ini", "args", "says"),
    [
        ("", ("--apply-env", ""), "the environment's name is missing"),
        ("", ("--apply-env", "staging", "--apply-env", "staging"), "more than once"),
        ("--apply-env staging", (), "--apply-env counts only when it is typed"),
        ("--allow-destroy infra/a//x.y", ("--apply-env", "staging", "--allow-destroy", "z"), "--allow-destroy counts"),
        ("", ("--apply-env", "staging,production"), "names several"),
    ],
    ids=["empty", "twice", "ini", "also typed", "two"],
)
def test_an_apply_that_was_not_clearly_asked_for_is_a_usage_error(
    ini: str, args: tuple[str, ...], says: str, scratch: Scratch
) -> None:
    scratch.write("pytest.ini", f"[pytest]\ntestpaths = tests\naddopts = {ini}\n")
    scratch.commit()
    result = scratch.run(*args, "-n0")
    assert result.code == 4, result.text
    assert says in result.text
    assert not scratch.applied("a")


def test_a_marker_may_name_one_environment_as_a_text(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path, environments=("prod", "production"))
    scratch.configure(roots=f'match = "infra/*"\nbackend = ["path={scratch.states}/{{name}}-{{env}}.tfstate"]\n')
    scratch.without_checkov()
    scratch.root("a")
    marked = '@pytest.mark.tf_policy(environments="production")\ndef test_it(tf_plan):\n    pass\n'
    scratch.write("tests/test_rules.py", f"import pytest\n\n\n{marked}")
    scratch.commit()
    result = scratch.run("--tf-plan", "prod,production", "-n0", "-v")
    assert result.code == 0, result.text
    assert "test_it[a-production]" in result.text
    assert "test_it[a-prod]" not in result.text


COMMITS = """
import pathlib
import subprocess

TOP = pathlib.Path(__file__).parents[1]


def git(*words):
    user = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *user, *words], cwd=TOP, check=True)


def test_that_pulls():
    path = TOP / "infra" / "new" / "main.tf"
    path.parent.mkdir()
    path.write_text("resource {}")
    git("add", "--all", "infra")
    git("commit", "--quiet", "--message", "New")
"""


def test_a_commit_that_comes_while_the_run_goes_on_is_not_applied_as_checked(scratch: Scratch) -> None:
    scratch.write("tests/test_pull.py", COMMITS)
    scratch.commit()
    result = scratch.run("--apply-env", "staging", "-n0")
    assert result.code == 1, result.text
    assert scratch.reasons() == {"tree-changed"}
    assert not scratch.applied("a")


@pytest.mark.parametrize("how", ["--skip-worktree", "--assume-unchanged"])
def test_a_file_that_git_was_told_to_overlook_is_not_the_commit(how: str, scratch: Scratch) -> None:
    scratch.commit()
    scratch.git("update-index", how, "infra/a/main.tf")
    scratch.root("a", value="never committed")
    assert scratch.clean(), "git itself says nothing"
    result = scratch.run("--apply-env", "staging", "-n0")
    assert result.code == 1, result.text
    assert scratch.reasons() == {"tree-dirty"}
    assert scratch.evidence()["run"]["tree_clean"] is False
    assert not scratch.applied("a")


def test_an_environment_in_which_nothing_would_be_applied_is_a_usage_error(scratch: Scratch) -> None:
    scratch.configure(roots='match = "infra/*"\n')
    scratch.commit()
    result = scratch.run("--apply-env", "staging", "-n0")
    assert result.code == 4, result.text
    assert "no root of `staging` is to be applied" in result.text
    assert scratch.run("--tf-plan", "staging", "-n0").code == 0


BREAKS_PLANS = """
import pathlib


def test_that_tidies_up_too_much(tf_plan):
    for path in pathlib.Path(".tfpipeline", "runs").glob("*/plans/*/*.json"):
        path.write_text("{")
"""


def test_a_plan_that_is_broken_on_disk_closes_the_gate_and_leaves_evidence(scratch: Scratch) -> None:
    scratch.write("tests/test_rules.py", BREAKS_PLANS)
    scratch.commit()
    result = scratch.run("--apply-env", "staging", "-n0")
    assert "Traceback" not in result.text, result.text
    assert result.code in (1, 11), result.text
    assert scratch.evidence()["run"]["exit_code"] == result.code
    assert not scratch.applied("a")


def test_an_apply_that_nobody_listens_to_any_more_is_still_written_down(scratch: Scratch) -> None:
    """`pytest --apply-env staging | head`."""
    scratch.root("b", reads="a")
    scratch.commit()
    with scratch.start("--apply-env", "staging", "-n0") as process:
        assert process.stdout is not None
        assert any("applying staging" in line for line in process.stdout)
        process.stdout.close()
        process.wait(60)
    assert process.returncode != 0
    assert scratch.applied("a")
    assert [one["root"] for one in scratch.environment()["applied"]][:1] == ["infra/a"]
    assert scratch.locks() == []


@pytest.mark.parametrize("line", ['vars = { region = "..." }', 'backend = ["path=..."]'])
def test_a_line_that_was_pasted_and_not_filled_in_applies_nothing(scratch: Scratch, line: str) -> None:
    """It would make everything anew, in a state of that name."""
    scratch.root("a", 'variable "region" {\n  default = "x"\n}\n\noutput "region" {\n  value = var.region\n}')
    scratch.configure(roots=f'match = "infra/*"\napply = true\n{line}\n')
    scratch.commit()
    result = scratch.run("--apply-env", "staging", "-n", "0")
    assert (result.code, scratch.applied("a")) == (4, False), result.text
    assert "of infra/a is still `...`" in result.text
    assert "tfpipeline.toml" in result.text
