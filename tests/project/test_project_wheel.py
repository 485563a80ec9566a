"""What a user installs: the wheel holds the package with its data, and nothing else."""

from __future__ import annotations

import configparser
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from pytest_tfpipeline import __version__

TOP = Path(__file__).parents[2]
PACKAGE = "pytest_tfpipeline"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    uv = shutil.which("uv")
    assert uv, "uv is not on PATH: pip install uv"
    out = tmp_path_factory.mktemp("dist")
    argv = [uv, "build", "--wheel", "--out-dir", str(out), str(TOP)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (path,) = out.glob("*.whl")
    return zipfile.ZipFile(path)


def read(wheel: zipfile.ZipFile, ending: str) -> str:
    (name,) = [name for name in wheel.namelist() if name.endswith(ending)]
    return wheel.read(name).decode("utf-8")


def tracked(folder: str) -> set[str]:
    done = subprocess.run(["git", "ls-files", folder], cwd=TOP, capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.splitlines())


def test_it_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    """Data files too: py.typed, the pinned requirements of the tools."""
    assert tracked(PACKAGE) - set(wheel.namelist()) == set()
    assert f"{PACKAGE}/py.typed" in wheel.namelist()


def test_it_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {PACKAGE}
    assert [name for name in wheel.namelist() if name.endswith((".pyc", ".tfplan", ".tfstate"))] == []


def test_pytest_finds_the_plugin(wheel: zipfile.ZipFile) -> None:
    entry_points = configparser.ConfigParser()
    entry_points.read_string(read(wheel, ".dist-info/entry_points.txt"))
    assert dict(entry_points["pytest11"]) == {"tfpipeline": f"{PACKAGE}.plugin"}
    assert dict(entry_points["console_scripts"]) == {"tfpipeline": f"{PACKAGE}.__main__:main"}


def test_what_the_entry_points_name_is_there(wheel: zipfile.ZipFile) -> None:
    assert f"{PACKAGE}/plugin/__init__.py" in wheel.namelist()
    assert "def main(" in read(wheel, f"{PACKAGE}/__main__.py")


def test_its_metadata_names_licence_and_version(wheel: zipfile.ZipFile) -> None:
    metadata = read(wheel, ".dist-info/METADATA")
    assert f"\nVersion: {__version__}\n" in metadata
    assert "\nLicense-Expression: MIT\n" in metadata
    required = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:")]
    assert any("pytest-xdist" in line for line in required)
    assert not [line for line in required if "checkov" in line], "checkov must never be a dependency of the plugin"
