"""`init`: the configuration that makes explicit what was found changes nothing, and the file keeps all it has."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from shapes import PARTIAL, PLAIN, SHAPES, WHOLE, Shape

from pytest_tfpipeline.__main__ import main
from pytest_tfpipeline.config import load_config
from pytest_tfpipeline.config.match import known_environments
from pytest_tfpipeline.discover import discover
from pytest_tfpipeline.model import Target
from pytest_tfpipeline.pipeline.initial import initial, write_initial
from pytest_tfpipeline.pipeline.targets import resolve_targets
from pytest_tfpipeline.process import Runner


def _targets(top: Path) -> list[Target]:
    config = load_config(top)
    repository = discover(top, config, None, Runner())
    names = known_environments(config, repository.environments)
    return [replace(one, problems=()) for one in resolve_targets(repository, config, names, {})]


def _write(top: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text(text)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_what_is_written_changes_nothing_and_is_complete(tmp_path: Path, shape: Shape) -> None:
    _write(tmp_path, dict(shape.files))
    before = _targets(tmp_path)
    write_initial(initial(tmp_path, None, {}))
    assert _targets(tmp_path) == before
    assert initial(tmp_path, None, {}).addition.empty


def test_it_is_the_smallest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {f"tf/{name}/main.tf": PLAIN for name in ("core", "etl", "net", "odd")}
    files |= {f"tf/{name}/config/{env}.tfvars": "" for name in ("core", "etl", "net") for env in ("dev", "prod")}
    variables = 'variable "db_password" {}\nvariable "n" {\n  type = number\n}\n'
    files |= {"tf/odd/prod.tfvars": "", "tf/net/main.tf": PLAIN + variables}
    _write(tmp_path, files)
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 0
    assert (
        capsys.readouterr().out
        == """# For tfpipeline.toml.
environments = ["dev", "prod"]

[[root]]
match = "tf/net"
var_files = ["tf/net/config/{env}.tfvars"]
# These variables have no value yet; a secret is read from the environment, as ${NAME}.
# vars = { db_password = "${DB_PASSWORD}", n = 0 }

[[root]]
match = "tf/odd"
environments = ["prod"]
var_files = ["tf/odd/{env}.tfvars"]

[[root]]
match = "tf/*"
var_files = ["tf/{name}/config/{env}.tfvars"]
"""
    )
    assert not (tmp_path / "tfpipeline.toml").exists()


def test_many_roots_that_lack_different_variables_are_one_entry(tmp_path: Path) -> None:
    one = 'variable "region" {}\nvariable "v%d" {}\n'
    _write(tmp_path, {f"a{index}/{'b/' * (index % 2)}main.tf": PLAIN + one % index for index in range(40)})
    _write(tmp_path, {"plain/main.tf": PLAIN, "prod.tfvars": "", "dev.tfvars": "", "a1/b/prod.tfvars": ""})
    found = initial(tmp_path, None, {})
    assert [table[1] for table in found.addition.tables] == ['match = "a1/b"', 'match = "**"']
    of_them, which = found.addition.tables[1][-2:]
    assert of_them == "# Variables of 39 of them have no value yet; `pytest --tf-list` says of each root which."
    assert which.startswith("# How many roots lack which: region (39), v0 (1), ")
    assert which.endswith(", and 32 more.")
    write_initial(found)
    assert initial(tmp_path, None, {}).addition.empty


def test_roots_that_no_pattern_means_alone_are_one_entry_with_their_names(tmp_path: Path) -> None:
    _write(tmp_path, {f"{each}/main.tf": PLAIN for each in ("a/y", "b/x")})
    _write(tmp_path, {f"{each}/main.tf": PLAIN + 'variable "n" {}\n' for each in ("a/x", "b/y")})
    _write(tmp_path, {"dev.tfvars": "", "prod.tfvars": ""})
    found = initial(tmp_path, None, {})
    assert 'match = ["a/x", "b/y"]' in [table[1] for table in found.addition.tables]
    before = _targets(tmp_path)
    write_initial(found)
    assert _targets(tmp_path) == before
    assert initial(tmp_path, None, {}).addition.empty


def test_write_adds_to_pyproject_and_asks_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    head = "# mine\n[tool.tfpipeline]\n"
    text = f'{head}skips = "fail" # so\n\n[[tool.tfpipeline.root]]\nmatch = "core"\nbackend = "local"\n'
    _write(tmp_path, {"pyproject.toml": text, "core/main.tf": WHOLE, "app/main.tf": PARTIAL, "app/dev.tfvars": ""})
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--write"]) == 0
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("added to pyproject.toml\n\n# Where is the state of app?")
    found = tomllib.loads((tmp_path / "pyproject.toml").read_text())["tool"]["tfpipeline"]
    assert found["environments"] == ["dev"]
    assert found["root"] == [{"match": "core", "backend": "local"}, {"match": "app", "var_files": ["app/{env}.tfvars"]}]
    assert (
        (tmp_path / "pyproject.toml").read_text().startswith('# mine\n[tool.tfpipeline]\nenvironments = ["dev"]\nskips')
    )

    assert main(["init", "--write"]) == 0
    assert "nothing to add to pyproject.toml" in capsys.readouterr().err


def test_a_broken_configuration_is_said_and_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _write(tmp_path, {"tfpipeline.toml": 'enviroments = ["dev"]\n', "core/main.tf": PLAIN})
    monkeypatch.chdir(tmp_path)
    assert main(["init", "--write"]) == 4
    assert "did you mean `environments`?" in capsys.readouterr().err
    assert (tmp_path / "tfpipeline.toml").read_text() == 'enviroments = ["dev"]\n'
