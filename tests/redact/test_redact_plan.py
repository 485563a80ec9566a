"""Values that terraform marks sensitive, in a plan that terraform itself made."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.process import Request, Runner
from pytest_tfpipeline.redact import redact_plan, secrets_of_plan

CONFIGURATION = """
variable "password" {
  type      = string
  sensitive = true
  default   = "correct-horse-battery"
}
variable "settings" {
  type      = object({ pin = number, hosts = list(string) })
  sensitive = true
  default   = { pin = 48151623, hosts = ["db.internal.example"] }
}
variable "region" { default = "eu-west-2" }
resource "terraform_data" "one" {
  input = { login = "admin", password = var.password, list = ["open", var.password], region = var.region }
}
resource "terraform_data" "two" { input = "https://admin:${nonsensitive(var.password)}@host" }
output "password" {
  value     = var.password
  sensitive = true
}
output "region" { value = var.region }
"""


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    top: Path = tmp_path_factory.mktemp("root")
    (top / "main.tf").write_text(CONFIGURATION)
    runner = Runner()
    env = {"CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": "/dev/null"}
    for argv in (("init", "-backend=false"), ("plan", "-out=p", "-lock=false"), ("show", "-json", "p")):
        outcome = runner.run(Request(("terraform", *argv), top, env=env, timeout=60))
        assert outcome.ok, outcome.stderr
    loaded: dict[str, Any] = json.loads(outcome.stdout)
    return loaded


def test_the_secrets_of_a_plan(plan: dict[str, Any]) -> None:
    assert {"correct-horse-battery", "48151623", "db.internal.example"} <= secrets_of_plan(plan)
    assert not {"eu-west-2", "admin", "open"} & secrets_of_plan(plan)


def test_no_secret_is_left_anywhere_in_the_redacted_plan(plan: dict[str, Any]) -> None:
    before = json.dumps(plan)
    redacted = redact_plan(plan)
    text = json.dumps(redacted)
    for secret in ("correct-horse-battery", "48151623", "db.internal.example"):
        assert secret in before
        assert secret not in text
    assert json.dumps(plan) == before


def test_everything_else_stays(plan: dict[str, Any]) -> None:
    redacted = redact_plan(plan)
    after = {change["address"]: change["change"]["after"] for change in redacted["resource_changes"]}
    assert after["terraform_data.one"]["input"] == {
        "login": "admin",
        "password": "(sensitive)",
        "list": ["open", "(sensitive)"],
        "region": "eu-west-2",
    }
    assert after["terraform_data.two"]["input"] == "https://admin:***@host"
    assert redacted["output_changes"]["password"]["after"] == "(sensitive)"
    assert redacted["output_changes"]["region"]["after"] == "eu-west-2"
    assert redacted["variables"]["password"]["value"] == "(sensitive)"
    assert redacted["variables"]["region"]["value"] == "eu-west-2"
    assert redacted["planned_values"]["outputs"]["password"]["value"] == "(sensitive)"
    assert [each["change"]["actions"] for each in redacted["resource_changes"]] == [["create"], ["create"]]


def test_a_short_secret_is_masked_at_its_mark_only() -> None:
    change = {"actions": ["create"], "before": None, "after": {"word": "create"}, "after_sensitive": {"word": True}}
    redacted = redact_plan({"resource_changes": [{"change": change}]})["resource_changes"][0]["change"]
    assert redacted["after"] == {"word": "(sensitive)"}
    assert redacted["actions"] == ["create"]


def test_null_stays_null_and_shorter_marks_are_no_error() -> None:
    change = {"before": None, "before_sensitive": True, "after": [1, "two"], "after_sensitive": [True]}
    redacted = redact_plan({"output_changes": {"o": change}})["output_changes"]["o"]
    assert (redacted["before"], redacted["after"]) == (None, ["(sensitive)", "two"])
