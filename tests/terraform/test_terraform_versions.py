"""Which terraform a root asks for is held against the one that runs, the real one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.checks import perform
from pytest_tfpipeline.model import Check, CheckKind, Outcome, PlanStatus, Root, Target
from pytest_tfpipeline.pipeline.build import Wish, build_run, describe
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.terraform.planning import ensure_plan

OLD, NEW = Target("old", "staging"), Target("new", "staging")
RESOURCE = 'resource "terraform_data" "a" {}\n'


@pytest.fixture
def two(playground: Any) -> Any:
    """Two roots; files ask for another terraform in `old`."""
    playground.write("old/main.tf", RESOURCE)
    playground.write("new/main.tf", RESOURCE)
    return playground


@pytest.mark.parametrize(
    ("file", "text", "line"),
    [("old/.terraform-version", "1.5.7\n", 1), ("old/.tool-versions", "python 3.11\nterraform 1.5.7\n", 2)],
)
def test_a_version_file_fails_its_own_root_alone(two: Any, file: str, text: str, line: int) -> None:
    two.write(file, text)
    ctx = two.open(OLD, NEW)
    refused = ensure_plan(ctx, OLD)
    (finding,) = refused.findings
    assert (refused.status, finding.rule, finding.file, finding.line) == (
        PlanStatus.FAILED,
        "terraform-version",
        file,
        line,
    )
    assert "1.5.7" in finding.text
    assert ctx.tool("terraform").version in finding.text
    assert "tfenv install 1.5.7" in finding.text
    assert f'terraform = "{ctx.tool("terraform").version}" under [tool.tfpipeline.tools]' in finding.text
    assert ensure_plan(ctx, NEW).status is PlanStatus.PLANNED


def test_required_version_fails_validate_too_and_names_its_line(two: Any) -> None:
    two.write("old/versions.tf", '# why\nterraform {\n  required_version = "~> 1.5.0"\n}\n')
    root = Root("old", "old", "old/main.tf", required_version="~> 1.5.0")
    ctx = two.open(OLD, roots=(root,))
    record = perform(ctx, Check("old/main.tf::validate", CheckKind.VALIDATE, "old"))
    (finding,) = record.findings
    assert (record.outcome, finding.file, finding.line) == (Outcome.FAILED, "old/versions.tf", 3)
    assert "~> 1.5.0" in finding.text
    assert "Or take the one that is here" not in finding.text, "the configuration does not stand above it"


def test_the_configuration_stands_above_version_files(two: Any) -> None:
    two.write("old/.terraform-version", "1.5.7\n")
    version = two.open(OLD).tool("terraform").version
    assert ensure_plan(two.open(OLD, tool_versions={"terraform": version}), OLD).status is PlanStatus.PLANNED


def test_a_version_that_cannot_be_had_leaves_the_one_that_is_there(
    two: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("TFPIPELINE_RELEASES_MIRROR", "http://127.0.0.1:9/")
    usual = two.open(OLD).tool("terraform")
    assert two.open(OLD, preferred_versions={"terraform": "1.5.7"}).tool("terraform") == usual
    assert two.open(OLD, preferred_versions={"terraform": usual.version}).tool("terraform") == usual


def test_the_run_prefers_what_the_files_ask_for(two: Any) -> None:
    two.write("old/.terraform-version", "1.5.7\n")
    two.write("tfpipeline.toml", 'environments = ["staging"]\ninclude = ["old", "new"]\n')
    wish, runner = Wish("plan", ("staging",)), Runner()
    run, _ = build_run(two.repository, wish, describe(two.repository, wish, runner), runner)
    assert run.preferred_versions == {"terraform": "1.5.7"}
