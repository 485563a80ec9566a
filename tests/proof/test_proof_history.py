"""What earlier runs kept in the output directory, and real git on how commits follow each other."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from scratch import Scratch

from pytest_tfpipeline.pipeline.history import Kept, is_ancestor, kept_evidence, last_kept
from pytest_tfpipeline.process import Runner

REPOSITORY = "https://example.org/lake.git"


@pytest.fixture
def keep(tmp_path: Path, document: Callable[..., dict[str, Any]]) -> Callable[..., Path]:
    """A function that keeps evidence of a run on that day of January."""

    def make(day: int, *edits: Callable[[dict[str, Any]], Any], text: str | None = None) -> Path:
        path = tmp_path / "evidence" / f"202601{day:02}T000000-111111111111-abcdef.json"
        path.parent.mkdir(exist_ok=True)
        started = {"id": str(day), "started": f"2026-01-{day:02}T00:00:00+00:00"}
        value = document(lambda value: value["run"].update(started), *edits)
        path.write_text(json.dumps(value) if text is None else text, encoding="utf-8")
        return path

    return make


def nothing_applied(value: dict[str, Any]) -> None:
    value["environments"][0]["applied"] = []


def failed(value: dict[str, Any]) -> None:
    value["environments"][0]["applied"][0]["outcome"] = "failed"


def emulated(value: dict[str, Any]) -> None:
    value["environments"][0]["emulated"] = True


def test_the_newest_run_that_applied_something_is_found(tmp_path: Path, keep: Callable[..., Path]) -> None:
    assert last_kept(tmp_path, "staging", REPOSITORY, False).apply is None
    keep(1)
    expected = keep(2, failed)
    keep(3, nothing_applied)
    keep(4, emulated)
    found = last_kept(tmp_path, "staging", REPOSITORY, False).apply
    assert found is not None
    assert (found.file, found.run, found.complete) == (str(expected), "2", False)
    assert last_kept(tmp_path, "production", REPOSITORY, False).apply is None
    assert last_kept(tmp_path, "staging", "other", False).apply is None


def test_kept_evidence_that_cannot_be_read_is_named(tmp_path: Path, keep: Callable[..., Path]) -> None:
    keep(1)
    keep(2, text="{")
    keep(3, text="")
    (tmp_path / "evidence" / "20260104.json").mkdir()
    kept = last_kept(tmp_path, "staging", REPOSITORY, False)
    assert kept.apply is not None
    assert [Path(one.partition(": ")[0]).name[:8] for one in kept.unread] == ["20260104", "20260103", "20260102"]


def test_what_cannot_be_read_of_runs_before_the_last_apply_does_not_matter(
    tmp_path: Path, keep: Callable[..., Path]
) -> None:
    keep(1, text="{")
    keep(2)
    assert last_kept(tmp_path, "staging", REPOSITORY, False).unread == ()
    assert len(last_kept(tmp_path, "production", REPOSITORY, False).unread) == 1


def test_a_directory_of_evidence_that_cannot_be_listed_is_named(tmp_path: Path) -> None:
    assert last_kept(tmp_path, "staging", REPOSITORY, False) == Kept()
    place = tmp_path / "evidence"
    place.symlink_to(place)
    kept = last_kept(tmp_path, "staging", REPOSITORY, False)
    assert kept.apply is None
    assert [one.startswith(f"{place}: ") for one in kept.unread] == [True]
    assert list(kept_evidence(tmp_path)) == []


def test_git_says_which_commit_contains_which(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    commits = []
    for number in range(3):
        scratch.commit(str(number))
        commits.append(scratch.git("rev-parse", "HEAD").strip())
    scratch.git("checkout", "--quiet", "-b", "side", commits[0])
    scratch.commit("side")
    side = scratch.git("rev-parse", "HEAD").strip()
    runner = Runner()

    def ask(old: str | None, new: str | None, top: Path = scratch.path) -> bool | None:
        return is_ancestor(runner, top, old, new)

    assert ask(commits[0], commits[2]) is True
    assert ask(commits[2], commits[2]) is True
    assert ask(commits[2], commits[0]) is False
    assert ask(side, commits[2]) is False
    for odd in (None, "", "0" * 40, "HEAD", "--all", commits[0][:12], commits[0] + "\n"):
        assert ask(odd, commits[2]) is None
        assert ask(commits[0], odd) is None
    assert ask(commits[0], commits[2], tmp_path) is None

    scratch.git("clone", "--quiet", "--depth", "1", "--branch", "main", f"file://{scratch.path}", str(tmp_path / "cut"))
    assert ask(commits[2], commits[2], tmp_path / "cut") is True
    assert ask(commits[0], commits[2], tmp_path / "cut") is None
    scratch.git("-C", str(tmp_path / "cut"), "fetch", "--quiet", "--depth", "1", "origin", commits[0])
    assert ask(commits[0], commits[2], tmp_path / "cut") is None

    scratch.git("replace", "--graft", commits[2], side)
    assert ask(side, commits[2]) is False
    assert ask(commits[0], commits[2]) is True
