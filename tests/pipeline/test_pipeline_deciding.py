"""The files that decide, and whether they are the commit's: in a real git repository."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from scratch import Scratch

from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.model import Baseline, Deciding, Repository, Run
from pytest_tfpipeline.pipeline.deciding import changed_deciding, deciding_files, not_committed
from pytest_tfpipeline.pipeline.source import read_tree_state
from pytest_tfpipeline.process import Runner

NAME = "rules/w.toml"


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path)
    made.write(".gitignore", "ignored*\n.tfpipeline/\n")
    made.write(NAME, "")
    made.commit()
    return made


def run_of(scratch: Scratch, *files: Deciding) -> Run:
    """A run that was told by these files."""
    top = str(scratch.path)
    return Run("r", "apply", Repository(top), top, top, deciding=files)


def outside(scratch: Scratch, name: str) -> bool:
    """Whether that file is not the commit's."""
    one = Deciding(name, "waives findings")
    return not_committed(Runner(), run_of(scratch, one)) == (one,)


def test_each_file_that_decides_is_named_with_what_it_does(scratch: Scratch, tmp_path: Path) -> None:
    top = scratch.path
    named = {"waivers": NAME, "allow_destroy": "ignored.toml", "signers": "keys"}
    config = Config.model_validate(named).from_file("tfpipeline.toml", "")
    found = deciding_files(top, config, Baseline("known.json"), top / "pytest.ini")
    assert {one.file: one.role for one in found} == {
        "pytest.ini": "tells pytest what to run",
        "tfpipeline.toml": "configures the run",
        NAME: "waives findings",
        "ignored.toml": "allows deletions",
        "keys": "says who may sign",
        "known.json": "lets findings through",
    }
    assert [one.file for one in found if not one.sha256] == ["ignored.toml", "keys", "known.json"]
    assert deciding_files(top, Config(), None, None) == ()
    shared = Config().from_file("pyproject.toml", "tool.tfpipeline.")
    assert [one.role for one in deciding_files(top, shared, None, top / "pyproject.toml")] == ["configures the run"]
    assert [one.file for one in deciding_files(top, Config(), None, tmp_path / "tox.ini")] == [
        str(tmp_path / "tox.ini")
    ]


def test_what_the_operator_names_elsewhere_is_reviewed_elsewhere(scratch: Scratch, tmp_path: Path) -> None:
    keys = ("waivers", "allow_destroy", "signers")
    theirs = Config().model_copy(update={key: str(tmp_path / key) for key in keys})
    assert deciding_files(scratch.path, theirs, None, None) == ()
    inside = Config().model_copy(update={"waivers": str(scratch.path / NAME)})
    assert [one.role for one in deciding_files(scratch.path, inside, None, None)] == ["waives findings"]


def test_what_changes_during_the_run_is_named(scratch: Scratch) -> None:
    config = Config.model_validate({"waivers": NAME, "signers": "ignored"})
    run = run_of(scratch, *deciding_files(scratch.path, config, None, None))
    assert changed_deciding(run) == ()
    scratch.write("ignored", "")
    assert changed_deciding(run) == ("ignored",)
    (scratch.path / NAME).unlink()
    assert changed_deciding(run) == (NAME, "ignored")


def test_only_what_git_tracks_is_the_commits(scratch: Scratch, tmp_path: Path) -> None:
    scratch.write("ignored", "")
    scratch.write("new", "")
    assert not outside(scratch, NAME)
    assert not outside(scratch, str(scratch.path / NAME))
    assert not outside(scratch, f"rules/../{NAME}")
    for name in ("ignored", "new", "gone", "rules", "rules/*", str(tmp_path / "x"), "../x"):
        assert outside(scratch, name), name
    assert not_committed(Runner(), run_of(scratch)) == ()
    both = (Deciding("ignored", "a"), Deciding(NAME, "b"))
    assert not_committed(Runner(), run_of(scratch, *both)) == both[:1]


LINKS: dict[str, tuple[Callable[[Path], object], bool]] = {
    "to a file of the commit": (lambda top: (top / "link").symlink_to(NAME), False),
    "to one that is not": (lambda top: (top / "link").symlink_to("ignored"), True),
    "to another place": (lambda top: (top / "link").symlink_to("/etc/hosts"), True),
    "to nothing": (lambda top: (top / "link").symlink_to("gone"), True),
    "to itself, where nothing can be read": (lambda top: (top / "link").symlink_to("link"), False),
    "of a directory": (lambda top: ((top / "a").symlink_to("rules"), (top / "link").symlink_to("a/w.toml")), False),
    "by way of one that is not": (
        lambda top: ((top / "ignored2").symlink_to(NAME), (top / "link").symlink_to("ignored2")),
        True,
    ),
}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_of_the_commit_must_lead_to_a_file_of_the_commit(scratch: Scratch, name: str) -> None:
    make, expected = LINKS[name]
    scratch.write("ignored", "")
    make(scratch.path)
    scratch.commit()
    assert outside(scratch, "link") is expected


def test_a_link_that_git_ignores_is_not_the_commits(scratch: Scratch) -> None:
    (scratch.path / "ignored").symlink_to(NAME)
    assert outside(scratch, "ignored")


def test_the_repository_may_itself_be_reached_by_a_link(scratch: Scratch, tmp_path: Path) -> None:
    (tmp_path / "here").symlink_to(scratch.path)
    run = replace(run_of(scratch, Deciding(NAME, "x")), repository=Repository(str(tmp_path / "here")))
    assert not_committed(Runner(), run) == ()


def test_a_file_of_a_submodule_is_tracked_there(scratch: Scratch, tmp_path: Path) -> None:
    other = Scratch(tmp_path / "other")
    other.write("w.toml", "")
    other.commit()
    scratch.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.path), "shared")
    scratch.commit()
    scratch.write("shared/other", "")
    assert not outside(scratch, "shared/w.toml")
    assert outside(scratch, "shared/other")


def test_variables_of_git_and_its_monitor_do_not_mislead(scratch: Scratch, tmp_path: Path) -> None:
    clean = Scratch(tmp_path / "other")
    clean.commit()
    monitor = scratch.path.parent / "monitor"
    monitor.write_text("#!/bin/sh\nprintf 'token\\0'\n")
    monitor.chmod(0o755)
    scratch.git("config", "core.fsmonitor", str(monitor))
    scratch.git("status")
    scratch.write(NAME, "changed")
    runner = Runner({**os.environ, "GIT_DIR": str(clean.path / ".git"), "GIT_WORK_TREE": str(clean.path)})
    assert read_tree_state(runner, scratch.path, ()).dirty == (NAME,)


def test_a_conftest_that_git_ignores_is_named_wherever_it_is(scratch: Scratch) -> None:
    for name in (".gitignore", "conftest.py", "tests/deep/conftest.py", "tests/my_conftest.py"):
        scratch.write(name, "conftest.py\nmy_conftest.py\n")
    scratch.commit()
    assert read_tree_state(Runner(), scratch.path, ()).ignored == ("conftest.py", "tests/deep/conftest.py")
