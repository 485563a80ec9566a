"""A hotfix of one group, with the real terraform, while another one is broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from scratch import Scratch

GROUP = '[[group]]\nname = "etl"\nroots = ["infra/etl"]\n'
RULES = """
def test_plan(tf_plan):
    assert tf_plan.resources()


def test_configuration(tf_configuration):
    assert tf_configuration.blocks("resource")
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path)
    made.without_checkov()
    made.root("core")
    made.root("etl", reads="core")
    made.configure(GROUP)
    made.write("tests/test_rules.py", RULES)
    return made


def test_etl_goes_out_while_core_is_broken(scratch: Scratch) -> None:
    scratch.commit()
    first = scratch.run("--apply-env", "staging", "-n0")
    assert first.code == 0, first.text
    scratch.write("infra/core/broken.tf", 'resource "terraform_data" {\n')
    scratch.root("etl", 'resource "terraform_data" "hotfix" {}', reads="core")
    scratch.commit()

    everything = scratch.run("--apply-env", "staging", "-n0")
    assert everything.code == 1, everything.text

    hotfix = scratch.run("--apply-env", "staging", "--tf-group", "etl", "-n0")
    assert hotfix.code == 0, hotfix.text
    state = scratch.state("etl")
    assert state is not None
    assert sorted(resource["name"] for resource in state["resources"] if resource["mode"] == "managed") == [
        "hotfix",
        "it",
    ]
    assert "not judged: infra/core" in hotfix.text
    assert [one["root"] for one in scratch.environment()["applied"]] == ["infra/etl"]
    assert {check["root"] for check in scratch.evidence()["checks"] if check["root"]} == {"infra/etl"}
    assert sorted(key for key in scratch.outcomes() if "::test_" in key) == [
        "tests/test_rules.py::test_configuration[etl]",
        "tests/test_rules.py::test_plan[etl-staging]",
    ]


def test_what_it_reads_must_be_there(scratch: Scratch) -> None:
    scratch.commit()
    result = scratch.run("--apply-env", "staging", "--tf-group=etl", "-n2")
    assert result.code == 1, result.text
    assert scratch.outcomes()["infra/etl/main.tf::plan[staging]"] == "failed"
    assert not scratch.applied("etl")
    assert not scratch.applied("core")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--tf-group", "elt"), "unknown group `elt`; did you mean `etl`?"),
        (("--tf-group", ""), "the group's name is missing"),
        (("--tf-group", "etl", "--tf-group", "etl"), "a run is about one group"),
    ],
)
def test_a_wrong_group_is_a_usage_error(scratch: Scratch, args: tuple[str, ...], said: str) -> None:
    scratch.commit()
    result = scratch.run("--apply-env", "staging", *args, "-n0")
    assert result.code == 4, result.text
    assert said in result.text


def test_a_group_counts_only_when_it_was_typed(scratch: Scratch) -> None:
    scratch.commit()
    result = scratch.run("--apply-env", "staging", "-n0", env={"PYTEST_ADDOPTS": "--tf-group=etl"})
    assert result.code == 4, result.text
    assert "--tf-group counts only when it is typed" in result.text
