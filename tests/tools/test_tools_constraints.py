"""Terraform's version constraints, and which terraform a root asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfpipeline.errors import ToolError
from pytest_tfpipeline.model import Tool
from pytest_tfpipeline.tools.constraints import exact_version, satisfies
from pytest_tfpipeline.tools.wanted import require_version, wanted_terraform


@pytest.mark.parametrize(
    ("version", "constraints", "expected"),
    [
        ("1.11.4", "", True),
        ("1.11.4", ">= 1.2, < 2.0", True),
        ("2.0.0", ">= 1.2, < 2.0", False),
        ("1.11.4", "~> 1.11.0", True),
        ("1.12.0", "~> 1.11.0", False),
        ("1.12.0", "~> 1.11", True),
        ("2.0.0", "~> 1.11", False),
        ("1.10.9", "~>1.11", False),
        ("3.0.0", "~> 1", False),
        ("1.5.7", "1.5.7", True),
        ("1.5.7", "= 1.5", False),
        ("1.5.0", "= 1.5", True),
        ("1.5.7", "!= 1.5.7", False),
        ("1.5.10", "> 1.5.9", True),
        ("1.5.9", "<= 1.5.9", True),
        ("1.6.0-alpha1", ">= 1.5", False),
        ("1.6.0-alpha2", ">= 1.6.0-alpha1", True),
        ("1.6.0-alpha10", "< 1.6.0-beta1", True),
        ("1.6.0", "> 1.6.0-rc1", True),
        ("1.6.0-rc.10", "> 1.6.0-rc.9", True),
    ],
)
def test_satisfies(version: str, constraints: str, expected: bool) -> None:
    assert satisfies(version, constraints) is expected


@pytest.mark.parametrize("text", ["latest", ">= 1.2 < 2", "~> x", ">="])
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(ValueError, match="not a version"):
        satisfies("1.0.0", text)


@pytest.mark.parametrize(
    ("text", "exact"),
    [("1.5.7", "1.5.7"), ("= 1.5.7", "1.5.7"), ("v1.5.7", "1.5.7"), ("1.5", None), (">= 1.5.7", None)],
)
def test_exact_version(text: str, exact: str | None) -> None:
    assert exact_version(text) == exact


def test_the_nearest_file_wins_and_required_version_comes_last(tmp_path: Path) -> None:
    root = tmp_path / "terraform" / "core"
    root.mkdir(parents=True)
    chain = (root, root.parent, tmp_path)
    assert wanted_terraform(chain, ">= 1.2") is None
    assert wanted_terraform(chain, "= 1.5.7") == "1.5.7"
    (tmp_path / ".tool-versions").write_text("# tools\nnodejs 20.1.0\nterraform 1.6.6 1.5.0\n")
    assert wanted_terraform(chain, "= 1.5.7") == "1.6.6"
    (root.parent / ".terraform-version").write_text("1.7.5\n")
    assert wanted_terraform(chain) == "1.7.5"
    (root / ".terraform-version").write_text("latest:^1.7\n")
    assert wanted_terraform(chain) is None


def test_a_terraform_that_the_root_refuses_is_named() -> None:
    tool = Tool("terraform", "1.11.4", "/bin/terraform", "0")
    require_version(tool, ">= 1.2", "core")
    require_version(tool, "nonsense", "core")
    with pytest.raises(ToolError, match=r"^core: terraform 1\.11\.4 does not satisfy required_version = '~> 1\.5\.0'"):
        require_version(tool, "~> 1.5.0", "core")
