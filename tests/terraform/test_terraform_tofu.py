"""Roots that OpenTofu runs, with the real one: encrypted, with files that it alone reads, beside roots of terraform."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from encrypted import ENCRYPTION, RESOURCE

from pytest_tfpipeline.checks import perform
from pytest_tfpipeline.gate.digest import plan_digest
from pytest_tfpipeline.model import Check, CheckKind, Outcome, PlanStatus, Root, Target, Tool, Variable
from pytest_tfpipeline.terraform.applying import apply_plan, outputs
from pytest_tfpipeline.terraform.bound import bound_of
from pytest_tfpipeline.terraform.current import current_state
from pytest_tfpipeline.terraform.diagnostics import render_findings
from pytest_tfpipeline.terraform.planfile import is_encrypted
from pytest_tfpipeline.terraform.planning import ensure_plan
from pytest_tfpipeline.terraform.saved import kept_plan, read_saved

RIGHT, WRONG = "correct horse battery staple", "another passphrase"
ROOT = Root("app", "app", "app/main.tf", backend="local", variables=(Variable("passphrase", True, "string"),))
KEY = b"0123456789abcdef0123456789abcdef"


def target(passphrase: str = RIGHT) -> Target:
    return Target("app", "staging", vars={"passphrase": passphrase}, apply=True)


@pytest.fixture
def encrypted(playground: Any, tofu: Tool) -> Any:
    """A root whose state and plans are encrypted, in a file that terraform does not know."""
    playground.write("app/main.tf", RESOURCE)
    playground.write("app/state.tf", 'terraform {\n  backend "local" {}\n}\n')
    playground.write("app/state.tofu", ENCRYPTION)
    return playground


def open_run(playground: Any, mode: str = "apply", passphrase: str = RIGHT) -> Any:
    return playground.open(target(passphrase), roots=(ROOT,), mode=mode, tofu={"app": "app/state.tofu"})


def digest_of(ctx: Any) -> str:
    """As the controller makes it: from the plan that it has OpenTofu show, and what the plan stands on."""
    result = kept_plan(ctx, target())
    plan = read_saved(ctx, target(), result)
    return plan_digest(plan, bound_of(ctx, target(), result, None, "repository"), KEY)


def test_an_encrypted_root_is_planned_read_digested_applied_and_empty_again(encrypted: Any) -> None:
    ctx = open_run(encrypted)
    planned = ensure_plan(ctx, target())
    assert planned.status is PlanStatus.PLANNED, render_findings(planned.findings)
    assert is_encrypted(planned.plan_path)
    assert (planned.changes.add, planned.state_exists, planned.state_serial) == (1, False, 0)
    first = digest_of(ctx)
    other = open_run(encrypted)
    assert ensure_plan(other, target()).plan_sha256 != planned.plan_sha256
    assert digest_of(other) == first
    applied = apply_plan(ctx, target(), planned)
    assert applied.ok, render_findings(applied.findings)
    state = ctx.workspace.state_path("staging", "app") / "terraform.tfstate"
    assert "encrypted_data" in json.loads(state.read_bytes())
    assert outputs(ctx, target()) == {"value": "hello"}
    again = open_run(encrypted)
    empty = ensure_plan(again, target())
    assert (empty.changes.any, empty.state_exists) == (False, True)
    assert (empty.state_lineage, empty.state_serial) == current_state(again, target())
    assert digest_of(again) != first
    refused = ensure_plan(open_run(encrypted, passphrase=WRONG), target(WRONG))
    assert refused.status is PlanStatus.FAILED
    assert "decryption failed" in render_findings(refused.findings)
    assert WRONG not in render_findings(refused.findings)


def test_both_run_in_one_repository_each_by_its_name(playground: Any, tofu: Tool) -> None:
    one, two = Target("one", "staging"), Target("two", "staging")
    for name in ("one", "two"):
        playground.write(f"{name}/main.tf", RESOURCE.replace("hello", name))
    ctx = playground.open(one, two, tofu={"two": "two/.opentofu-version"})
    results = [ensure_plan(ctx, each) for each in (one, two)]
    assert [result.status for result in results] == [PlanStatus.PLANNED] * 2
    programs = [bound_of(ctx, each, kept_plan(ctx, each), None, "r").terraform for each in (one, two)]
    assert programs == [ctx.tool("terraform").version, f"tofu {tofu.version}"]
    assert [tool.name for tool in ctx.used_tools()] == ["terraform", "tofu"]


def test_what_only_opentofu_reads_is_formatted_validated_linted_and_policed(playground: Any, tofu: Tool) -> None:
    playground.write("app/main.tf", RESOURCE.replace("hello", "ignored").replace('"it"', '"hidden"'))
    playground.write(
        "app/main.tofu",
        'variable "name" {\n  type = string\n}\n\nresource "terraform_data" "it" {\n  input = "${var.name}"\n}\n'
        '\nresource "aws_s3_bucket" "it" {\n  bucket = var.name\n}\n',
    )
    playground.write("app/other.tofu.json", json.dumps({"output": {"a": {"value": "${terraform_data.it.input}"}}}))
    rule = 'rule "terraform_deprecated_interpolation" {\n  enabled = true\n}\n'
    playground.write(".tflint.hcl", f"config {{\n  disabled_by_default = true\n}}\n\n{rule}")
    ctx = playground.open(roots=(Root("app", "app", "app/main.tofu"),), tofu={"app": "app/main.tofu"})
    lint, policy = (
        perform(ctx, Check(f"app/main.tofu::{kind}", kind, "app")) for kind in (CheckKind.LINT, CheckKind.POLICY)
    )
    assert [(one.rule, one.file, one.line) for one in lint.findings] == [
        ("terraform_deprecated_interpolation", "app/main.tofu", 6)
    ]
    assert policy.outcome is Outcome.FAILED
    assert {(one.file, one.line) for one in policy.findings} == {("app/main.tofu", 9)}
    fmt = perform(ctx, Check("app/main.tofu::fmt", CheckKind.FMT, "app"))
    assert [(one.file, "tofu fmt" in one.text) for one in fmt.findings] == [("app/main.tofu", True)]


def test_validate_reads_the_file_that_hides_another(playground: Any, tofu: Tool) -> None:
    playground.write("app/main.tf", RESOURCE)
    playground.write("app/main.tofu", 'resource "terraform_data" "it" {\n  nonsense = 1\n}\n')
    ctx = playground.open(roots=(Root("app", "app", "app/main.tofu"),), tofu={"app": "app/main.tofu"})
    record = perform(ctx, Check("app/main.tofu::validate", CheckKind.VALIDATE, "app"))
    assert [(one.file, one.line) for one in record.findings] == [("app/main.tofu", 2)]


def test_a_program_that_another_version_is_asked_of_says_so_by_its_name(playground: Any, tofu: Tool) -> None:
    playground.write("app/main.tf", RESOURCE)
    playground.write("app/.opentofu-version", "1.6.2\n")
    playground.write("app/.terraform-version", "0.12.31\n")
    app = Target("app", "staging")
    (finding,) = ensure_plan(playground.open(app, tofu={"app": "app/.opentofu-version"}), app).findings
    assert (finding.rule, finding.file, finding.line) == ("terraform-version", "app/.opentofu-version", 1)
    assert finding.text.startswith(f"tofu 1.6.2 is asked for, and this run uses {tofu.version}")
    assert "tenv tofu install 1.6.2" in finding.text
    (old,) = ensure_plan(playground.open(app), app).findings
    assert re.search(r"terraform 0\.12\.31 is asked for.*\n-> Move it to 1\.2\.0 or newer", old.text)


def test_each_root_is_run_with_the_version_that_it_asks_for(
    playground: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A terraform of its own for one root, and none for another: that one is told so by the run's own."""
    tools = tmp_path / "tools/terraform/1.5.7"
    tools.mkdir(parents=True)
    (tools / "terraform").write_text('#!/bin/sh\necho \'{"terraform_version": "1.5.7"}\'\n')
    (tools / "terraform").chmod(0o755)
    monkeypatch.setenv("TFPIPELINE_TOOLS_DIR", str(tmp_path / "tools"))
    monkeypatch.setenv("TFPIPELINE_RELEASES_MIRROR", str(tmp_path / "nothing"))
    playground.write("lost/main.tf", RESOURCE)
    playground.write("lost/.terraform-version", "1.4.7\n")
    lost = Target("lost", "staging")
    ctx = playground.open(lost, Target("old", "staging"), root_versions={"old": "1.5.7", "lost": "1.4.7"})
    assert ctx.terraform("old").path == str(tools / "terraform")
    assert ctx.terraform("lost") == ctx.terraform("new") == ctx.tool("terraform")
    assert [(tool.name, tool.version) for tool in ctx.used_tools()] == [
        ("terraform", ctx.tool("terraform").version),
        ("terraform", "1.5.7"),
    ]
    (finding,) = ensure_plan(ctx, lost).findings
    assert "terraform 1.4.7 is asked for" in finding.text
