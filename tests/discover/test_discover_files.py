"""What belongs to a repository, with the real git."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from pytest_tfpipeline.discover.files import repository_files
from pytest_tfpipeline.process import Runner


def git(where: Path, *arguments: str) -> None:
    names = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always")
    subprocess.run(["git", *names, *arguments], cwd=where, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    top = tmp_path / "top"
    (top / "sub").mkdir(parents=True)
    git(top, "init", "-q")
    for name in ("a.tf", "sub/b c'ä.tf", "gone.tf"):
        (top / name).write_text("")
    git(top, "add", ".")
    git(top, "commit", "-qm", "x")
    return top


def test_tracked_and_new_but_neither_ignored_nor_deleted(repository: Path) -> None:
    (repository / ".gitignore").write_text("*.log\nout/\n")
    (repository / "new.tf").write_text("")
    (repository / "x.log").write_text("")
    (repository / "out").mkdir()
    (repository / "out" / "m.tf").write_text("")
    (repository / "gone.tf").unlink()
    (repository / ".tfpipeline").mkdir()
    (repository / ".tfpipeline" / "m.tf").write_text("")
    assert repository_files(repository, Runner()) == (".gitignore", "a.tf", "new.tf", "sub/b c'ä.tf")


def test_below_the_top_of_the_checkout(repository: Path) -> None:
    assert repository_files(repository / "sub", Runner()) == ("b c'ä.tf",)


def test_a_directory_that_git_ignores_is_walked(repository: Path) -> None:
    (repository / ".gitignore").write_text("inner/\n")
    (repository / "inner" / "node_modules").mkdir(parents=True)
    (repository / "inner" / "m.tf").write_text("")
    (repository / "inner" / "node_modules" / "x.tf").write_text("")
    assert repository_files(repository / "inner", Runner()) == ("m.tf",)


def test_submodules_are_in_and_foreign_checkouts_are_not(repository: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    (other / "m.tf").write_text("")
    git(other, "add", ".")
    git(other, "commit", "-qm", "x")
    git(repository, "submodule", "add", "-q", str(other), "mod")
    git(repository, "clone", "-q", str(other), "foreign")
    found = repository_files(repository, Runner())
    assert "mod/m.tf" in found
    assert not [name for name in found if name.startswith("foreign")]


def test_in_a_git_hook_the_variables_of_another_repository_do_not_count(repository: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    git(tmp_path / "empty", "init", "-q")
    runner = Runner({"PATH": os.environ["PATH"], "GIT_DIR": str(tmp_path / "empty" / ".git")})
    assert "a.tf" in repository_files(repository, runner)


def test_without_git_the_tree_is_walked(repository: Path) -> None:
    (repository / "sub" / "__pycache__").mkdir()
    (repository / "sub" / "__pycache__" / "x.tf").write_text("")
    (repository / "link").symlink_to("sub")
    runner = Runner({"PATH": "/nonexistent"})
    assert repository_files(repository, runner) == ("a.tf", "gone.tf", "link", "sub/b c'ä.tf")
