"""What building a run says once."""

from __future__ import annotations

from pathlib import Path

from pytest_tfpipeline.model import Repository, Root
from pytest_tfpipeline.pipeline.build import Wish, build_run, describe
from pytest_tfpipeline.pipeline.programs import tofu_notes
from pytest_tfpipeline.process import Runner


def test_a_copy_in_that_brings_nothing_is_said_once(tmp_path: Path) -> None:
    files = {
        "core/main.tf": 'terraform {\n  backend "local" {}\n}\n\nresource "terraform_data" "a" {}\n',
        "etl/main.tf": 'terraform {\n  backend "local" {}\n}\n\nresource "terraform_data" "a" {}\n',
        "core/build/x.jar": "x",
        "tfpipeline.toml": 'environments = ["staging"]\n\n'
        '[[root]]\nmatch = "core"\ncopy_in = ["core/build/**", "core/biuld/**"]\n\n'
        '[[root]]\nmatch = "etl"\ncopy_in = ["core/biuld/**"]\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    wish, runner = Wish(), Runner()
    _, notes = build_run(tmp_path, wish, describe(tmp_path, wish, runner), runner)
    assert [note for note in notes if "copy_in" in note] == [
        "copy_in: `core/biuld/**` matches no file; `DIRECTORY/**` is everything below a directory"
    ]


def test_what_opentofu_runs_is_said_with_what_would_settle_it_unless_it_is_settled() -> None:
    for reason, ending in (
        ("the configuration", "says"),
        ("core/.opentofu-version", "`terraform` of [tools] settles it"),
    ):
        repository = Repository("/x", roots=(Root("core", "core", "core/main.tf"),), tofu={"core": reason})
        (note,) = tofu_notes(repository)
        assert note.endswith(ending)
