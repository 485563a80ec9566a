"""Private copies of the tree: the same bytes, nothing from outside, and no second version of a file."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_tfpipeline.errors import WorkspaceError
from pytest_tfpipeline.model import Repository, Run, Target
from pytest_tfpipeline.workspace import Workspace, changed_files, manifest, tree_digest

Open = Callable[..., Workspace]


@pytest.fixture
def top(tmp_path: Path) -> Path:
    path = tmp_path / "top"
    (path / "a b").mkdir(parents=True)
    (path / "a b" / 'it\'s "ä".tf').write_text("# x\n")
    (path / "run.sh").write_text("#!/bin/sh\n")
    (path / "run.sh").chmod(0o755)
    return path


@pytest.fixture
def open_workspace(top: Path, tmp_path: Path) -> Open:
    def make(files: dict[str, str] | None = None, **settings: object) -> Workspace:
        work = tmp_path / "out" / "runs" / "r"
        work.mkdir(parents=True, exist_ok=True)
        found = [path for path in top.rglob("*") if path.is_symlink() or path.is_file()]
        listed = {str(path.relative_to(top)): "" for path in found} if files is None else files
        (work / "files.json").write_text(json.dumps(listed))
        return Workspace(
            Run(
                "r",
                "plan",
                Repository(str(top)),
                str(tmp_path / "out"),
                str(work),
                files_path=str(work / "files.json"),
                settings=dict(settings),
            )
        )

    return make


def test_a_copy_has_the_same_bytes_and_modes_and_is_private(top: Path, open_workspace: Open) -> None:
    workspace = open_workspace()
    copy = workspace.tree("staging")
    assert manifest(copy) == manifest(top)
    assert os.access(copy / "run.sh", os.X_OK)
    assert (copy.stat().st_mode & 0o777, copy.parent.stat().st_mode & 0o777) == (0o700, 0o700)


def test_environments_have_copies_of_their_own_and_each_is_made_once(open_workspace: Open) -> None:
    workspace = open_workspace()
    staging, production, static = (workspace.tree(name) for name in ("staging", "production", None))
    assert len({staging, production, static}) == 3
    (staging / "run.sh").write_text("generated")
    assert (workspace.tree("staging") / "run.sh").read_text() == "generated"
    assert (production / "run.sh").read_text() == "#!/bin/sh\n"


def test_a_file_that_changed_since_it_was_listed_is_an_error(top: Path, open_workspace: Open) -> None:
    digest = hashlib.sha256((top / "run.sh").read_bytes()).hexdigest()
    workspace = open_workspace({"run.sh": digest})
    (top / "run.sh").write_text("#!/bin/sh\nrm -rf /\n")
    with pytest.raises(WorkspaceError, match="changed while the run was going on") as caught:
        workspace.tree("staging")
    assert caught.value.where == "run.sh"
    (top / "run.sh").write_text("#!/bin/sh\n")
    assert workspace.tree("staging").is_dir()


def test_a_listed_file_that_is_gone_counts_as_changed_only_if_its_hash_was_taken(open_workspace: Open) -> None:
    assert manifest(open_workspace({"gone.tf": ""}).tree("one")) == {}
    with pytest.raises(WorkspaceError, match="changed"):
        open_workspace({"gone.tf": "0" * 64}).tree("two")


def test_symlinks_stay_symlinks_and_lead_into_the_copy(top: Path, open_workspace: Open) -> None:
    (top / "relative.sh").symlink_to("run.sh")
    (top / "a b" / "absolute.sh").symlink_to(top / "run.sh")
    (top / "loop").symlink_to("loop")
    (top / "dangling").symlink_to("nothing")
    copy = open_workspace().tree("staging")
    assert (copy / "relative.sh").readlink() == Path("run.sh")
    assert (copy / "a b" / "absolute.sh").resolve() == (copy / "run.sh").resolve()
    assert (copy / "loop").is_symlink()
    assert (copy / "dangling").is_symlink()


@pytest.mark.parametrize("where", ["../secret", "/etc/passwd", "a b/../../secret"])
def test_a_symlink_that_leads_outside_leads_nowhere(top: Path, open_workspace: Open, where: str) -> None:
    (top.parent / "secret").write_text("x")
    (top / "leak").symlink_to(where)
    workspace = open_workspace()
    copy = workspace.tree("staging")
    assert (copy / "leak").is_symlink()
    assert not (copy / "leak").exists()
    assert (copy / "run.sh").exists()
    assert workspace.outer_links(["."]) == ("leak",)


def test_a_symlink_that_leads_outside_by_way_of_another_is_found(top: Path, open_workspace: Open) -> None:
    (top.parent / "secret").write_text("x")
    (top / "deep" / "er").mkdir(parents=True)
    (top / "deep" / "er" / "shallow").symlink_to("../../a b")
    (top / "deep" / "er" / "leak").symlink_to("shallow/../../secret")
    workspace = open_workspace()
    assert not (workspace.tree("staging") / "deep" / "er" / "leak").exists()
    assert workspace.outer_links(["deep"]) == ("deep/er/leak",)
    assert workspace.outer_links(["a b"]) == ()


def test_copy_in_brings_ignored_files_but_never_git(top: Path, open_workspace: Open) -> None:
    (top / ".git").mkdir()
    (top / ".git" / "config.jar").write_text("x")
    (top / "build").mkdir()
    (top / "build" / "x.jar").write_text("x")
    copy = open_workspace({}, copy_in=["**/*.jar"]).tree("staging")
    assert list(manifest(copy, ())) == ["build/x.jar"]


@pytest.mark.parametrize(
    ("pattern", "brought"),
    [
        ("build/**", ["build/deep/er/y.jar", "build/x.jar"]),
        ("build/*", ["build/x.jar"]),
        ("**/y.jar", ["build/deep/er/y.jar"]),
        ("build/deep/er/y.jar", ["build/deep/er/y.jar"]),
        ("build", []),
        ("nothing/**", []),
    ],
)
def test_copy_in_means_by_a_pattern_what_the_configuration_does(
    top: Path, open_workspace: Open, pattern: str, brought: list[str]
) -> None:
    for name in ("build/x.jar", "build/deep/er/y.jar", "build/.terraform/z.jar"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text("x")
    assert sorted(manifest(open_workspace({}, copy_in=[pattern]).tree("staging"), ())) == brought


def test_changes_between_two_looks_are_named(top: Path) -> None:
    before, digest = manifest(top), tree_digest(top)
    (top / "new.tf").write_text("")
    (top / "run.sh").chmod(0o644)
    (top / "a b" / 'it\'s "ä".tf').unlink()
    (top / ".terraform").mkdir()
    (top / ".terraform" / "lock.json").write_text("x")
    (top / "terraform.tfstate").write_text("{}")
    assert changed_files(before, manifest(top)) == ('a b/it\'s "ä".tf', "new.tf", "run.sh")
    assert tree_digest(top) != digest


def test_plans_of_unlike_roots_never_share_a_file(open_workspace: Open) -> None:
    workspace = open_workspace()
    roots = (".", "_top", "a/b", "a__b", "a_/_b", "ä \"b'", "x" * 300)
    paths = {workspace.plan_paths(Target(root, "staging"))[0] for root in roots}
    assert len({str(path).lower() for path in paths}) == len(roots)
    for path in paths:
        path.write_text("x")
    assert workspace.plan_paths(Target("terraform/core", "staging"))[1].name == "terraform__core.json"
