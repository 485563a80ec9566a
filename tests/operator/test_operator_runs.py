"""Exceptions in real runs: waived findings, allowed deletions, environments that borrow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from scratch import Scratch

FAILING = """
check "size" {
  assert {
    condition     = terraform_data.it.input == "large"
    error_message = "too small"
  }
}
"""


def day(days: int) -> str:
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


def waiver(expires: str, address: str = "infra/a//check.size", environment: str = "staging") -> str:
    return (
        f'[[waiver]]\nrule = "TFP003"\naddress = "{address}"\nowner = "platform"\nreason = "grows next week"\n'
        f'expires = {expires}\nenvironment = "{environment}"\n'
    )


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path)
    made.without_checkov()
    made.root("a")
    made.configure('waivers = "waivers.toml"\nallow_destroy = "allow.toml"')
    made.write("waivers.toml", waiver(day(3)))
    made.write("allow.toml", "allow = []\n")
    return made


def test_a_waived_finding_lets_the_apply_through_and_is_in_the_evidence(scratch: Scratch) -> None:
    scratch.root("a", FAILING)
    scratch.commit()
    result = scratch.run("--apply-env", "staging", "-n0")
    assert result.code == 0, result.text
    assert scratch.applied("a")
    assert (
        "waivers.toml: waiver[0]: the waiver of TFP003 for infra/a//check.size in staging expires in 3" in result.text
    )
    (finding,) = [
        finding
        for check in scratch.evidence()["checks"]
        for finding in check["findings"]
        if check["id"] == "infra/a/main.tf::policy[staging]" and finding["rule"] == "TFP003"
    ]
    assert finding["severity"] == "notice"
    assert finding["text"].startswith(f"waived until {day(3)} by platform (grows next week):")


def test_an_expired_waiver_fails_what_it_covered_and_the_run(scratch: Scratch) -> None:
    scratch.root("a", FAILING)
    scratch.write("waivers.toml", waiver(day(-1)))
    scratch.commit()
    result = scratch.run("--apply-env", "staging", "-n0")
    assert result.code == 1, result.text
    assert scratch.reasons() == {"check-failed", "waiver-expired"}
    assert f"its waiver (waivers.toml: waiver[0], platform) expired: the last day was {day(-1)}" in result.text
    assert not scratch.applied("a")


def test_an_unused_waiver_closes_the_gate(scratch: Scratch) -> None:
    scratch.commit()
    result = scratch.run("--apply-env", "staging", "-n0")
    assert result.code == 1, result.text
    assert scratch.reasons() == {"waiver-unused"}
    assert not scratch.applied("a")


def test_a_reviewed_deletion_is_allowed_in_its_environment_until_its_day(scratch: Scratch) -> None:
    scratch.configure('allow_destroy = "allow.toml"\n[environment.staging]\nprotect = ["terraform_data"]')
    allow = (
        '[[allow]]\nroot = "infra/a"\naddress = "terraform_data.old"\nenvironment = "staging"\nreason = "moved"\n'
        "expires = {}\n"
    )
    scratch.root("a", 'resource "terraform_data" "old" {}')
    scratch.write("allow.toml", allow.format(day(0)))
    scratch.commit()
    first = scratch.run("--apply-env", "staging", "-n0")
    assert first.code == 0, first.text
    assert "the allowed deletion of infra/a//terraform_data.old is not used" in first.text
    scratch.root("a")
    scratch.write("allow.toml", allow.format(day(-1)))
    scratch.commit()
    refused = scratch.run("--apply-env", "staging", "-n0")
    assert refused.code == 1, refused.text
    assert "protected-destroy" in scratch.reasons()
    assert "the deletion of infra/a//terraform_data.old in staging was allowed until" in refused.text
    scratch.write("allow.toml", allow.format(day(0)))
    scratch.commit()
    allowed = scratch.run("--apply-env", "staging", "-n0")
    assert allowed.code == 0, allowed.text
    state = scratch.state("a")
    assert state is not None
    assert [resource["name"] for resource in state["resources"]] == ["it"]


@pytest.mark.parametrize("file", ["waivers.toml", "allow.toml"])
def test_a_bad_file_ends_the_run_before_anything_starts(scratch: Scratch, file: str) -> None:
    scratch.write(file, "[[waiver]]\nrule = \n")
    scratch.commit()
    result = scratch.run("--tf-plan", "staging", "-n0")
    assert result.code == 4, result.text
    assert f"{file}:2: is not valid TOML" in result.text
    assert "Traceback" not in result.text


ALIAS = 'env_alias = { "pr-*" = "staging" }\n[environment.staging]\nprotect = ["terraform_data"]'


def test_an_alias_that_would_share_a_state_is_refused_before_anything_runs(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.without_checkov()
    scratch.root("a")
    scratch.configure(ALIAS)
    scratch.commit()
    result = scratch.run("--apply-env", "pr-12", "-n0")
    assert result.code == 4, result.text
    assert "infra/a in pr-12 (which borrows from staging) would have the state of staging" in result.text
    assert not scratch.states.exists()
    assert scratch.evidence()["run"]["exit_code"] == 4


def test_an_alias_borrows_files_and_rules_and_keeps_its_name(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.without_checkov()
    scratch.root("a", 'variable "size" {}\nvariable "env" {}\noutput "said" {\n  value = "${var.size}-${var.env}"\n}')
    path = f"path={scratch.states}/{{name}}-{{env}}.tfstate"
    scratch.configure(
        ALIAS,
        roots='match = "infra/*"\napply = true\nvar_files = ["config/{env}.tfvars"]\nvars = { env = "{env}" }\n'
        f'backend = ["{path}"]\n',
    )
    scratch.write("config/staging.tfvars", 'size = "small"\n')
    scratch.commit()
    result = scratch.run("--apply-env", "pr-12", "-n0")
    assert result.code == 0, result.text
    state = scratch.state("a-pr-12")
    assert state is not None
    assert state["outputs"]["said"]["value"] == "small-pr-12"
    assert scratch.state("a-staging") is None
    assert scratch.environment("pr-12")["verdict"]["open"]
