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


_ROOT = 'terraform {\n  backend "local" {}\n}\n\nresource "terraform_data" "it" {}\n\n'


def _notes(top: Path, files: dict[str, str]) -> list[str]:
    for name, text in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)
    described = describe(top, Wish(environments=("staging",)), Runner())
    _, notes = build_run(top, Wish(environments=("staging",)), described, Runner())
    assert set(described.repository.notes) <= set(notes), "what --tf-list shows too"
    return [note for note in notes if "terraform does not get it" in note]


def test_a_value_that_no_root_takes_is_said_once_with_its_place(tmp_path: Path) -> None:
    declared = f'{_ROOT}variable "region" {{}}\n'
    files = {f"infra/{name}/main.tf": declared for name in ("a", "b")}
    files["infra/b/main.tf"] += 'variable "own" {}\n'
    files["other/main.tf"] = f'{declared}variable "regoin" {{}}\n'
    files["tfpipeline.toml"] = (
        'environments = ["staging"]\n\n[[root]]\nmatch = ["infra/*"]\n'
        'vars = { region = "x", own = "y", regoin = "z", "no such" = 1 }\n\n'
        '[[root]]\nmatch = "other"\nvars = { nothing = "${NOT_SET}" }\n'
    )
    nobody = "is called that, so terraform does not get it"
    first = 'tfpipeline.toml: root[0] (match = "infra/*").vars'
    assert _notes(tmp_path, files) == [
        f"{first}.regoin: no variable of its 2 roots {nobody}; did you mean `region`?",
        f'{first}."no such": no variable of its 2 roots {nobody}',
        f'tfpipeline.toml: root[1] (match = "other").vars.nothing: no variable of other {nobody}',
    ]


def test_where_files_are_made_or_cannot_be_read_nobody_knows_what_a_root_takes(tmp_path: Path) -> None:
    files = {
        "a/main.tf": _ROOT,
        "b/main.tf": _ROOT,
        "b/more.tf": 'variable "x {\n',
        "c/main.tf": _ROOT,
        "tfpipeline.toml": 'environments = ["staging"]\n\n[[root]]\nmatch = "a"\nprepare = [["make"]]\n'
        'vars = { x = "1" }\n\n[[root]]\nmatch = "b"\nvars = { x = "1" }\n'
        '\n[[root]]\nmatch = "c"\ncopy_in = ["c/made.tf"]\nvars = { x = "1" }\n',
    }
    assert _notes(tmp_path, files) == []


def test_what_opentofu_runs_is_said_with_what_would_settle_it_unless_it_is_settled() -> None:
    for reason, ending in (
        ("the configuration", "says"),
        ("core/.opentofu-version", "`terraform` of [tools] settles it"),
    ):
        repository = Repository("/x", roots=(Root("core", "core", "core/main.tf"),), tofu={"core": reason})
        (note,) = tofu_notes(repository)
        assert note.endswith(ending)
