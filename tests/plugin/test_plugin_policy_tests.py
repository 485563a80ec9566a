"""Users' policy tests: what they get, which of them run, what is unknown, and what they may not print."""

from __future__ import annotations

from pathlib import Path

from scratch import Scratch

RULES = """
import pytest

from pytest_tfpipeline.policies import UNKNOWN


def test_plan(tf_plan):
    assert tf_plan.root in ("infra/a", "infra/b")
    assert tf_plan.environment in ("staging", "production")
    (it,) = tf_plan.resources("terraform_data", actions="create")
    assert (it.address, it.before, it.after["input"]) == ("terraform_data.it", None, "hello")
    assert it.after["id"] is UNKNOWN
    assert tf_plan.outputs["value"] is UNKNOWN


@pytest.mark.tf_policy(roots="infra/a", environments=["staging"])
def test_chosen(tf_plan):
    assert tf_plan.root == "infra/a"


def test_configuration(tf_configuration):
    (it,) = tf_configuration.blocks("resource")
    assert it.file == tf_configuration.root + "/main.tf"
    assert it.line == 7


def test_both(tf_plan, tf_configuration):
    assert tf_plan.root == tf_configuration.root


@pytest.mark.tf_policy(roots="infra/a", unknown="fail")
def test_unknown_fails(tf_plan):
    assert tf_plan.resources()[0].after["id"] != ""


@pytest.mark.tf_policy(roots="infra/a", unknown="pass")
def test_unknown_passes(tf_plan):
    assert tf_plan.resources()[0].after["id"] != ""


@pytest.mark.tf_policy(roots="infra/a", unknown="report")
def test_unknown_is_reported(tf_plan):
    assert tf_plan.resources()[0].after["id"] != ""
"""


def test_policy_tests_are_multiplied_filtered_and_told_what_is_unknown(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path, environments=("staging", "production"))
    backend = f'backend = ["path={scratch.states}/{{name}}-{{env}}.tfstate"]\n'
    scratch.configure(roots=f'match = "infra/*"\napply = true\n{backend}')
    scratch.without_checkov()
    scratch.root("a")
    scratch.root("b")
    scratch.write("tests/test_rules.py", RULES)
    scratch.commit()

    result = scratch.run("--tf-plan", "staging,production", "-n", "0", "-v")

    assert result.code == 1, result.text
    outcomes = {key.removeprefix("tests/test_rules.py::"): value for key, value in scratch.outcomes().items()}
    subjects = ("a-staging", "b-staging", "a-production", "b-production")
    assert [outcomes[f"test_plan[{one}]"] for one in subjects] == ["passed"] * 4, result.text
    assert [outcomes[f"test_both[{one}]"] for one in subjects] == ["passed"] * 4, result.text
    assert [key for key in outcomes if key.startswith("test_chosen")] == ["test_chosen[a-staging]"]
    assert [key for key in outcomes if key.startswith("test_configuration")] == [
        "test_configuration[a]",
        "test_configuration[b]",
    ]
    assert outcomes["test_unknown_fails[a-staging]"] == "failed"
    assert outcomes["test_unknown_passes[a-staging]"] == "passed"
    assert outcomes["test_unknown_is_reported[a-staging]"] == "unknown"
    assert "known only after apply" in result.stdout
    assert "2 unknown" in result.stdout
    assert [value for value in outcomes.values() if value == "failed"] == ["failed", "failed"]


SECRET = "hunter2-is-no-password"  # noqa: S105
TOKEN = "token-0123456789-abcdef"  # noqa: S105

SENSITIVE = """
variable "password" {
  type      = string
  sensitive = true
}

resource "terraform_data" "secret" {
  input = var.password
}
"""

LEAKING = """
import os


def test_prints_a_secret(tf_plan):
    print(os.environ["API_TOKEN"])
    values = [one.after["input"] for one in tf_plan.resources()]
    assert not values, values
"""


def test_a_secret_stands_in_no_output(scratch: Scratch, tmp_path: Path) -> None:
    """A failing test prints what it compared, which is what a secret is lost by."""
    scratch.root("a", SENSITIVE)
    scratch.write("tests/test_rules.py", LEAKING)
    scratch.configure(roots='match = "infra/*"\napply = true\nvars = { password = "${THE_PASSWORD}" }\n')
    scratch.commit()
    junit, summary = tmp_path / "junit.xml", tmp_path / "step.md"
    env = {"THE_PASSWORD": SECRET, "API_TOKEN": TOKEN, "GITHUB_STEP_SUMMARY": str(summary)}

    for args in (("-n", "0"), ("-n", "2")):
        result = scratch.run("--apply-env", "staging", *args, f"--junitxml={junit}", env=env)

        assert result.code == 1, result.text
        assert scratch.reasons() == {"check-failed"}, result.text
        assert "test_prints_a_secret[a-staging]" in result.stdout
        written = [junit, summary, scratch.output / "summary.md", scratch.output / "evidence.json"]
        for text in (result.text, *(path.read_text() for path in written)):
            assert SECRET not in text
            assert TOKEN not in text
        assert "hello" in result.stdout, "what is no secret is shown"
    kept = [path for path in (scratch.output / "runs").rglob("*") if path.is_file() and _holds(path, SECRET)]
    assert kept, "terraform's own files hold it"
    assert all(path.stat().st_mode & 0o077 == 0 for path in kept), kept


def _holds(path: Path, text: str) -> bool:
    return text.encode() in path.read_bytes()


def test_without_a_plan_the_tests_that_want_one_are_not_run_and_that_is_said_once(scratch: Scratch) -> None:
    scratch.commit()

    result = scratch.run("-n", "0")

    assert result.code == 0, result.text
    assert result.stdout.count("1 policy test had nothing to judge") == 1
    assert "test_small" not in result.stdout
    assert not scratch.applied("a")


def test_a_pasted_id_is_told_that_it_needs_a_plan(scratch: Scratch) -> None:
    scratch.commit()

    result = scratch.run("tests/test_rules.py::test_small[a-staging]")

    assert result.code == 4, result.text
    assert "tests/test_rules.py::test_small needs a plan: --tf-plan ENV" in result.text
