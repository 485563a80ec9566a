"""What an environment is built from: pure, over files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pytest_tfpipeline.suites.environ import suite_environ, without_credentials
from pytest_tfpipeline.suites.requirements import digest, install_arguments, python_of


def write(tree: Path, name: str, text: str) -> Path:
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_requirement_files_and_constraints(tmp_path: Path) -> None:
    arguments = install_arguments(tmp_path, ["a/requirements.txt", "a/constraints.txt"])
    assert arguments == ("pytest", "-r", f"{tmp_path}/a/requirements.txt", "-c", f"{tmp_path}/a/constraints.txt")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[tool.black]\n", []),
        ("[project]\nname = 'x'\n", ["-r", "FILE"]),
        (
            "[project]\nname = 'x'\n[project.optional-dependencies]\ntest = ['a']\ndocs = ['b']\n",
            ["-r", "FILE", "--extra", "test"],
        ),
        ("[dependency-groups]\ndev = ['a']\nlint = ['b']\n", ["--group", "FILE:dev"]),
        ("[tool.poetry]\nname = 'x'\n", ["-r", "FILE"]),
        ("not toml", ["-r", "FILE"]),
    ],
)
def test_a_pyproject_gives_its_dependencies_and_those_of_its_tests(
    tmp_path: Path, text: str, expected: list[str]
) -> None:
    path = write(tmp_path, "a/pyproject.toml", text)
    wanted = [each.replace("FILE", str(path)) for each in expected]
    assert install_arguments(tmp_path, ["a/pyproject.toml"]) == ("pytest", *wanted)


def test_a_pipfile_is_translated(tmp_path: Path) -> None:
    text = (
        '[packages]\nboto3 = "==1.34.0"\nrequests = "*"\n'
        'moto = {version = ">=4", extras = ["s3", "sqs"]}\nours = {path = "."}\n'
        '[dev-packages]\nfreezegun = {version = "*"}\n'
    )
    write(tmp_path, "Pipfile", text)
    assert install_arguments(tmp_path, ["Pipfile"]) == (
        "pytest",
        "boto3==1.34.0",
        "requests",
        "moto[s3,sqs]>=4",
        "freezegun",
    )


def test_the_name_changes_with_an_included_file_and_the_python(tmp_path: Path) -> None:
    write(tmp_path, "a/requirements-dev.txt", "-r ../base.txt\nboto3\n")
    base = write(tmp_path, "base.txt", "x==1\n")
    names = ["a/requirements-dev.txt"]
    before = digest(tmp_path, names, "3.11")
    assert digest(tmp_path, names, "3.12") != before
    base.write_text("x==2\n")
    assert digest(tmp_path, names, "3.11") != before
    base.write_text("x==1\n")
    assert digest(tmp_path, names, "3.11") == before


@pytest.mark.parametrize(
    ("asked", "required", "expected"),
    [
        ("3.9", ">=3.12", "3.9"),
        (None, ">=3.8", sys.executable),
        (None, ">=3.99", ">=3.99"),
        (None, "nonsense", sys.executable),
    ],
)
def test_which_python_is_asked_for(tmp_path: Path, asked: str | None, required: str, expected: str) -> None:
    write(tmp_path, "pyproject.toml", f"[project]\nname = 'x'\nrequires-python = '{required}'\n")
    assert python_of(tmp_path, ["pyproject.toml"], asked) == expected


WITHHELD = (
    *("AWS_PROFILE", "ARM_CLIENT_ID", "GOOGLE_CREDENTIALS", "github_token", "DB_PASSWORD", "X_SECRET_Y", "TF_TOKEN_x"),
    *("ACTIONS_ID_TOKEN_REQUEST_URL", "SSH_AUTH_SOCK", "DECLARED", "PYTEST_ADDOPTS", "PYTHONPATH"),
)


@pytest.mark.parametrize("name", WITHHELD)
def test_withheld(name: str) -> None:
    assert without_credentials({name: "x", "PATH": "/bin", "CI": "1"}, ["DECLARED"]) == {"PATH": "/bin", "CI": "1"}


def test_a_suite_finds_itself_and_dummy_keys(tmp_path: Path) -> None:
    env = suite_environ({"PATH": "/bin"}, (), tmp_path / "app", tmp_path / "venv" / "bin", tmp_path / "plugin")
    places = [tmp_path / "app", tmp_path / "app/src", tmp_path / "app/tests", tmp_path / "plugin"]
    assert env["PYTHONPATH"] == ":".join(str(place) for place in places)
    assert env["PATH"] == f"{tmp_path}/venv/bin:/bin"
    assert env["AWS_ACCESS_KEY_ID"] == "testing"
