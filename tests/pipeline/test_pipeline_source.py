"""What git says about a tree, and what it must not keep quiet about."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_tfpipeline.pipeline.source import TreeState, read_source, read_tree_state, tracked
from pytest_tfpipeline.process import Runner

ROOTS = ("infra/a", ".")
Git = Callable[..., None]


@pytest.fixture
def top(tmp_path: Path) -> Path:
    path = tmp_path / "lake"
    (path / "infra" / "a").mkdir(parents=True)
    (path / "infra" / "a" / "main.tf").write_text("# a\n")
    (path / ".gitignore").write_text("*.tfvars\n*_override.tf\n*_override.tf.json\nbuild/\n")
    return path


@pytest.fixture
def git(top: Path) -> Git:
    """Runs git there; the tree is committed."""
    who = {f"GIT_{role}_{what}": "ann@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {**os.environ, **who, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}

    def run(*words: str) -> None:
        subprocess.run(["git", *words], cwd=top, env=env, check=True, capture_output=True)

    run("init", "-q", "-b", "main")
    run("add", ".")
    run("commit", "-qm", "one")
    return run


def state(top: Path) -> TreeState:
    return read_tree_state(Runner(), top, ROOTS)


def is_clean(top: Path) -> bool | None:
    return read_source(Runner(), top).tree_clean


def test_a_committed_tree_is_the_commit(top: Path, git: Git) -> None:
    git("remote", "add", "origin", "https://ann:t0ken@example.org:8443/acme/lake.git")
    source = read_source(Runner(), top)
    assert (source.repository, source.ref, source.tree_clean) == (
        "https://example.org:8443/acme/lake.git",
        "main",
        True,
    )
    assert source.commit is not None
    assert len(source.commit) == 40
    assert state(top) == TreeState()


@pytest.mark.parametrize("name", ["infra/a/main.tf", "infra/a/new.tf", "docs/deep/new.md"])
def test_whatever_differs_is_named(top: Path, git: Git, name: str) -> None:
    (top / name).parent.mkdir(parents=True, exist_ok=True)
    (top / name).write_text("# changed\n")
    assert state(top) == TreeState(dirty=(name,))
    assert is_clean(top) is False


def test_a_submodule_is_looked_into_whatever_git_was_told(top: Path, git: Git) -> None:
    (top / "sub").mkdir()
    git("-C", "sub", "init", "-q")
    git("-C", "sub", "commit", "-qm", "one", "--allow-empty")
    git("add", "sub")
    git("commit", "-qm", "two")
    git("config", "diff.ignoreSubmodules", "all")
    (top / "sub" / "new.tf").write_text("# new\n")
    assert state(top) == TreeState(dirty=("sub",))


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_what_git_was_told_to_overlook_is_named(top: Path, git: Git, flag: str) -> None:
    git("update-index", flag, "infra/a/main.tf")
    (top / "infra" / "a" / "main.tf").write_text("# changed\n")
    assert state(top).dirty == ("infra/a/main.tf (git update-index hides what is in it)",)
    assert is_clean(top) is False
    (top / "infra" / "a" / "main.tf").unlink()
    assert state(top) == TreeState()  # as a sparse checkout leaves it


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("infra/a/terraform.tfvars", True),
        ("infra/a/x.auto.tfvars", True),
        ("infra/a/x_override.tf", True),
        ("infra/a/x_override.tf.json", True),
        ("terraform.tfvars", True),
        ("infra/a/staging.tfvars", False),
        ("infra/terraform.tfvars", False),
        ("build/x_override.tf", False),
    ],
)
def test_what_git_ignores_and_terraform_reads_is_named(top: Path, git: Git, name: str, read: bool) -> None:
    (top / name).parent.mkdir(parents=True, exist_ok=True)
    (top / name).write_text("x = 1\n")
    assert state(top) == TreeState(ignored=(name,) if read else ())
    assert is_clean(top) is True


def test_without_git_nobody_can_say_what_the_tree_is(top: Path) -> None:
    assert "git cannot say" in state(top).dirty[0]
    source = read_source(Runner(), top)
    assert (source.repository, source.commit, source.ref, source.tree_clean) == ("lake", None, None, None)


def test_a_file_is_tracked_by_its_very_name(top: Path, git: Git) -> None:
    asked = ("infra/a/main.tf", "infra/a/*.tf", "infra/a/other.tf")
    assert tracked(Runner(), top, asked) == {"infra/a/main.tf"}
