"""The checks that are terraform's own, through `perform`, with the real terraform."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tfpipeline.checks import perform
from pytest_tfpipeline.context import Phase
from pytest_tfpipeline.model import Check, CheckKind, Outcome, Record, Root, Target
from pytest_tfpipeline.tools.providers import cli_config


def _check(ctx: Any, kind: CheckKind, directory: str, environment: str | None = None) -> Record:
    return perform(ctx, Check(f"{directory}/main.tf::{kind}", kind, directory, environment))


def test_fmt_names_each_file_with_its_diff_and_goes_no_deeper(playground: Any) -> None:
    playground.write("a root/main.tf", "locals {\n  x = 1\n  yy = 2\n}\n")
    playground.write("a root/x.tfvars", "a=1\n")
    playground.write("a root/fine.tf", "locals {}\n")
    playground.write("a root/deeper/main.tf", "a=1\n")
    record = _check(playground.open(), CheckKind.FMT, "a root")
    assert record.outcome is Outcome.FAILED
    assert [finding.file for finding in record.findings] == ["a root/main.tf", "a root/x.tfvars"]
    assert record.text.startswith("2 files in a root: main.tf, x.tfvars\n")
    assert "-  x = 1\n+  x  = 1" in record.text
    assert "+a = 1" in record.findings[1].excerpt
    assert "x.tfvars" not in record.findings[0].excerpt
    assert record.seconds > 0


def test_fmt_passes_what_is_formatted_and_shows_where_a_syntax_error_is(playground: Any) -> None:
    playground.write("good/main.tf", "locals {\n  x = 1\n}\n")
    playground.write("bad/main.tf", "locals {\n  x = \n}\n")
    ctx = playground.open()
    assert _check(ctx, CheckKind.FMT, "good").outcome is Outcome.PASSED
    record = _check(ctx, CheckKind.FMT, "bad")
    assert record.outcome is Outcome.FAILED
    assert (record.findings[0].file, record.findings[0].line) == ("bad/main.tf", 2)


def test_an_error_that_every_check_meets_is_shown_in_full_once(playground: Any) -> None:
    playground.write("root/main.tf", 'resource "terraform_data" "a" {\n')
    playground.write(".tflint.hcl", "")
    root = Root("root", "root", "root/main.tf")
    ctx = playground.open(Target("root", "staging"), roots=(root,))
    first = _check(ctx, CheckKind.FMT, "root")
    others = [_check(ctx, kind, "root") for kind in (CheckKind.LINT, CheckKind.VALIDATE)]
    others.append(_check(ctx, CheckKind.PLAN, "root", "staging"))
    assert '  1 | resource "terraform_data" "a" {' in first.text
    assert "There is no closing brace for this block" in first.text
    for record in others:
        assert record.outcome is Outcome.FAILED
        assert "Unclosed configuration block: shown in full by `fmt`" in record.text
        assert "closing brace" not in record.text
        assert "closing brace" in record.findings[0].text, "the evidence has it in full"
    for record in (first, *others):
        assert record.summary == "root/main.tf:1: Unclosed configuration block"


def test_a_check_that_runs_alone_or_again_shows_its_error_in_full(playground: Any) -> None:
    playground.write("root/main.tf", "locals {\n  x = \n}\n")
    ctx = playground.open(roots=(Root("root", "root", "root/main.tf"),))
    for _ in range(2):
        text = _check(ctx, CheckKind.VALIDATE, "root").text
        assert "  2 |   x =" in text
        assert "Expected the start of an expression" in text


def test_an_error_in_a_module_is_shown_in_full_by_the_first_root_that_meets_it(playground: Any) -> None:
    playground.write("module/main.tf", 'resource "terraform_data" "a" {\n  inputt = 1\n}\n')
    for name in ("one", "two"):
        playground.write(f"{name}/main.tf", 'module "m" {\n  source = "../module"\n}\n')
    ctx = playground.open(roots=tuple(Root(name, name, f"{name}/main.tf") for name in ("one", "two")))
    first, second = (_check(ctx, CheckKind.VALIDATE, name) for name in ("one", "two"))
    assert "  2 |   inputt = 1" in first.text
    assert "module/main.tf:2: error" in second.text
    assert "shown in full by `one/main.tf::validate`" in second.text


def test_validate_shows_the_line_and_passes_with_a_warning(playground: Any) -> None:
    playground.write("bad/main.tf", 'resource "terraform_data" "a" {\n  inputt = var.none\n}\n')
    playground.write(
        "warned/main.tf", 'resource "terraform_data" "a" {\n  lifecycle {\n    ignore_changes = ["input"]\n  }\n}\n'
    )
    ctx = playground.open()
    record = _check(ctx, CheckKind.VALIDATE, "bad")
    assert record.outcome is Outcome.FAILED
    assert record.summary == "bad/main.tf:2: Unsupported argument"
    assert "bad/main.tf:2: error [terraform-validate]" in record.text
    assert "  2 |   inputt = var.none" in record.text
    warned = _check(ctx, CheckKind.VALIDATE, "warned")
    assert (warned.outcome, warned.summary) == (Outcome.PASSED, "1 warning")


def test_validate_of_a_directory_without_configuration_is_a_failure(playground: Any) -> None:
    playground.write("empty/README.md", "nothing")
    record = _check(playground.open(), CheckKind.VALIDATE, "empty")
    assert (record.outcome, record.findings[0].rule) == (Outcome.FAILED, "no-configuration")


def test_validate_needs_no_backend(playground: Any) -> None:
    playground.write(
        "root/main.tf",
        'terraform {\n  backend "http" {\n    address   = "http://127.0.0.1:9/"\n    retry_max = 0\n  }\n}\n',
    )
    root = Root("root", "root", "root/main.tf", backend="http")
    ctx = playground.open(Target("root", "staging", workspace="x"), roots=(root,))
    assert _check(ctx, CheckKind.VALIDATE, "root").outcome is Outcome.PASSED
    assert _check(ctx, CheckKind.PLAN, "root", "staging").outcome is Outcome.FAILED


def test_validate_with_the_real_provider(playground: Any) -> None:
    cli = cli_config({}, playground.path / "cli", None).path
    playground.write(
        "root/main.tf",
        'resource "aws_s3_bucket" "b" {\n  bucket = "b"\n  colour = "red"\n}\n',
    )
    record = _check(playground.open(cli_config_path=str(cli)), CheckKind.VALIDATE, "root")
    assert [finding.line for finding in record.findings] == [3], record.text
    assert '"colour"' in record.text


def test_plan_says_what_it_would_change_and_behind_what_it_waits(chain: Any, chain_targets: Any) -> None:
    ctx = chain.open(*chain_targets)
    up = _check(ctx, CheckKind.PLAN, "up", "staging")
    assert (up.outcome, up.summary) == (Outcome.PASSED, "+1 ~0 -0, 1 output")
    down = _check(ctx, CheckKind.PLAN, "down", "staging")
    assert (down.outcome, down.summary) == (Outcome.DEFERRED, "deferred behind up")


def test_what_the_pipeline_itself_cannot_do_is_an_error_record(
    playground: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TFPIPELINE_TERRAFORM", "/nonexistent/terraform")
    playground.write("root/main.tf", "")
    record = _check(playground.open(), CheckKind.FMT, "root")
    assert record.outcome is Outcome.ERROR
    assert "/nonexistent/terraform: No such file" in record.text


def test_a_link_out_of_the_repository_concerns_its_own_root_alone(playground: Any) -> None:
    playground.write("root/main.tf", "")
    playground.write("other/main.tf", "")
    (playground.repository / "other" / "leak").symlink_to("/etc/passwd")
    ctx = playground.open()
    assert _check(ctx, CheckKind.VALIDATE, "root").outcome is Outcome.PASSED
    assert "other/leak: error [outer-symlink]" in _check(ctx, CheckKind.VALIDATE, "other").text


def test_nothing_leads_past_the_emulated_cloud(playground: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    monkeypatch.setenv("GIT_SSH_COMMAND", "ssh -i deploy_key")
    target = Target(
        "root",
        "staging",
        env={"AWS_REGION": "eu-west-2", "AWS_PROFILE": "mine"},
        plan_env={"AWS_ACCESS_KEY_ID": "real", "WHO": "reader"},
        apply_env={"WHO": "writer"},
    )
    emulated = {"AWS_ACCESS_KEY_ID": "dummy", "AWS_REGION": "us-east-1", "HTTPS_PROXY": "http://127.0.0.1:1"}
    ctx = playground.open(target, process_env={"staging": emulated})
    env = ctx.environment(target)
    assert (env["AWS_ACCESS_KEY_ID"], env["AWS_REGION"], env["WHO"]) == ("dummy", "eu-west-2", "reader")
    assert not {"AWS_PROFILE", "GIT_SSH_COMMAND"} & set(env)
    assert ctx.environment(target, Phase.APPLY)["WHO"] == "writer"
    assert "AWS_SESSION_TOKEN" in ctx.unset(target, None)
    assert (env["TF_INPUT"], env["CHECKPOINT_DISABLE"], env["GIT_TERMINAL_PROMPT"]) == ("0", "1", "0")


def test_a_cli_configuration_that_is_not_there_is_not_handed_on(
    playground: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "/nowhere/cli.tfrc")
    playground.write("root/main.tf", 'resource "terraform_data" "a" {}\n')
    target = Target("root", "staging")
    assert _check(playground.open(target), CheckKind.PLAN, "root", "staging").outcome is Outcome.PASSED
