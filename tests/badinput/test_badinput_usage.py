"""What is asked for cannot be done: exit code 4, and a message that says what, where and what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from bench import Bench
from scratch import Scratch


def test_an_unknown_environment_names_the_known_ones(bench: Bench) -> None:
    result = bench.run("--tf-plan", "stagin")
    assert result.code == 4
    assert "unknown environment `stagin`; did you mean `staging`?" in result.text
    assert "known environments: staging" in result.text
    assert bench.refusal()


def test_a_refused_run_does_not_leave_the_evidence_of_an_earlier_one(bench: Bench) -> None:
    assert bench.plan().code == 0
    earlier = bench.scratch.evidence()
    assert bench.run("--apply-env", "production").code == 4
    assert bench.refusal()
    assert bench.scratch.evidence()["run"]["id"] != earlier["run"]["id"]
    assert len(list((bench.scratch.output / "evidence").iterdir())) == 2
    assert "unknown environment" in (bench.scratch.output / "summary.md").read_text()


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ('lint_severty = "error"', ("tfpipeline.toml: lint_severty: unknown key", "did you mean `lint_severity`?")),
        ('[environment.staging]\nemulater = "aws"', ("environment.staging.emulater", "did you mean `emulator`?")),
        ("include = 3", ("tfpipeline.toml: include: expected an array, found 3",)),
        ("environments = [", ("tfpipeline.toml:", "not valid TOML")),
    ],
)
def test_a_wrong_configuration_names_file_and_key(bench: Bench, config: str, words: tuple[str, ...]) -> None:
    bench.scratch.write("tfpipeline.toml", config)
    result = bench.run("--tf-plan", "staging")
    assert result.code == 4
    for word in words:
        assert word in result.text
    assert not bench.scratch.output.exists(), "no configuration could be read, so there is no evidence"


def test_a_match_that_matches_nothing(bench: Bench) -> None:
    bench.scratch.configure(roots='match = "infre/*"\n')
    for args in ((), ("--tf-plan", "staging"), ("--tf-list",)):
        result = bench.run(*args)
        assert result.code == 4
        assert "matches no root; did you mean `infra/" in result.text
    assert bench.refusal()


def test_no_terraform_at_all(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path / "work")
    (scratch.path / "tfpipeline.toml").unlink()
    scratch.write("tests/test_plain.py", "def test_plain():\n    assert True\n")
    scratch.commit()
    result = scratch.run("--tf-plan", "staging")
    assert result.code == 4
    assert f"no Terraform in {scratch.path}" in result.text
    plain = scratch.run()
    assert (plain.code, "tfpipeline:" in plain.text) == (0, False)
    scratch.write("tfpipeline.toml", 'environments = ["staging"]\n')
    empty = scratch.run("--tf-plan", "staging")
    assert empty.code == 4
    assert "nothing to plan in `staging`" in empty.text
    assert "--tf-list" in empty.text


@pytest.mark.parametrize("args", [("--tf-plan", ""), ("--tf-plan", "staging,,")])
def test_a_missing_name(bench: Bench, args: tuple[str, ...]) -> None:
    result = bench.run(*args)
    assert result.code == 4
    assert "an environment's name is missing" in result.text


def test_plan_and_apply_together(bench: Bench) -> None:
    result = bench.run("--tf-plan", "staging", "--apply-env", "staging")
    assert result.code == 4
    assert "give either --tf-plan or --apply-env" in result.text
    assert bench.refusal()


def test_a_configuration_file_that_is_not_there(bench: Bench) -> None:
    result = bench.run("--tf-config", "nope.toml")
    assert result.code == 4
    assert "nope.toml: cannot be read: no such file or directory" in result.text


@pytest.mark.parametrize("kind", ["directory", "dead link"])
def test_a_configuration_that_is_no_file(bench: Bench, kind: str) -> None:
    path = bench.scratch.path / "tfpipeline.toml"
    path.unlink()
    if kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("nowhere.toml")
    result = bench.run("--tf-list")
    assert result.code == 4
    assert "tfpipeline.toml: cannot be read" in result.text


def test_an_output_directory_that_cannot_be_made(bench: Bench) -> None:
    result = bench.run("--tf-output", "/proc/nowhere")
    assert result.code == 4
    assert "/proc/nowhere: cannot be" in result.text
    assert "--tf-output DIR" in result.text


@pytest.mark.parametrize("kind", ["symlink", "file", "foreign"])
def test_an_output_directory_that_is_not_ours(bench: Bench, kind: str, tmp_path: Path) -> None:
    output = bench.scratch.output
    args: tuple[str, ...] = ()
    if kind == "symlink":
        (tmp_path / "elsewhere").mkdir()
        output.symlink_to(tmp_path / "elsewhere")
    elif kind == "file":
        output.write_text("mine")
    elif os.geteuid() == 0:
        output.mkdir()
        os.chown(output, 65534, 65534)
    else:  # whoever cannot give a directory away looks at one that belongs to root
        args = ("--tf-output", "/usr")
    result = bench.run("--tf-plan", "staging", *args)
    assert result.code == 4
    words = {"symlink": "is a symlink", "file": "is not a directory", "foreign": "belongs to another user (uid "}
    assert words[kind] in result.text
    assert "choose another place with --tf-output DIR" in result.text
    if kind == "symlink":
        assert not list((tmp_path / "elsewhere").iterdir())


def test_a_mistyped_id_is_said_and_noted(bench: Bench) -> None:
    result = bench.run("--tf-plan", "staging", "infra/a/main.tf::plam[staging]")
    assert result.code == 4
    assert "infra/a/main.tf::plam" in result.text
