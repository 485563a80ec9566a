"""`--tf-changed`: what runs, what is said of it, and that nothing is ever applied by what was left out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scratch import Scratch

POLICY = """
def test_small(tf_plan):
    assert len(tf_plan.resources()) < 5
"""
CONFIGURATION = """
def test_named(tf_configuration):
    assert tf_configuration
"""


@pytest.fixture
def changing(scratch: Scratch) -> Scratch:
    """Roots `a`, `b` that reads `a`, and `c` that calls a module; committed on main, with a branch checked out."""
    scratch.root("b", reads="a")
    scratch.root("c", 'module "m" {\n  source = "../../modules/m"\n}')
    scratch.write("modules/m/main.tf", 'resource "terraform_data" "m" {}\n')
    scratch.write("tests/test_rules.py", POLICY)
    scratch.write("tests/test_configured.py", CONFIGURATION)
    scratch.write(".github/workflows/check.yml", "name: check\n")
    scratch.commit()
    scratch.git("checkout", "--quiet", "-b", "feature")
    return scratch


def directories(scratch: Scratch) -> set[str]:
    """Those that have a record in the last evidence."""
    return {check["root"] for check in scratch.evidence()["checks"] if check["root"]}


def append(scratch: Scratch, name: str, text: str = "\n") -> None:
    """Change a file without changing what it says."""
    path = scratch.path / name
    path.write_text(path.read_text() + text)


@pytest.mark.parametrize(
    ("name", "affected"),
    [
        ("infra/a/main.tf", {"infra/a", "infra/b"}),
        ("infra/b/main.tf", {"infra/b"}),
        ("modules/m/main.tf", {"modules/m", "infra/c"}),
        (".tflint.hcl", {"infra/a", "infra/b", "infra/c", "modules/m"}),
    ],
)
@pytest.mark.parametrize("workers", ["0", "2"])
def test_only_what_a_change_can_affect_is_checked(
    changing: Scratch, name: str, affected: set[str], workers: str
) -> None:
    append(changing, name, "# a comment\n")

    result = changing.run("--tf-changed", "-n", workers, "-m", "tf_fmt or tf_validate")

    assert result.code == 0, result.text
    assert directories(changing) == affected
    since = changing.git("rev-parse", "main")[:12]
    assert f"changed since main (merge base) {since}: {len(affected)} of 4 directories" in result.stdout


def test_the_reasons_are_told_under_v(changing: Scratch) -> None:
    append(changing, "modules/m/main.tf")

    result = changing.run("--tf-changed", "-n", "0", "-v", "-m", "tf_validate")

    assert "  infra/c: it calls modules/m" in result.stdout
    assert "  modules/m: modules/m/main.tf changed" in result.stdout


def test_commits_the_index_the_work_tree_and_new_files_count(changing: Scratch) -> None:
    append(changing, "infra/b/main.tf")
    changing.commit()
    append(changing, "modules/m/main.tf")
    changing.git("add", "--all")
    changing.root("d")

    result = changing.run("--tf-changed", "-n", "0", "-m", "tf_validate")

    assert result.code == 0, result.text
    assert directories(changing) == {"infra/b", "infra/c", "infra/d"}
    assert "4 of 5 directories (3 files)" in result.stdout


def test_a_commit_that_is_named_is_compared_with_as_it_is(changing: Scratch) -> None:
    append(changing, "infra/b/main.tf")
    changing.commit()
    append(changing, "modules/m/main.tf")
    changing.commit()

    result = changing.run("--tf-changed=HEAD~1", "-n", "0", "-m", "tf_validate")

    assert directories(changing) == {"infra/c"}
    assert f"changed since HEAD~1 {changing.git('rev-parse', 'HEAD~1')[:12]}: 2 of 4 directories" in result.stdout


@pytest.mark.parametrize("workers", ["0", "2"])
def test_where_nothing_changed_nothing_is_checked_and_that_is_a_success(changing: Scratch, workers: str) -> None:
    (changing.path / "tests/test_configured.py").unlink()
    changing.commit()
    append(changing, ".github/workflows/check.yml")

    result = changing.run("--tf-changed=HEAD", "--tf-plan", "staging", "-n", workers)

    assert result.code == 0, result.text
    assert "nothing that changed since HEAD can affect a check, so none was made (--tf-changed)" in result.stdout
    assert changing.evidence()["run"]["exit_code"] == 0
    assert changing.reasons() == {"narrowed", "nothing-to-check"}


def test_where_something_changed_and_nothing_was_collected_it_is_none(changing: Scratch) -> None:
    append(changing, "infra/b/main.tf")

    assert changing.run("--tf-changed", "-n", "0", "-k", "nothing_of_this_name").code == 5


def test_tests_of_the_repositorys_own_always_run(changing: Scratch) -> None:
    changing.write("tests/test_plain.py", "def test_plain():\n    assert True\n")
    changing.commit()

    result = changing.run("--tf-changed=HEAD", "-n", "0")

    assert result.code == 0, result.text
    assert "1 passed" in result.stdout


def test_policy_tests_judge_what_is_affected_and_a_changed_one_everything(changing: Scratch) -> None:
    append(changing, "infra/b/main.tf")
    append(changing, "tests/test_configured.py")

    result = changing.run("--tf-changed", "--tf-plan", "staging", "-n", "0", "-k", "test_small or test_named")

    assert result.code == 0, result.text
    assert set(changing.outcomes()) >= {
        "tests/test_rules.py::test_small[b-staging]",
        *(f"tests/test_configured.py::test_named[{name}]" for name in "abcm"),
    }
    assert not [name for name in changing.outcomes() if name.endswith(("[a-staging]", "[c-staging]"))]


def test_a_root_whose_upstream_is_not_affected_is_planned_behind_it(changing: Scratch) -> None:
    append(changing, "infra/b/main.tf")

    result = changing.run("--tf-changed", "--tf-plan", "staging", "-n", "0")

    assert result.code == 0, result.text
    assert changing.outcomes()["infra/b/main.tf::plan[staging]"] == "deferred"
    assert "infra/a/main.tf::plan[staging]" not in changing.outcomes()


def test_what_was_named_is_checked(changing: Scratch) -> None:
    result = changing.run("infra/a/main.tf::validate", "--tf-changed", "-n", "0")

    assert result.code == 0, result.text
    assert "1 passed" in result.stdout


def test_a_root_that_was_a_module_is_affected_by_what_called_it(changing: Scratch) -> None:
    changing.write("shared/m/main.tf", 'resource "terraform_data" "m" {}\n')
    changing.write("shared/m/terraform.tfvars", "")
    changing.root("d", 'module "m" {\n  source = "../../shared/m"\n}')
    changing.commit()
    changing.root("d")

    changing.run("--tf-changed=HEAD", "-n", "0", "-m", "tf_validate")

    assert directories(changing) == {"infra/d", "shared/m"}


def test_the_list_says_why(changing: Scratch) -> None:
    append(changing, "modules/m/main.tf")

    table = changing.run("--tf-list", "--tf-changed")
    found = json.loads(changing.run("--tf-list=json", "--tf-changed").stdout)

    assert "affected: it calls modules/m" in table.stdout
    assert "infra/a" not in table.stdout
    assert [row["dir"] for row in found] == ["infra/c", "modules/m"]
    assert set(found[0]) == {
        *("dir", "kind", "rule", "guessed", "name", "environments", "after", "callers", "apply"),
    }


@pytest.mark.parametrize("where", ["command line", "PYTEST_ADDOPTS", "addopts"])
def test_with_an_apply_it_is_refused_wherever_it_stands(changing: Scratch, where: str) -> None:
    append(changing, "infra/a/main.tf")
    if where == "addopts":
        changing.write("pytest.ini", "[pytest]\ntestpaths = tests\naddopts = --tf-changed\n")
    changing.commit()
    given = ["--tf-changed"] if where == "command line" else []
    env = {"PYTEST_ADDOPTS": "--tf-changed=HEAD"} if where == "PYTEST_ADDOPTS" else {}

    result = changing.run("--apply-env", "staging", "-n", "0", *given, env=env)

    assert result.code == 4
    assert "it cannot be given with --apply-env" in result.stderr
    assert not changing.applied("a")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("--tf-changed=--all", "git has no name that begins with a hyphen"),
        ("--tf-changed=-O/dev/null", "git has no name that begins with a hyphen"),
        ("--tf-changed=", "the name is missing"),
        ("--tf-changed=nowhere", "git knows no such commit here"),
        ("--tf-changed=main:infra", "git knows no such commit here"),
    ],
)
def test_a_name_that_is_none_is_refused(changing: Scratch, given: str, said: str) -> None:
    result = changing.run(given, "-n", "0")

    assert result.code == 4
    assert said in result.stderr
    assert "Traceback" not in result.text


def test_a_path_behind_it_is_no_commit(changing: Scratch) -> None:
    result = changing.run("--tf-changed", "infra", "-n", "0")

    assert result.code == 4
    assert "write --tf-changed=REF, or the path first" in result.stderr


def test_without_a_default_branch_the_commit_must_be_named(changing: Scratch) -> None:
    changing.git("branch", "--quiet", "--move", "main", "trunk")

    result = changing.run("--tf-changed", "-n", "0")

    assert result.code == 4
    assert "none of origin/HEAD, origin/main, origin/master, main, master is here" in result.stderr
    assert "--tf-changed=REF" in result.stderr


def test_a_shallow_clone_says_that_it_is_one(changing: Scratch, tmp_path: Path) -> None:
    append(changing, "infra/a/main.tf")
    changing.commit()
    changing.git("checkout", "--quiet", "main")
    url = changing.path.as_uri()
    clone = Scratch(tmp_path / "shallow")
    clone.env = changing.env
    for name in (".tflint.hcl", "pytest.ini", ".gitignore", "tfpipeline.toml"):
        (clone.path / name).unlink()
    clone.git("clone", "--quiet", "--depth", "1", "--branch", "feature", "--no-single-branch", url, ".")

    result = clone.run("--tf-changed", "-n", "0")

    assert result.code == 4
    assert "in common: this is a shallow clone" in result.stderr
    assert "git fetch --unshallow" in result.stderr


def test_it_works_in_a_linked_work_tree(changing: Scratch, tmp_path: Path) -> None:
    changing.git("checkout", "--quiet", "main")
    linked = Scratch.__new__(Scratch)
    linked.path, linked.states, linked.env = tmp_path / "linked", changing.states, changing.env
    linked.output = linked.path / ".tfpipeline"
    changing.git("worktree", "add", "--quiet", str(linked.path), "feature")
    append(linked, "infra/b/main.tf")

    result = linked.run("--tf-changed", "-n", "0", "-m", "tf_validate")

    assert result.code == 0, result.text
    assert directories(linked) == {"infra/b"}


def test_a_file_that_git_was_told_to_overlook_counts(changing: Scratch) -> None:
    changing.git("update-index", "--assume-unchanged", "infra/b/main.tf")
    append(changing, "infra/b/main.tf")

    changing.run("--tf-changed", "-n", "0", "-m", "tf_validate")

    assert directories(changing) == {"infra/b"}


def test_its_evidence_says_that_it_was_narrowed(changing: Scratch) -> None:
    append(changing, "infra/b/main.tf")
    changing.commit()

    changing.run("--tf-changed", "--tf-plan", "staging", "-n", "0")

    evidence = changing.evidence()
    assert evidence["run"]["changed_since"] == changing.git("rev-parse", "main").strip()
    assert evidence["run"]["not_judged"] == ["infra/a", "infra/c", "modules/m"]
    assert "narrowed" in changing.reasons()
