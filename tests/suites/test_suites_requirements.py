"""What an environment is built from: pure, over files."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_tfpipeline.model import Suite
from pytest_tfpipeline.suites.environ import suite_environ, without_credentials
from pytest_tfpipeline.suites.locks import constraints
from pytest_tfpipeline.suites.poetry import specifiers
from pytest_tfpipeline.suites.recipe import python_of, recipe_of
from pytest_tfpipeline.suites.requirements import install_arguments


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
        ("[tool.poetry]\nname = 'x'\n", []),
        ("[tool.poetry.dependencies]\npython = '^3.9'\na = '^1.2'\n", ["a>=1.2,<2"]),
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


def test_the_name_changes_with_whatever_it_is_built_from(tmp_path: Path) -> None:
    write(tmp_path, "a/requirements-dev.txt", "-r ../base.txt\nboto3\n")
    suite = Suite("a", "a", "a/test_it.py", requirements=("a/requirements-dev.txt",))
    base = write(tmp_path, "base.txt", "x==1\n")
    before = recipe_of(tmp_path, suite).digest
    names = {before, recipe_of(tmp_path, replace(suite, python="3.12")).digest}
    for name, text in (("base.txt", "x==2\n"), ("requirements-test.txt", "moto\n"), ("a/poetry.lock", "")):
        write(tmp_path, name, text)
        names.add(recipe_of(tmp_path, suite).digest)
    assert len(names) == 5
    base.write_text("x==1\n")
    for name in ("requirements-test.txt", "a/poetry.lock"):
        (tmp_path / name).unlink()
    assert recipe_of(tmp_path, suite).digest == before


def test_suites_that_say_the_same_share_an_environment_unless_it_depends_on_the_place(tmp_path: Path) -> None:
    for text, shared in (("boto3\n", True), ("-e ./lib\n", False)):
        digests = set()
        for name in ("a", "b"):
            write(tmp_path, f"{name}/requirements.txt", text)
            suite = Suite(name, name, f"{name}/test_it.py", requirements=(f"{name}/requirements.txt",))
            digests.add(recipe_of(tmp_path, suite).digest)
        assert (len(digests) == 1) is shared


@pytest.mark.parametrize(
    ("text", "shared"),
    [
        ("# of this one\n\nboto3   # for queues\r\n", True),
        ("boto3#2\n", False),
        ("boto3==1\n", False),
    ],
)
def test_comments_in_requirements_make_no_environment_of_its_own(tmp_path: Path, text: str, shared: bool) -> None:
    digests = set()
    for name, said in (("a", "boto3\n"), ("b", text)):
        write(tmp_path, f"{name}/requirements.txt", said)
        suite = Suite(name, name, f"{name}/test_it.py", requirements=(f"{name}/requirements.txt",))
        digests.add(recipe_of(tmp_path, suite).digest)
    assert (len(digests) == 1) is shared


@pytest.mark.parametrize(
    ("poetry", "expected"),
    [
        ("^1.2.3", ">=1.2.3,<2"),
        ("^0.2.3", ">=0.2.3,<0.3"),
        ("^0.0.3", ">=0.0.3,<0.0.4"),
        ("~1.2.3", ">=1.2.3,<1.3"),
        ("~1", ">=1,<2"),
        ("~=1.4.2", "~=1.4.2"),
        (">=1.0 <2.0", ">=1.0,<2.0"),
        ("1.2.*", "==1.2.*"),
        ("2.0rc1", "==2.0rc1"),
        ("*", ""),
        ("^1.0 || ^2.0", ""),
    ],
)
def test_poetrys_constraints(poetry: str, expected: str) -> None:
    assert specifiers(poetry) == expected


def test_poetrys_tables(tmp_path: Path) -> None:
    text = """[tool.poetry.dependencies]
