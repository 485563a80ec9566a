"""Applying with the real terraform: only the recorded plan, on the recorded files, and nothing lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.model import PlanResult, PlanStatus, Root, Target
from pytest_tfpipeline.terraform.applying import ApplyEvent, apply_plan, outputs
from pytest_tfpipeline.terraform.diagnostics import render_findings
from pytest_tfpipeline.terraform.planning import ensure_plan, make_plan
from pytest_tfpipeline.workspace import clean_old_runs

ROOT = """
locals {
  payload = file("../shared/payload.txt")
}

resource "terraform_data" "a" {
  input = local.payload
}

output "payload" {
  value = terraform_data.a.output
}

output "secret" {
  value     = "hush"
  sensitive = true
}
"""


@pytest.fixture
def target() -> Target:
    return Target("a root", "staging", apply=True)


@pytest.fixture
def planned(playground: Any, target: Target) -> tuple[Context, PlanResult]:
    playground.write("a root/main.tf", ROOT)
    playground.write("shared/payload.txt", "one")
    ctx = playground.open(target, mode="apply")
    result = ensure_plan(ctx, target)
    assert result.status is PlanStatus.PLANNED, render_findings(result.findings)
    return ctx, result


def test_apply_tells_its_steps_and_outputs_can_be_read(planned: tuple[Context, PlanResult], target: Target) -> None:
    ctx, plan = planned
    events: list[ApplyEvent] = []
    result = apply_plan(ctx, target, plan, events.append)
    assert (result.ok, result.findings, result.errored_state) == (True, (), None)
    assert [(event.kind, event.address, event.action) for event in events] == [
        ("start", "terraform_data.a", "create"),
        ("complete", "terraform_data.a", "create"),
    ]
    assert outputs(ctx, target) == {"payload": "one", "secret": "hush"}


def test_a_display_that_breaks_does_not_break_the_apply(planned: tuple[Context, PlanResult], target: Target) -> None:
    def broken(event: ApplyEvent) -> None:
        raise RuntimeError(event.address)

    ctx, plan = planned
    assert apply_plan(ctx, target, plan, broken).ok


def test_a_plan_file_that_was_touched_is_refused(planned: tuple[Context, PlanResult], target: Target) -> None:
    ctx, plan = planned
    with Path(str(plan.plan_path)).open("ab") as stream:
        stream.write(b"\0")
    result = apply_plan(ctx, target, plan)
    assert (result.ok, [finding.rule for finding in result.findings]) == (False, ["plan-changed"])
    Path(str(plan.plan_path)).unlink()
    assert [finding.rule for finding in apply_plan(ctx, target, plan).findings] == ["plan-changed"]
    assert outputs(ctx, target) == {}


@pytest.mark.parametrize("name", ["shared/payload.txt", "a root/x.auto.tfvars", "a root/.terraform.lock.hcl"])
def test_a_file_that_changed_after_plan_is_named_and_refused(
    planned: tuple[Context, PlanResult], target: Target, name: str
) -> None:
    ctx, plan = planned
    (ctx.workspace.tree("staging") / name).write_text("# two\n")
    (finding,) = apply_plan(ctx, target, plan).findings
    assert finding.rule == "inputs-changed"
    assert f"\n  {name}" in finding.text
    assert outputs(ctx, target) == {}


def test_what_another_root_makes_for_itself_does_not_count(playground: Any, target: Target) -> None:
    playground.write("a root/main.tf", ROOT)
    playground.write("other/main.tf", ROOT)
    playground.write("shared/payload.txt", "one")
    other = Target("other", "staging", apply=True)
    ctx = playground.open(target, other, mode="apply")
    plan = ensure_plan(ctx, target)
    assert ensure_plan(ctx, other).status is PlanStatus.PLANNED
    (ctx.workspace.tree("staging") / "other" / "built.zip").write_text("zip")
    assert apply_plan(ctx, target, plan).ok


def test_a_built_file_that_the_plan_names_counts(playground: Any, target: Target) -> None:
    playground.write("a root/main.tf", 'resource "terraform_data" "a" {\n  input = "../build/late.zip"\n}\n')
    ctx = playground.open(target, mode="apply")
    ensure_plan(ctx, target)
    built = ctx.workspace.tree("staging") / "build" / "late.zip"
    built.parent.mkdir()
    built.write_text("one")
    plan = make_plan(ctx, target)
    built.write_text("two")
    assert "build/late.zip" in apply_plan(ctx, target, plan).findings[0].text


def test_a_plan_is_applied_once(planned: tuple[Context, PlanResult], target: Target) -> None:
    ctx, plan = planned
    assert apply_plan(ctx, target, plan).ok
    again = apply_plan(ctx, target, plan)
    assert (again.ok, [finding.rule for finding in again.findings]) == (False, ["stale-plan"])


def test_a_failing_resource_fails_the_apply(playground: Any, target: Target) -> None:
    playground.write(
        "a root/main.tf",
        'resource "terraform_data" "a" {\n  provisioner "local-exec" {\n    command = "exit 7"\n  }\n}\n',
    )
    ctx = playground.open(target, mode="apply")
    events: list[ApplyEvent] = []
    result = apply_plan(ctx, target, ensure_plan(ctx, target), events.append)
    assert not result.ok
    assert events[-1].kind == "errored"
    assert "exit status 7" in result.findings[0].text
    assert result.findings[0].address == "terraform_data.a"


def test_after_apply_gets_the_outputs_and_its_failure_is_a_failed_apply(
    planned: tuple[Context, PlanResult], target: Target
) -> None:
    ctx, plan = planned
    told = replace(target, after_apply=(("sh", "-c", "cat > told.json"), ("sh", "-c", "exit 4")))
    result = apply_plan(ctx, told, plan)
    assert not result.ok
    assert "exit code 4" in result.findings[0].text
    assert json.loads((ctx.workspace.tree("staging") / "told.json").read_text())["payload"]["value"] == "one"


@pytest.fixture
def broken_backend() -> Iterator[str]:
    """The address of a state server that has no state and takes none."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def do_POST(self) -> None:
            self.send_error(500)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/state"
        server.shutdown()


