"""What the documentation says about the code: its tables, its examples, its names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.config import load_config
from pytest_tfpipeline.config.operator import read_operator
from pytest_tfpipeline.config.reviewed import read_allowances, read_waivers
from pytest_tfpipeline.gate.approval import Approval
from pytest_tfpipeline.gate.digest import AddressChange
from pytest_tfpipeline.gate.ending import PARTIAL, WAITING
from pytest_tfpipeline.gate.evidence import evidence
from pytest_tfpipeline.gate.reasons import MEANING, Code, Reason, Verdict
from pytest_tfpipeline.gate.result import BaselineResult, EnvironmentResult, Proposal, RunResult, Source
from pytest_tfpipeline.gate.waves import Applied, Left, Result
from pytest_tfpipeline.model import (
    CheckKind,
    EnvironmentRun,
    Finding,
    Outcome,
    PlanResult,
    PlanStatus,
    Record,
    Severity,
    Tool,
)
from pytest_tfpipeline.plugin.markers import MARKERS
from pytest_tfpipeline.plugin.options import OPTIONS, options_table
from pytest_tfpipeline.tools.programs import program

TOP = Path(__file__).parents[2]
README = TOP / "README.md"
PAGES = [README, *sorted((TOP / "docs").glob("*.md"))]

GENERATED = re.compile(r"<!-- generated: [^>]*-->\n\n(.*?)\n\n<!-- end of generated -->", re.DOTALL)
TOML_BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FLAG = re.compile(r"(?<![\w-])--(?:tf-[a-z-]+|apply-env|allow-[a-z-]+|approv[a-z-]+|promote-[a-z-]+)")
VARIABLE = re.compile(r"TFPIPELINE_[A-Z_]+[A-Z]")


def read(name: str) -> str:
    return (TOP / name).read_text(encoding="utf-8")


def generated(name: str) -> str:
    found = GENERATED.findall(read(name))
    assert len(found) == 1, f"{name}: {len(found)} generated parts"
    return str(found[0])


@pytest.mark.parametrize("name", ["README.md", "docs/options.md"])
def test_the_table_of_options_is_the_codes_own(name: str) -> None:
    assert generated(name) == options_table()


def test_the_list_of_reason_codes_is_the_codes_own() -> None:
    rows = [f"| `{code.value}` | {meaning} |" for code, meaning in MEANING.items()]
    assert generated("docs/gate.md") == "\n".join(["| code | meaning |", "|---|---|", *rows])


def test_every_reason_code_has_a_meaning() -> None:
    assert set(MEANING) == set(Code)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_option_that_is_named_is_there(page: Path) -> None:
    """What is generated is not looked at: rows of refused keys name options that come with them."""
    named = set(FLAG.findall(GENERATED.sub("", page.read_text(encoding="utf-8"))))
    assert named <= {option.flag for option in OPTIONS}


def test_every_page_is_in_the_readmes_list() -> None:
    text = read("README.md")
    assert [page.name for page in PAGES[1:] if f"](docs/{page.name})" not in text] == []


def configurations() -> Iterator[tuple[str, str]]:
    for page in PAGES:
        for index, block in enumerate(TOML_BLOCK.findall(page.read_text(encoding="utf-8"))):
            if "tool" in tomllib.loads(block):  # the others are files of their own
                yield f"{page.name}-{index}", block


@pytest.mark.parametrize("block", [pytest.param(block, id=name) for name, block in configurations()])
def test_an_example_of_configuration_is_accepted(block: str, tmp_path: Path) -> None:
    assert tomllib.loads(block)["tool"].keys() == {"tfpipeline"}
    (tmp_path / "pyproject.toml").write_text(block, encoding="utf-8")
    load_config(tmp_path, None)


@pytest.mark.parametrize(
    ("key", "read_file"), [("waiver", read_waivers), ("allow", read_allowances), ("providers", read_operator)]
)
def test_an_example_of_another_file_is_read(key: str, read_file: Callable[[Path, Any], object], tmp_path: Path) -> None:
    (block,) = [block for block in TOML_BLOCK.findall(read("docs/configuration.md")) if key in tomllib.loads(block)]
    path = tmp_path / "outside" / "file.toml"
    path.parent.mkdir()
    path.write_text(block, encoding="utf-8")
    path.chmod(0o600)
    assert read_file(path, tmp_path / "top" if key == "providers" else path.name)


def test_examples_in_python_compile() -> None:
    blocks = [block for page in PAGES for block in PYTHON_BLOCK.findall(page.read_text(encoding="utf-8"))]
    assert blocks
    for block in blocks:
        compile(block, "example", "exec")


def test_every_environment_variable_is_documented_and_there() -> None:
    """`TFPIPELINE_EVENTS` and `TFPIPELINE_CHILD` are between the plugin and its own child."""
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (TOP / "pytest_tfpipeline").rglob("*.py"))
    tools = {f"TFPIPELINE_{name.upper()}" for name in ("terraform", "tofu", "tflint", "checkov", "ruff", "uv")}
    there = (set(VARIABLE.findall(sources)) | tools) - {"TFPIPELINE_EVENTS", "TFPIPELINE_CHILD"}
    assert set(VARIABLE.findall(read("docs/tools.md"))) == there


@pytest.mark.parametrize("name", ["terraform", "tofu", "tflint", "checkov", "ruff"])
def test_the_default_version_of_a_tool_is_the_codes_own(name: str) -> None:
    (row,) = re.findall(rf"^\| {name} \|.*\| (\S+) \|$", read("docs/tools.md"), re.MULTILINE)
    assert row == program(name).default


@pytest.mark.parametrize("page", ["docs/options.md", "README.md"])
def test_the_exit_codes_that_are_not_those_of_pytest(page: str) -> None:
    assert f"| {PARTIAL} | applied in part" in read(page)
    assert f"| {WAITING} | everything so far passed" in read(page)


def test_what_the_policy_marker_takes_is_explained() -> None:
    (taken,) = [re.findall(r"\w+", line.split("(")[1].split(")")[0]) for line in MARKERS if "tf_policy(" in line]
    assert taken == re.findall(r"^\| `(\w+)` \|", read("docs/policies.md"), re.MULTILINE)[-len(taken) :]


# docs/evidence.md


def an_evidence() -> dict[str, Any]:
    """Evidence in which every field is there."""
    finding = Finding("rule", Severity.ERROR, "text", address="a.b", file="main.tf", line=1)
    environment = EnvironmentResult(
        EnvironmentRun("staging", "aws", (), {}, None, "none"),
        plans=(PlanResult("core", "staging", PlanStatus.PLANNED),),
        verdict=Verdict("staging", (Reason(Code.CHECK_FAILED, "text", "id"),)),
        result=Result((Applied("core", 1, "failed", 1.0, "why"),), (Left("etl", "why"),)),
        proposal=Proposal("sha256:0", {"core": "sha256:1"}, {"core": (AddressChange("a.b", "a", ("create",), "0"),)}),
        approval=Approval("signed", "sha256:0", ("a",), "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
    )
    result = RunResult(
        id="1",
        mode="apply",
        started="2026-01-01T00:00:00+00:00",
        seconds=1.0,
        source=Source("repository", None, None, None),
        command=("pytest",),
        workers=2,
        exit_code=PARTIAL,
        tools=(Tool("terraform", "1.11.4", "terraform", "0"),),
        environments=(environment,),
        records=(Record("id", CheckKind.FMT, Outcome.FAILED, "core", findings=(finding,)),),
        baseline=BaselineResult("known.json", "sha256:0"),
    )
    return evidence(result)


def names(value: object) -> set[str]:
    """Every key at any depth."""
    if isinstance(value, dict):
        return set(value) | {name for each in value.values() for name in names(each)}
    if isinstance(value, list):
        return {name for each in value for name in names(each)}
    return set()


def test_the_shape_of_evidence_is_the_one_that_is_written() -> None:
    (block,) = re.findall(r"^```\n(\{schema_version.*?)^```$", read("docs/evidence.md"), re.MULTILINE | re.DOTALL)
    shown = set(re.findall(r"\w+", re.sub(r" {3,}(?:null|applied,|in a run) .*", "", block)))
    assert shown == names(an_evidence())