python = "~3.11"
boto3-stubs-lite = {extras = ["dynamodb"], version = "~1.42.74"}
old = {version = "*", python = "<3.9"}
ours = {path = "../shared"}
there = {git = "https://git.example.org/x", tag = "v1"}
unused = {version = "1", optional = true}
wanted = {version = "1", optional = true}
[tool.poetry.extras]
test = ["wanted"]
[tool.poetry.group.dev.dependencies]
freezegun = "^1"
[tool.poetry.group.docs]
optional = true
[tool.poetry.group.docs.dependencies]
sphinx = "*"
"""
    write(tmp_path, "a/pyproject.toml", text)
    assert install_arguments(tmp_path, ["a/pyproject.toml"])[1:] == (
        "boto3-stubs-lite[dynamodb]>=1.42.74,<1.43",
        "old ; python_full_version < '3.9'",
        str(tmp_path / "shared"),
        "there @ git+https://git.example.org/x@v1",
        "wanted==1",
        "freezegun>=1,<2",
    )


SETUP = "from setuptools import setup\nsetup(name='x', python_requires='>=3.99', extras_require={'test': ['a']})\n"


def test_a_setup_py_gives_its_dependencies_and_its_python(tmp_path: Path) -> None:
    path = write(tmp_path, "setup.py", SETUP)
    write(tmp_path, "setup.cfg", "[options]\npython_requires = >=3.99\n")
    assert install_arguments(tmp_path, ["setup.cfg", "setup.py"]) == ("pytest", "-r", str(path), "--extra", "test")
    assert python_of(tmp_path, ["setup.py"]) == ">=3.99"


def test_what_is_locked_is_what_is_installed(tmp_path: Path) -> None:
    write(
        tmp_path,
        "poetry.lock",
        "[[package]]\nname='a'\nversion='1.0'\n[[package]]\nname='ours'\nversion='0'\n"
        "[package.source]\ntype='directory'\nurl='../ours'\n",
    )
    write(
        tmp_path,
        "uv.lock",
        "[[package]]\nname='b'\nversion='1'\nsource={registry='x'}\n[[package]]\nname='b'\nversion='2'\n"
        "source={registry='x'}\n[[package]]\nname='me'\nversion='0'\nsource={editable='.'}\n",
    )
    write(tmp_path, "Pipfile.lock", '{"default": {"c": {"version": "==3"}}, "develop": {"d": {"path": "."}}}')
    write(tmp_path, "pdm.lock", "not toml")
    names = ("poetry.lock", "uv.lock", "Pipfile.lock", "pdm.lock")
    assert constraints([tmp_path / name for name in names]) == "a==1.0\nc==3\n"


@pytest.mark.parametrize(
    ("ini", "plugin"),
    [
        ("addopts = --cov=src", "pytest-cov"),
        ("addopts = -x -n 4 --strict-markers", "pytest-xdist"),
        ("asyncio_mode = auto", "pytest-asyncio"),
        ("# addopts = --cov", None),
        ("addopts = --nonsense", None),
    ],
)
def test_a_plugin_that_the_suites_configuration_asks_for_is_installed(
    tmp_path: Path, ini: str, plugin: str | None
) -> None:
    write(tmp_path, "a/pytest.ini", f"[pytest]\n{ini}\n")
    arguments = recipe_of(tmp_path, Suite("a", "a", "a/test_it.py")).arguments
    assert arguments == (("pytest",) if plugin is None else ("pytest", plugin))


@pytest.mark.parametrize(
    ("file", "text", "expected"),
    [
        ("pyproject.toml", "[project]\nname = 'x'\nrequires-python = '>=3.8'\n", sys.executable),
        ("pyproject.toml", "[project]\nname = 'x'\nrequires-python = '>=3.99'\n", ">=3.99"),
        ("pyproject.toml", "[project]\nname = 'x'\nrequires-python = 'nonsense'\n", sys.executable),
        ("pyproject.toml", "[tool.poetry.dependencies]\npython = '~3.7'\n", "<3.8,>=3.7"),
        ("Pipfile", "[requires]\npython_version = '3'\n", sys.executable),
        ("Pipfile", "[requires]\npython_version = '3.7'\n", "==3.7.*"),
        ("setup.cfg", "[options]\npython_requires = >=3.99\n", ">=3.99"),
        ("requirements.txt", "a\n", sys.executable),
    ],
)
def test_which_python_is_asked_for(tmp_path: Path, file: str, text: str, expected: str) -> None:
    write(tmp_path, file, text)
    assert python_of(tmp_path, [file]) == expected


WITHHELD = (
    *("AWS_PROFILE", "ARM_CLIENT_ID", "GOOGLE_CREDENTIALS", "github_token", "DB_PASSWORD", "X_SECRET_Y", "TF_TOKEN_x"),
    *("ACTIONS_ID_TOKEN_REQUEST_URL", "SSH_AUTH_SOCK", "DECLARED", "PYTEST_ADDOPTS", "PYTHONPATH"),
)


@pytest.mark.parametrize("name", WITHHELD)
def test_withheld(name: str) -> None:
    assert without_credentials({name: "x", "PATH": "/bin", "CI": "1"}, ["DECLARED"]) == {"PATH": "/bin", "CI": "1"}


def test_a_suite_finds_itself_and_dummy_keys(tmp_path: Path) -> None:
    given = {"DB": "local", "TOKEN_OF_APPLY": "x"}
    there = (tmp_path / "app", tmp_path / "venv" / "bin", [tmp_path / "plugin"])
    env = suite_environ({"PATH": "/bin"}, ["TOKEN_OF_APPLY"], *there, own=given)
    assert env["DB"] == "local"
    assert "TOKEN_OF_APPLY" not in env
    places = [tmp_path / "app", tmp_path / "app/src", tmp_path / "app/tests", tmp_path / "plugin"]
    assert env["PYTHONPATH"] == ":".join(str(place) for place in places)
    assert env["PATH"] == f"{tmp_path}/venv/bin:/bin"
    assert env["AWS_ACCESS_KEY_ID"] == "testing"
