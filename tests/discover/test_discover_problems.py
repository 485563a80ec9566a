"""Files that cannot be read are findings of their directory, which stays what it is; everything else goes on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.model import Severity

BACKEND = 'terraform {\n  backend "s3" {}\n}\n'
RESOURCE = 'resource "terraform_data" "x" {}\n'
GOOD = {"good/main.tf": BACKEND + RESOURCE}

BROKEN = {
    "not UTF-8": ((BACKEND + RESOURCE).encode() + b"# caf\xe9\n", "not-utf-8", 5),
    "open block": (BACKEND + RESOURCE + 'resource "terraform_data" "y" {\n  input = 1\n', "syntax-error", None),
    "no value": (BACKEND + 'resource "terraform_data" "y" {\n  input =\n}\n', "syntax-error", None),
    "no block": (BACKEND + RESOURCE + "\nnonsense here\n", "syntax-error", 6),
    "open string": (BACKEND + 'locals {\n  a = "x\n}\n' + RESOURCE, "syntax-error", 5),
    "conflict": (BACKEND + "<<<<<<< HEAD\n" + RESOURCE, "syntax-error", 4),
}


@pytest.mark.parametrize(("text", "rule", "line"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_a_finding_of_its_root(
    describe: Callable[..., Any], text: str | bytes, rule: str, line: int | None
) -> None:
    found = describe({"bad/main.tf": text, **GOOD})
    assert (found.kind("bad"), found.kind("good")) == ("root", "root")
    (problem,) = found.roots["bad"].problems
    assert (problem.rule, problem.severity, problem.file) == (rule, Severity.ERROR, "bad/main.tf")
    if line:
        assert problem.line == line
    assert found.roots["good"].problems == ()


def test_an_error_inside_a_block_that_does_not_matter_keeps_the_root_whole(describe: Callable[..., Any]) -> None:
    """Discovery does not judge every expression; terraform does."""
    found = describe({"bad/main.tf": BACKEND + 'resource "terraform_data" "y" {\n  input = 1 +\n}\n', **GOOD})
    assert found.kind("bad") == "root"


def test_a_broken_json_file(describe: Callable[..., Any]) -> None:
    found = describe({"bad/main.tf.json": '{\n  "resource": ,\n}', "bad/main.tf": BACKEND + RESOURCE})
    (problem,) = found.roots["bad"].problems
    assert (problem.rule, problem.line, problem.file) == ("syntax-error", 2, "bad/main.tf.json")


def test_a_git_lfs_pointer(describe: Callable[..., Any]) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    (problem,) = describe({"bad/big.tf": pointer, "bad/main.tf": BACKEND + RESOURCE}).roots["bad"].problems
    assert problem.rule == "git-lfs-pointer"
    assert "git lfs pull" in problem.text


def test_loops_of_links_are_findings_and_never_followed(describe: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "loop.tf").symlink_to("loop.tf")
    (tmp_path / "bad" / "gone.tf").symlink_to("nowhere.tf")
    (tmp_path / "bad" / "self").symlink_to(".")
    (tmp_path / "bad" / "up").symlink_to("..")
    found = describe({"bad/main.tf": BACKEND + RESOURCE, **GOOD})
    assert set(found.rows) == {"bad", "good"}
    assert {problem.file for problem in found.roots["bad"].problems} == {"bad/loop.tf", "bad/gone.tf"}
    assert found.roots["bad"].anchor == "bad/main.tf"


def test_a_directory_of_nothing_but_dead_links_is_no_root_and_is_said(
    describe: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "main.tf").symlink_to("main.tf")
    found = describe(GOOD)
    assert found.kind("bad") == "fragment"
    assert any(note.startswith("bad/main.tf: The file cannot be read") for note in found.repository.notes)


def test_what_only_python_hcl2_cannot_read_is_no_error(
    describe: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytest_tfpipeline.discover import hcl

    def refuse(_: str) -> dict[str, object]:
        raise hcl.HclError("no", 1)

    monkeypatch.setattr(hcl, "_loads", refuse)
    state = 'data "terraform_remote_state" "x" {\n  backend = "s3"\n  config = merge({}, {})\n}\n'
    root = describe({"a/main.tf": BACKEND + RESOURCE + state}).roots["a"]
    assert [problem.severity for problem in root.problems] == [Severity.NOTICE]


def test_weird_names(describe: Callable[..., Any]) -> None:
    names = ["with space", "quote'd", 'double"quote', "naïve-ünïcode", "a;b$(c)", "-dash", "new\nline"]
    found = describe({f"{name}/main.tf": BACKEND + RESOURCE for name in names})
    assert set(found.rows) == set(names)
    assert all(row.kind == "root" for row in found.rows.values())


def test_a_name_that_is_no_text_is_left_out(describe: Callable[..., Any], tmp_path: Path) -> None:
    bad = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe"))
    bad.mkdir()
    (bad / "main.tf").write_text(BACKEND + RESOURCE)
    assert set(describe(GOOD).rows) == {"good"}


def test_nothing_at_all(describe: Callable[..., Any]) -> None:
    assert describe().repository.directories == ()
