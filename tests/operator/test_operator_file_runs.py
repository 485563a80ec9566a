"""`--tf-operator` in real runs: a branch that loosens its rules is overruled or refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scratch import Scratch

from pytest_tfpipeline.__main__ import main

WITH_OLD = 'resource "terraform_data" "old" {}'


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path)
    made.without_checkov()
    made.root("a", WITH_OLD)
    made.configure('[environment.staging]\nprotect = ["terraform_data"]')
    made.commit()
    return made


def operator(scratch: Scratch, text: str, mode: int = 0o600) -> str:
    path = scratch.path.parent / "operator.toml"
    path.write_text(text)
    path.chmod(mode)
    return f"--tf-operator={path}"


def test_a_branch_that_stops_protecting_is_overruled(scratch: Scratch) -> None:
    flag = operator(scratch, '[environment.staging]\nprotect = ["terraform_data"]\n')
    assert scratch.run("--apply-env", "staging", flag, "-n0").code == 0
    scratch.configure("[environment.staging]\nprotect = []")
    scratch.root("a")
    scratch.commit()
    result = scratch.run("--apply-env", "staging", flag, "-n0")
    assert result.code == 1, result.text
    assert "protected-destroy" in scratch.reasons()
    assert "the operator file overrules `environment.staging.protect`" in result.text
    state = scratch.state("a")
    assert state is not None
    assert len(state["resources"]) == 2


def test_an_emulator_in_the_place_of_a_real_environment_is_refused(scratch: Scratch) -> None:
    scratch.configure('[environment.staging]\nemulator = "aws"')
    scratch.commit()
    flag = operator(scratch, '[environment.staging]\napproval = "none"\n')
    result = scratch.run("--apply-env", "staging", flag, "-n0")
    assert result.code == 4, result.text
    assert "the operator file says that staging is real" in result.text
    assert not scratch.applied("a")


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("[environment.staging]\napprovl = 1\n", 0o600, "did you mean `approval`?"),
        ('isolation = "process"\n', 0o622, "can be written by others"),
        ('[environment.staging]\nafter = "producton"\n', 0o600, "did you mean `production`?"),
        ('[environment.staging]\nafter = "staging"\n', 0o600, "come after each other: staging after staging"),
        ('[environment.staging]\nafter = "production"\n', 0o600, "staging after production after staging"),
        ('signers = "gone"\n', 0o600, "operator.toml: signers: `"),
        ('waivers = "gone"\n', 0o600, "operator.toml: waivers: `"),
        ('allow_destroy = "gone"\n', 0o600, "operator.toml: allow_destroy: `"),
        ('baseline = "gone.json"\n', 0o600, "operator.toml: baseline: `"),
        ('isolation = "jobs"\n', 0o600, 'apply here: `isolation = "jobs"` ('),
    ],
)
def test_a_bad_file_ends_the_run_before_anything_starts(scratch: Scratch, text: str, mode: int, said: str) -> None:
    names = 'environments = ["staging", "production"]\n[environment.production]\nafter = "staging"\n'
    scratch.write("tfpipeline.toml", f'{names}[[root]]\nmatch = "infra/*"\napply = true\nenvironments = ["staging"]\n')
    result = scratch.run("--apply-env", "staging", operator(scratch, text, mode), "-n0")
    assert result.code == 4, result.text
    assert said in result.text
    assert f"{scratch.path.parent / 'operator.toml'}: " in result.text
    assert "tfpipeline.toml" not in result.text
    assert "Traceback" not in result.text


def test_it_counts_only_when_it_was_typed(scratch: Scratch) -> None:
    flag = operator(scratch, '[environment.staging]\nprotect = ["terraform_data"]\n')
    for words in (("--apply-env", "staging"), ("--tf-plan", "staging")):
        result = scratch.run(*words, "-n0", env={"PYTEST_ADDOPTS": flag})
        assert result.code == 4, result.text
        assert "typed on the command line" in result.text


def test_a_provider_that_is_not_allowed_is_refused_before_init(scratch: Scratch) -> None:
    scratch.root("a", 'resource "aws_sqs_queue" "q" {}')
    scratch.commit()
    result = scratch.run("--tf-plan", "staging", operator(scratch, "providers = []\n"), "-n0")
    assert result.code == 4, result.text
    assert "provider-refused: infra/a/main.tf" in result.text
    assert "registry.terraform.io/hashicorp/aws is not among" in result.text


def test_a_generated_file_gets_no_other_provider_either(scratch: Scratch) -> None:
    generate = 'echo \'resource "aws_sqs_queue" "q" {{}}\' > infra/a/generated.tf'
    scratch.configure(roots=f'match = "infra/*"\napply = true\nprepare = [["sh", "-c", {json.dumps(generate)}]]\n')
    scratch.commit()
    result = scratch.run("--tf-plan", "staging", operator(scratch, "providers = []\n"), "-n0")
    assert result.code == 1, result.text
    assert scratch.outcomes()["infra/a/main.tf::plan[staging]"] == "failed"
    assert "hashicorp/aws" in result.text
    assert not list(scratch.output.glob("runs/*/tree/**/registry.terraform.io/hashicorp"))


def test_a_file_beside_the_checkout_may_be_named_from_within(scratch: Scratch) -> None:
    operator(scratch, "[environment.production]\n")
    result = scratch.run("--apply-env", "staging", "--tf-operator=../operator.toml", "-n0")
    assert result.code == 4, result.text
    there = scratch.path.parent / "operator.toml"
    assert f"{there}: the operator file knows production, and says nothing about staging" in result.text


@pytest.mark.parametrize(
    "flag", ["--tf-operator", "--approval", "--approve", "--tf-prior", "--tf-config", "--tf-output"]
)
def test_an_option_that_is_given_nothing_asks_for_the_variable(scratch: Scratch, flag: str) -> None:
    result = scratch.run("--apply-env", "staging", f"{flag}=", "-n0")
    assert result.code == 4, result.text
    assert f"{flag}: is empty: is a variable not set?" in result.text


@pytest.mark.parametrize(
    "flag",
    [
        "--evidence",
        "--tf-operator",
        "--approval",
        "--approve",
        "--tf-prior",
        "--tf-config",
        "--tf-output",
        "--tf-group",
    ],
)
def test_so_does_one_of_an_apply_in_a_job_of_its_own(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["apply", "staging", "--evidence", "e.json", f"{flag}="])
    assert ended.value.code == 4
    assert f"argument {flag}: is empty: is a variable not set?" in capsys.readouterr().err


def test_the_help_of_such_an_apply_says_what_each_option_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["apply", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "as for pytest" not in said
    for flag in ("--allow-destroy", "--tf-prior", "--tf-rollback", "--tf-operator", "--tf-group", "--tf-output"):
        assert flag in said
    assert "apply a commit that does not contain the one applied last" in said