def test_a_state_that_could_not_be_written_is_kept_with_the_command_that_pushes_it(
    playground: Any, target: Target, broken_backend: str
) -> None:
    playground.write("a root/main.tf", 'terraform {\n  backend "http" {}\n}\nresource "terraform_data" "a" {}\n')
    remote = replace(target, backend_config=(f"address={broken_backend}", "retry_max=0"))
    root = Root("a root", "a", "a root/main.tf", backend="http")
    ctx = playground.open(remote, roots=(root,), mode="apply")
    result = apply_plan(ctx, remote, ensure_plan(ctx, remote))
    assert not result.ok
    kept = Path(str(result.errored_state))
    assert kept.stat().st_mode & 0o777 == 0o600
    assert json.loads(kept.read_text())["resources"][0]["type"] == "terraform_data"
    assert f"cd 'a root' && terraform state push '{kept}'" in result.findings[-1].text
    assert kept.is_relative_to(Path(ctx.run.output_path) / "errored")
    assert clean_old_runs(Path(ctx.run.output_path), keep=0) == ()


def test_credentials_go_by_phase(playground: Any, target: Target) -> None:
    # local-exec shows what terraform itself was given.
    playground.write(
        "a root/main.tf",
        'resource "terraform_data" "a" {\n  provisioner "local-exec" {\n    command = "echo $WHO > ../who.txt"\n'
        "  }\n}\n",
    )
    both = replace(target, plan_env={"WHO": "reader"}, apply_env={"WHO": "writer"})
    ctx = playground.open(both, mode="apply")
    assert apply_plan(ctx, both, ensure_plan(ctx, both)).ok
    assert (ctx.workspace.tree("staging") / "who.txt").read_text() == "writer\n"
