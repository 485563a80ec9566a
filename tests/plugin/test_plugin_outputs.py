"""Tests of outputs: held back until their environment is applied, then run like any other, and in nobody's way else."""

from __future__ import annotations

from pathlib import Path

import pytest
from scratch import Scratch

OUTPUTS = """
import pytest
from pathlib import Path


@pytest.fixture
def address(tf_outputs):
    return f"https://{tf_outputs['value']}.example.org"


def test_values(tf_outputs):
    assert tf_outputs.root in ("infra/a", "infra/b")
    assert tf_outputs.environment == "staging"
    assert dict(tf_outputs) == {"value": "hello"}
    assert list(tf_outputs) == ["value"] and len(tf_outputs) == 1
    assert tf_outputs.get("value") == "hello" and tf_outputs.get("other", 7) == 7 and "other" not in tf_outputs


@pytest.mark.tf_policy(roots="infra/a", environments=["staging"])
def test_chosen(tf_outputs):
    assert tf_outputs.root == "infra/a"


@pytest.mark.tf_policy(environments=["production"])
def test_elsewhere(tf_outputs):
    raise AssertionError


class TestInAClass:
    @pytest.mark.parametrize("ending", ["org", "example.org"])
    def test_through_a_fixture(self, address, ending):
        assert address.endswith(ending)


@pytest.mark.tf_policy(roots="infra/a")
def test_what_was_planned_is_there(tf_plan, tf_outputs):
    (it,) = tf_plan.resources("terraform_data", actions="create")
    assert it.after["input"] == tf_outputs["value"]


def test_another():
    pass
"""

CALLS = {
    *(f"test_values[{root}-staging]" for root in "ab"),
    *(f"TestInAClass::test_through_a_fixture[{root}-staging-{end}]" for root in "ab" for end in ("org", "example.org")),
    "test_chosen[a-staging]",
    "test_what_was_planned_is_there[a-staging]",
}


@pytest.fixture
def two_roots(scratch: Scratch) -> Scratch:
    """Roots `a` and `b` that are applied and `c` that is not."""
    scratch.root("b")
    scratch.root("c")
    scratch.configure(roots='match = "infra/[ab]"\napply = true\n')
    return scratch


@pytest.mark.parametrize("workers", ["0", "2"])
def test_they_run_after_the_apply_once_per_root_and_stand_in_evidence_and_junit(
    two_roots: Scratch, tmp_path: Path, workers: str
) -> None:
    two_roots.write("tests/test_live.py", OUTPUTS)
    two_roots.commit()
    junit = tmp_path / "junit.xml"

    result = two_roots.run("--apply-env", "staging", "-n", workers, "-v", f"--junitxml={junit}")

    assert result.code == 0, result.text
    checks = {one["id"]: one for one in two_roots.evidence()["checks"] if one["id"].startswith("tests/test_live.py")}
    found = {id.removeprefix("tests/test_live.py::"): one["outcome"] for id, one in checks.items()}
    assert found == dict.fromkeys(CALLS | {"test_another"}, "passed"), result.text
    about = checks["tests/test_live.py::test_values[b-staging]"]
    assert (about["check"], about["root"], about["environment"]) == ("policy_test", "infra/b", "staging")
    assert "1 output test had nothing to judge: their roots or environments are not applied" in result.stdout
    applied, run = result.stdout.index("apply[staging]"), result.stdout.rindex("test_values[a-staging]")
    assert applied < run, result.text
    assert junit.read_text().count("test_values[a-staging]") == 1
    assert "<testsuite" in junit.read_text()
