"""Terraform's version constraints, and which terraform a root asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfpipeline.discover.constraints import exact_version, satisfies
from pytest_tfpipeline.model import Root
from pytest_tfpipeline.tools.wanted import Asked, Versions, asked_for, preferred_versions


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


def test_the_nearest_file_wins_and_required_version_holds_beside_it(tmp_path: Path) -> None:
    here = tmp_path / "terraform" / "core"
    here.mkdir(parents=True)
    root = Root("terraform/core", "core", "terraform/core/main.tf", required_version=">= 1.2")
    (here / "main.tf").write_text('terraform {\n  required_version = ">= 1.2"\n}\n')
    required = Asked(">= 1.2", "terraform/core/main.tf", 2)
    assert asked_for(tmp_path, root) == (required,)
    (tmp_path / ".tool-versions").write_text("# tools\nnodejs 20.1.0\nterraform 1.6.6 1.5.0\n")
    assert asked_for(tmp_path, root) == (Asked("1.6.6", ".tool-versions", 3), required)
    (here.parent / ".terraform-version").write_text("1.7.5\n")
    assert asked_for(tmp_path, root)[0] == Asked("1.7.5", "terraform/.terraform-version", 1)
    (here / ".terraform-version").write_text("latest:^1.7\n")
    assert asked_for(tmp_path, root) == (required,)


def test_what_is_no_constraint_is_left_to_terraform() -> None:
    assert Asked("nonsense", "main.tf").allows("1.11.4")
    assert not Asked("~> 1.5.0", "main.tf").allows("1.11.4")


@pytest.mark.parametrize(
    ("required", "preferred", "others"),
    [
        ((), None, {}),
        ((">= 1.2", "~> 1.5.0"), None, {}),
        (("= 1.5.7", ">= 1.2"), "1.5.7", {}),
        (("= 1.5.7", "1.6.6"), "1.6.6", {"r0": "1.5.7"}),
        (("= 1.5.7", "1.6.6", "< 1.6"), "1.5.7", {"r1": "1.6.6"}),
        (
            ("1.6.6", "1.6.6", "~> 1.5.0", "1.5.7", "1.5.6", "> 2"),
            "1.6.6",
            {"r2": "1.5.7", "r3": "1.5.7", "r4": "1.5.6"},
        ),
    ],
)
def test_most_roots_choose_the_version_and_the_others_get_their_own(
    tmp_path: Path, required: tuple[str, ...], preferred: str | None, others: dict[str, str]
) -> None:
    roots = [Root(f"r{index}", "r", "main.tf", required_version=text) for index, text in enumerate(required)]
    assert preferred_versions(tmp_path, roots, (), "terraform") == Versions(preferred, others)


def test_a_root_that_is_not_planned_does_not_choose_for_those_that_are(tmp_path: Path) -> None:
    roots = [Root("old", "old", "main.tf", required_version="1.5.7"), Root("new", "new", "main.tf")]
    assert preferred_versions(tmp_path, roots, {"new"}, "terraform") == Versions(None, {"old": "1.5.7"})


def test_each_program_has_version_files_of_its_own(tmp_path: Path) -> None:
    root = Root("app", "app", "app/main.tf")
    (tmp_path / "app").mkdir()
    (tmp_path / "app/.terraform-version").write_text("1.5.7\n")
    (tmp_path / ".tool-versions").write_text("terraform 1.6.6\nopentofu 1.10.6\n")
    assert asked_for(tmp_path, root) == (Asked("1.5.7", "app/.terraform-version", 1),)
    assert asked_for(tmp_path, root, "tofu") == (Asked("1.10.6", ".tool-versions", 2),)
    (tmp_path / "app/.opentofu-version").write_text("v1.12.6\n")
    assert asked_for(tmp_path, root, "tofu") == (Asked("1.12.6", "app/.opentofu-version", 1),)


@pytest.mark.parametrize("old", ["~> 0.12.31", "= 0.11.15", "1.1.5", "< 1.2", ">= 0.13, < 1.0"])
def test_a_constraint_that_nothing_new_enough_can_meet(old: str) -> None:
    assert Asked(old, "main.tf").only_before("1.2.0")


@pytest.mark.parametrize("newer", ["~> 1.2", "1.3.4", ">= 0.12", "nonsense", "~> 1.1, != 1.1.5", "= 1.11.4"])
def test_a_constraint_that_something_newer_meets(newer: str) -> None:
    assert not Asked(newer, "main.tf").only_before("1.2.0")
