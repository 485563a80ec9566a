"""Runs in which everything passes: they apply, they apply once, and what is left after a failure is finished later."""

from __future__ import annotations

import itertools
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from scratch import Scratch

from pytest_tfpipeline.model import Kind, Repository, Root, Run
from pytest_tfpipeline.plugin.terminal import header

#: Names that may stand in the evidence, at each place; the rest of the shape is asserted by value.
RUN = "id started seconds repository commit ref tree_clean command isolation workers exit_code"
PLAN = "root digest deferred add change replace destroy import forget has_changes"
CHECK = "id check root environment outcome seconds reused findings"


def chain(scratch: Scratch) -> None:
    """`b` reads the state of `a`."""
    scratch.root("b", reads="a")


def test_a_chain_is_applied_in_waves_and_then_there_is_nothing_to_change(scratch: Scratch, tmp_path: Path) -> None:
    chain(scratch)
    scratch.commit()
    summary = tmp_path / "step.md"
    summary.write_text("before\n")
    junit = tmp_path / "junit.xml"
    env = {"GITHUB_STEP_SUMMARY": str(summary)}

    first = scratch.run("--apply-env", "staging", "-v", "-n", "2", f"--junitxml={junit}", env=env)

    assert first.code == 0, first.text
    assert scratch.value("a") == "hello"
    assert scratch.value("b") == "hello"
    assert "not seen yet" not in first.stdout  # all of it is applied by then
    assert "staging: applied, 2 roots changed" in first.stdout
    assert "100%" in first.stdout
    assert "1600%" not in first.stdout
    assert scratch.clean()
    applied = [(one["root"], one["wave"], one["outcome"]) for one in scratch.environment()["applied"]]
    assert applied == [("infra/a", 1, "applied"), ("infra/b", 2, "applied")]
    assert_evidence_has_the_documented_shape(scratch)
    assert_policies_of_the_second_wave_ran(scratch, first.stdout)
    assert_junit_has_everything(junit)
    assert summary.read_text().startswith("before\n## repository at ")
    assert "infra/b  wave 2  applied" in summary.read_text()
    assert (scratch.output / "summary.md").read_text() in summary.read_text()

    before = scratch.state("b")
    second = scratch.run("--apply-env", "staging", "-p", "no:xdist")

    assert second.code == 0, second.text
    assert scratch.state("b") == before
    assert "staging: nothing to change" in second.stdout
    assert "." not in second.stdout.splitlines(), "no letter stands alone among the lines of the apply"
    assert "%]." not in second.stdout
    assert {one["outcome"] for one in scratch.environment()["applied"]} == {"unchanged"}
    assert len(list((scratch.output / "evidence").glob("*.json"))) == 2


def assert_evidence_has_the_documented_shape(scratch: Scratch) -> None:
    evidence = scratch.evidence()
    assert list(evidence) == ["schema_version", "run", "tools", "environments", "baseline", "checks", "digest"]
    assert set(RUN.split()) <= set(evidence["run"])
    assert evidence["run"]["commit"] == scratch.git("rev-parse", "HEAD").strip()
    assert (evidence["run"]["ref"], evidence["run"]["tree_clean"], evidence["run"]["workers"]) == ("main", True, 2)
    assert evidence["run"]["command"][:3] == ["pytest", "--apply-env", "staging"]
    assert {"terraform", "tflint", "checkov"} <= set(evidence["tools"])
    assert all(set(tool) == {"version", "path", "sha256"} for tool in evidence["tools"].values())
    (environment,) = evidence["environments"]
    names = "name emulated identity verdict plan_set_digest plans applied left"
    assert set(names.split()) <= set(environment)
    assert (environment["emulated"], environment["verdict"], environment["left"]) == (
        False,
        {"open": True, "reasons": [], "known": 0},
        [],
    )
    assert all(set(PLAN.split()) <= set(plan) for plan in environment["plans"])
    assert [plan["root"] for plan in environment["plans"]] == ["infra/a", "infra/b"]
    assert all(set(CHECK.split()) == set(check) for check in evidence["checks"])
    assert evidence["digest"].startswith("sha256:")


def assert_policies_of_the_second_wave_ran(scratch: Scratch, output: str) -> None:
    """First deferred, then run before the root that they judge is applied."""
    records = [one["outcome"] for one in scratch.evidence()["checks"] if one["id"].endswith("test_small[b-staging]")]
    assert records[-1] == "passed"
    tail = output.partition("applying staging")[2]
    assert tail.index("PASSED tests/test_rules.py::test_small[b-staging]") < tail.index(
        "infra/b/main.tf::apply[staging] PASSED"
    )


