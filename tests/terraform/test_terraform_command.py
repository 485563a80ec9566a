"""argv and exit codes, without a process."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfpipeline.terraform import command
from pytest_tfpipeline.terraform.command import Meaning, meaning

PLAN = Path("/out/it's a plan")


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (command.version("tf"), "tf version -json"),
        (command.validate("tf"), "tf validate -json"),
        (command.init("tf", backend=False), "tf init -input=false -backend=false -json"),
        (
            command.init("tf", backend_config=("a b.tfbackend", "key=x/y=z"), readonly_lock=True, json=False),
            (
                "tf init -input=false -backend-config=a b.tfbackend -backend-config=key=x/y=z -reconfigure "
                "-lockfile=readonly -no-color"
            ),
        ),
        (
            command.plan("tf", PLAN, var_files=("a.tfvars", "b.tfvars"), lock=False, parallelism=3),
            (
                "tf plan -input=false -json -detailed-exitcode -lock=false -parallelism=3 -var-file=a.tfvars "
                "-var-file=b.tfvars -out=/out/it's a plan"
            ),
        ),
        (
            command.plan("tf", PLAN, lock_timeout="5m"),
            "tf plan -input=false -json -detailed-exitcode -lock-timeout=5m -out=/out/it's a plan",
        ),
        (command.show("tf", PLAN), "tf show -json /out/it's a plan"),
        (command.apply("tf", PLAN), "tf apply -input=false -json -lock-timeout=0s /out/it's a plan"),
        (command.fmt("tf"), "tf fmt -check -diff -no-color ."),
        (command.select_workspace("tf", "eu west"), "tf workspace select -no-color eu west"),
        (command.new_workspace("tf", "x"), "tf workspace new -no-color x"),
        (command.pull_state("tf"), "tf state pull"),
        (command.push_state("tf", PLAN), "tf state push /out/it's a plan"),
        (command.output("tf"), "tf output -json"),
    ],
)
def test_argv(argv: tuple[str, ...], expected: str) -> None:
    assert " ".join(argv) == expected


def test_a_value_is_one_argument_whatever_is_in_it() -> None:
    assert command.show("/a b/terraform", PLAN) == ("/a b/terraform", "show", "-json", "/out/it's a plan")
    assert command.select_workspace("tf", "a b; rm -rf $HOME")[-1] == "a b; rm -rf $HOME"


def test_apply_has_neither_targets_nor_variables_nor_approval() -> None:
    argv = command.apply("tf", PLAN, lock_timeout="1m", parallelism=1)
    assert not [option for option in argv if option.startswith(("-target", "-var", "-auto-approve", "-destroy"))]


def test_building_argv_reads_no_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # python_terraform's constructor reads the working directory's state, and dies of one it cannot parse.
    (tmp_path / "terraform.tfstate").write_text("not json")
    monkeypatch.chdir(tmp_path)
    assert command.version("tf")


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("plan", 0, Meaning.DONE),
        ("plan", 2, Meaning.CHANGES),
        ("plan", 1, Meaning.FAILED),
        ("apply", 2, Meaning.FAILED),
        ("fmt", 3, Meaning.UNFORMATTED),
        ("fmt", 2, Meaning.FAILED),
        ("init", 0, Meaning.DONE),
        ("init", 77, Meaning.FAILED),
        ("plan", -9, Meaning.KILLED),
        ("plan", None, Meaning.NOT_STARTED),
    ],
)
def test_every_exit_code_has_a_meaning_and_unknown_ones_are_failures(
    name: str, code: int | None, expected: Meaning
) -> None:
    assert meaning(name, code) is expected
