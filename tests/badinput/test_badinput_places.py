"""Unusual places: no home, no git, no commit, another rootdir, variables that are no text, very many roots."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bench import Bench
from scratch import Result

from pytest_tfpipeline.tools.places import TOOLS_VARIABLE, tool_directory


@pytest.fixture
def tools() -> dict[str, str]:
    """The tools that are there already, wherever the home directory leads."""
    return {TOOLS_VARIABLE: str(tool_directory(os.environ))}


@pytest.mark.parametrize("home", ["empty", "", "relative", "/proc/nowhere"])
def test_a_home_that_is_empty_or_none_or_read_only(
    bench: Bench, tools: dict[str, str], tmp_path: Path, home: str
) -> None:
    if home == "empty":
        home = str(tmp_path)
    result = bench.plan(env={"HOME": home, **tools})
    assert result.code == 0
    assert bench.outcome("plan[staging]") == "passed"
    assert bench.scratch.clean()


def test_no_home_at_all(bench: Bench, tools: dict[str, str]) -> None:
    bench.scratch.commit()
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "TF_", "HOME"))}
    argv = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-n0", "-k", "not policy", "--tf-plan", "staging"]
    done = subprocess.run(
        argv,
        cwd=bench.scratch.path,
        env={**env, **tools, "TFPIPELINE_CACHE": "off"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert bench.outcome("plan[staging]") == "passed"


def test_a_directory_without_git(bench: Bench) -> None:
    planned = bench.run("--tf-plan", "staging", "-n0", "-k", "not policy", commit=False)
    assert planned.code == 0
    assert bench.scratch.evidence()["run"]["commit"] is None
    assert bench.others_passed()


def test_nothing_is_applied_where_git_does_not_say_what_is_committed(bench: Bench) -> None:
    applied = bench.run("--apply-env", "staging", "-n0", "-k", "not policy", commit=False)
    assert applied.code == 1
    assert "tree-dirty" in applied.text
    assert "not a git repository" in applied.text
    assert not bench.scratch.applied("a")


def test_a_repository_without_a_commit(bench: Bench) -> None:
    bench.scratch.git("init", "--quiet", "--initial-branch", "main")
    assert bench.run("--tf-plan", "staging", "-n0", "-k", "not policy", commit=False).code == 0
    run = bench.scratch.evidence()["run"]
    assert (run["commit"], run["ref"], run["tree_clean"]) == (None, "main", False)


def test_a_shallow_clone_with_a_detached_head(bench: Bench) -> None:
    scratch = bench.scratch
    scratch.commit("One")
    scratch.commit("Two")
    commit = scratch.git("rev-parse", "HEAD").strip()
    origin = scratch.path.rename(scratch.path.with_name("origin"))
    subprocess.run(["git", "clone", "--quiet", "--depth=1", origin.as_uri(), str(scratch.path)], check=True)
    scratch.git("checkout", "--quiet", "--detach")
    result = bench.run("--tf-plan", "staging", "-n0", "-k", "not policy", commit=False)
    assert result.code == 0
    run = scratch.evidence()["run"]
    assert (run["commit"], run["ref"], run["tree_clean"]) == (commit, None, True)


def test_a_rootdir_below_the_top_of_the_repository(bench: Bench) -> None:
    (bench.scratch.path / "pytest.ini").unlink()
    bench.scratch.write("infra/pytest.ini", "[pytest]\n")
    result = bench.run("--tf-plan", "staging", "-n0", "-k", "not policy", cwd="infra")
    assert result.code == 0
    assert bench.others_passed()
    assert not (bench.scratch.path / "infra/.tfpipeline").exists()
    pasted = bench.run("infra/a/main.tf::validate", "-n0")
    assert "1 passed" in pasted.text


def test_a_bare_run_in_a_repository_that_knows_nothing_of_us(bench: Bench, tmp_path: Path) -> None:
    for name in ("tfpipeline.toml", "pytest.ini"):
        (bench.scratch.path / name).unlink()
    output = tmp_path / "some where" / "else"
    result = bench.run("-n0", "-k", "not policy", "--tf-output", str(output))
    assert result.code == 0
    assert "tfpipeline: 2 roots, 0 modules, 0 suites" in result.text
    assert json.loads((output / "evidence.json").read_bytes())["run"]["exit_code"] == 0
    assert not bench.scratch.output.exists()
    assert bench.scratch.clean()


def test_variables_that_are_no_text(bench: Bench) -> None:
    bench.scratch.root("a", 'variable "who" {\n  type = string\n}')
    env = {"SOME": os.fsdecode(b"caf\xe9"), "TF_VAR_who": os.fsdecode(b"caf\xe9")}
    result: Result = bench.plan(env=env)
    assert result.code == 0
    assert bench.outcome("plan[staging]") == "passed"


def test_two_hundred_roots_are_listed(bench: Bench) -> None:
    for number in range(200):
        shutil.copytree(bench.scratch.path / "infra/a", bench.scratch.path / f"infra/r{number:03}")
    result = bench.run("--tf-list=json", lines=100_000)
    assert result.code == 0
    assert len([row for row in json.loads(result.stdout) if row["kind"] == "root"]) == 202