def assert_junit_has_everything(path: Path) -> None:
    cases = {f"{one.get('classname')}::{one.get('name')}" for one in ET.parse(path).iter("testcase")}  # noqa: S314
    for name in ("fmt", "lint", "validate", "policy", "plan[staging]", "policy[staging]", "apply[staging]"):
        assert any(case.endswith(f"::{name}") and "infra" in case for case in cases), (name, cases)
    assert any(case.endswith("gate[staging]") for case in cases)
    assert any(case.endswith("test_small[b-staging]") for case in cases)


REFUSES_B = """
def test_b_is_never_right(tf_plan):
    assert tf_plan.root != "infra/b"
"""


@pytest.mark.parametrize("args", [("-n", "2"), ("-n", "0")], ids=["workers", "alone"])
def test_a_policy_test_can_stop_a_root_of_the_second_wave(args: tuple[str, ...], scratch: Scratch) -> None:
    chain(scratch)
    scratch.root("c", reads="b")
    scratch.write("tests/test_b.py", REFUSES_B)
    scratch.commit()

    result = scratch.run("--apply-env", "staging", *args)

    assert result.code == 11, result.text
    assert scratch.applied("a")
    assert not scratch.applied("b")
    assert not scratch.applied("c")
    left = {one["root"]: one["why"] for one in scratch.environment()["left"]}
    assert set(left) == {"infra/b", "infra/c"}
    assert "tests/test_b.py::test_b_is_never_right[b-staging]" in left["infra/b"]
    assert "depends on infra/b" in left["infra/c"]
    assert "infra/b  left: " in result.stdout
    assert "staging: applied in part" in result.stdout


def test_what_a_failure_leaves_is_named_and_the_next_run_finishes(scratch: Scratch) -> None:
    switch = scratch.path.parent / "works"
    scratch.root("b", LOCAL_EXEC.format(command=f"test -e '{switch}'"), reads="a")
    scratch.root("c", reads="b")
    scratch.root("d")
    scratch.commit()

    first = scratch.run("--apply-env", "staging", "-n", "2")

    assert first.code == 11, first.text
    outcomes = {one["root"]: one["outcome"] for one in scratch.environment()["applied"]}
    assert outcomes == {"infra/a": "applied", "infra/d": "applied", "infra/b": "failed"}
    assert [one["root"] for one in scratch.environment()["left"]] == ["infra/c"]
    assert not scratch.applied("c")
    assert "infra/c  left: it depends on infra/b" in first.stdout
    assert "local-exec provisioner error" in first.stdout
    assert scratch.locks() == []

    switch.touch()
    second = scratch.run("--apply-env", "staging", "-n", "2")

    assert second.code == 0, second.text
    assert scratch.value("c") == "hello"
    again = {one["root"]: one["outcome"] for one in scratch.environment()["applied"]}
    assert again == {"infra/a": "unchanged", "infra/d": "unchanged", "infra/b": "applied", "infra/c": "applied"}


LOCAL_EXEC = """
resource "terraform_data" "hook" {{
  provisioner "local-exec" {{
    command = "{command}"
  }}
}}
"""


def test_variables_that_would_change_terraform_are_named_and_change_nothing(scratch: Scratch) -> None:
    scratch.root("a", 'resource "terraform_data" "more" {\n}')
    scratch.commit()
    env = {
        "TF_CLI_ARGS": "-target=terraform_data.it",
        "TF_CLI_ARGS_plan": "-target=terraform_data.it",
        "TF_WORKSPACE": "elsewhere",
        "TF_VAR_nowhere": "x",
        "TF_DATA_DIR": str(scratch.path.parent / "data"),
    }

    result = scratch.run("--apply-env", "staging", "-n", "0", env=env)

    assert result.code == 0, result.text
    names = {one["name"] for one in scratch.state("a")["resources"]}
    assert names == {"it", "more"}
    for name in env:
        assert name in result.stdout, result.text
    assert scratch.clean()


def test_every_way_to_run_comes_to_the_same(scratch: Scratch) -> None:
    """With workers, without, without pytest-xdist at all, and with a distribution of somebody's own."""
    chain(scratch)
    scratch.commit()
    seen = []
    for args in (("-n", "2"), ("-n", "0"), ("-p", "no:xdist"), ("-n", "2", "--dist", "loadfile")):
        result = scratch.run("--tf-plan", "staging", *args)
        assert result.code == 0, result.text
        assert "staging: planned, nothing was applied" in result.stdout
        seen.append(scratch.outcomes())
    assert not scratch.applied("a")
    for one, other in itertools.pairwise(seen):
        assert one == other
    assert json.dumps(seen[0]).count("deferred") == 3


def test_examples_are_counted_apart_from_roots_as_in_the_listing() -> None:
    made = [Root(name, name, f"{name}/main.tf", kind) for name, kind in (("a", Kind.ROOT), ("b", Kind.EXAMPLE))]
    run = Run("1", "check", Repository("/x", roots=tuple(made)), "/x/o", "/x/o/w")
    assert header(run, ()) == ["tfpipeline: 1 root, 1 example, 0 modules, 0 suites"]
