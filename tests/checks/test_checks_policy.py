"""The `policy` checks, with the real checkov and real plans. checkov takes five seconds a call: few calls."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.checks import checkov, policy
from pytest_tfpipeline.model import (
    Check,
    CheckKind,
    EnvironmentRun,
    Outcome,
    Record,
    RemoteState,
    Root,
    Severity,
    Target,
)
from pytest_tfpipeline.process import Outcome as Ended
from pytest_tfpipeline.process import Runner

QUEUE = 'resource "aws_sqs_queue" "{name}" {{\n{inside}  name = "{name}"\n}}\n'
SKIP = "  #checkov:skip=CKV_AWS_27:its messages are public\n"


def queue(name: str, inside: str = "") -> str:
    return QUEUE.format(name=name, inside=inside)


def test_code_of_a_root_with_a_module_and_an_example_that_calls_it(bench: Any) -> None:
    bench.roots = ["top"]
    bench.write("top/main.tf", queue("mine") + queue("skipped", SKIP))
    calls = [f'module "{name}" {{\n  source = "./modules/q"\n}}\n' for name in ("one", "two")]
    bench.write("top/calls.tf", "\n".join(calls) + 'module "out" {\n  source  = "example/x/aws"\n  version = "1"\n}\n')
    bench.write("top/modules/q/main.tf", queue("inner"))
    bench.write("top/examples/simple/main.tf", 'module "t" {\n  source = "../../"\n}\n' + queue("example"))
    bench.write("top/more.tf.json", json.dumps({"resource": {"aws_sqs_queue": {"json": {"name": "json"}}}}))
    bench.write(".checkov.yaml", "skip-check:\n  - CKV_TF_1\n")
    record = bench.perform(CheckKind.POLICY, "top")
    assert record.outcome is Outcome.FAILED
    assert {(each.rule, each.file, each.line) for each in record.findings} == {
        ("CKV_AWS_27", "top/main.tf", 1),
        ("CKV_AWS_27", "top/modules/q/main.tf", 1),
        ("CKV_AWS_27", "top/more.tf.json", 1),
    }
    assert record.text.startswith(
        "checkov: 3 findings in top (checkov counts 4: a module's line again for each call of the module)\n"
    )
    (finding,) = [each for each in record.findings if each.file == "top/main.tf"]
    assert finding.address == "aws_sqs_queue.mine"
    assert finding.severity is Severity.ERROR
    assert finding.excerpt == '  1 | resource "aws_sqs_queue" "mine" {'
    assert "-> mend it, or say why not beside it: #checkov:skip=CKV_AWS_27:REASON" in finding.text


def test_a_file_that_does_not_parse_is_an_error_although_checkov_says_0(bench: Any) -> None:
    bench.modules = ["m"]
    bench.write("m/main.tf", 'resource "terraform_data" "a" {}\n')
    bench.write("m/broken.tf", 'resource "x" {\n')
    record = bench.perform(CheckKind.POLICY, "m")
    assert record.outcome is Outcome.ERROR
    assert [(each.rule, each.file) for each in record.findings] == [("checkov-parse", "m/broken.tf")]
    assert record.text.startswith("m is policed only in part: checkov cannot parse m/broken.tf")


def test_checkov_stays_off_the_network_and_ignores_the_users_home(bench: Any, tmp_path: Path) -> None:
    bench.roots = ["a"]
    bench.write("a/main.tf", 'module "out" {\n  source  = "terraform-aws-modules/vpc/aws"\n  version = "1.0.0"\n}\n')
    home, tree = tmp_path / "home", bench.repository
    home.mkdir()
    with Proxy() as proxy:
        request = checkov.directory_request(checkov_path(bench), tree, tree / "a", home, {"BC_API_KEY": "x"})
        request = replace(request, env={**request.env, **proxy.variables}, timeout=120)
        scan = checkov.read(Runner().run(request), policy.locator(tree, tree / "a"))
    assert proxy.heard == []
    assert [finding.rule for finding in scan.findings] == ["CKV_TF_1"]
    assert "BC_API_KEY" not in request.env


PLANNED = """
variable "password" {
  type      = string
  default   = "hunter2secret"
  sensitive = true
}

resource "terraform_data" "plain" {
  input            = "bad"
  triggers_replace = "TRIGGER"
}

resource "terraform_data" "skipped" {
  #checkov:skip=CKV2_OURS_1:it may
  input = "bad"
}

resource "terraform_data" "secret" {
  input = var.password
}

module "m" {
  for_each = toset(["a", "b"])
  source   = "../mod"
}
"""
OURS = """
metadata:
  id: CKV2_OURS_1
  name: "Input is good"
  category: GENERAL_SECURITY
definition:
  cond_type: attribute
  resource_types: [terraform_data]
  attribute: input
  operator: equals
  value: good
"""


@pytest.fixture
def planned(bench: Any) -> Any:
    """Applied once, then planned with a replacement: `plan.json` beside the repository."""
    root = bench.repository / "root"
    bench.write(".checkov.yaml", "external-checks-dir:\n  - rules\n")
    bench.write("rules/ours.yaml", OURS)
    bench.write("mod/main.tf", 'resource "terraform_data" "inner" {\n  input = "bad"\n}\n')
    bench.write("root/main.tf", PLANNED)
    for argv in (["init"], ["apply", "-auto-approve"]):
        terraform(root, *argv)
    bench.write("root/main.tf", PLANNED.replace("TRIGGER", "another"))
    terraform(root, "plan", "-out", "p.tfplan")
    (bench.path / "plan.json").write_bytes(terraform(root, "show", "-json", "p.tfplan"))
    bench.roots = ["root"]
    bench.run = {"environments": (EnvironmentRun("staging", protect=("terraform_data",)),)}
    return bench


def terraform(cwd: Path, *argv: str) -> bytes:
    return subprocess.run(["terraform", *argv], cwd=cwd, check=True, capture_output=True).stdout


def police(bench: Any) -> Record:
    context = bench.context = bench.context or bench.open()
    check = Check("root/main.tf::policy[staging]", CheckKind.POLICY, "root", "staging")
    return policy.police_plan(context, check, bench.path / "plan.json")


def test_a_plan_is_policed_by_checkov_the_pack_and_destroy_protection(planned: Any) -> None:
    record = police(planned)
    assert record.outcome is Outcome.FAILED
    found = {(each.rule, each.address, each.file, each.line) for each in record.findings}
    assert found == {
        ("protected-destroy", "terraform_data.plain", None, None),
        ("CKV2_OURS_1", "terraform_data.plain", "root/main.tf", 8),
        ("CKV2_OURS_1", "terraform_data.secret", "root/main.tf", 18),
        ("CKV2_OURS_1", 'module.m["a"].terraform_data.inner', "mod/main.tf", 1),
        ("CKV2_OURS_1", 'module.m["b"].terraform_data.inner', "mod/main.tf", 1),
    }
    assert "--allow-destroy 'root//terraform_data.plain'" in record.text
    assert "hunter2secret" not in repr(record)


def test_an_allowed_destroy_is_a_notice(planned: Any) -> None:
    plan = policy.read_plan(planned.path / "plan.json")
    (refused,) = policy.protection(plan, "root", ["terraform_data"], ["other//terraform_data.plain"])
    (allowed,) = policy.protection(plan, "root", ["terraform_data"], ["root//terraform_data.plain"])
    assert (refused.severity, allowed.severity) == (Severity.ERROR, Severity.NOTICE)
    assert policy.protection(plan, "root", ["aws_s3_bucket"], []) == ()


def test_a_plan_that_failed_is_not_policed_and_never_passes(bench: Any) -> None:
    bench.roots = ["root"]
    bench.write("root/main.tf", 'resource "terraform_data" "a" {\n  input = var.nope\n}\n')
    record = bench.perform(CheckKind.POLICY, "root", "staging")
    assert record.outcome is Outcome.SKIPPED
    assert record.summary == "root could not be planned"


def test_a_plan_that_waits_for_another_roots_apply_is_deferred(bench: Any) -> None:
    bench.write("up/main.tf", 'resource "terraform_data" "a" {}\n\noutput "x" {\n  value = 1\n}\n')
    down = 'data "terraform_remote_state" "up" {\n  backend = "local"\n  config = {\n'
    bench.write("down/main.tf", down + '    path = "../up/terraform.tfstate"\n  }\n}\n')
    state = RemoteState("up", "local", {"path": "../up/terraform.tfstate"}, "down/main.tf", 1)
    bench.described = {
        "roots": (Root("up", "up", "up/main.tf"), Root("down", "down", "down/main.tf", remote_states=(state,)))
    }
    targets = (Target("up", "staging", apply=True), Target("down", "staging", after=("up",), apply=True))
    bench.run = {"targets": targets}
    record = bench.perform(CheckKind.POLICY, "down", "staging")
    assert (record.outcome, record.summary) == (Outcome.DEFERRED, "deferred: policed when up is applied")


SUMMARY = {"passed": 1, "failed": 0, "skipped": 0, "parsing_errors": 0, "resource_count": 1}


@pytest.mark.parametrize(
    ("code", "out"),
    [
        (0, ""),
        (0, "[1]"),
        (0, "null"),
        (1, json.dumps(SUMMARY)),
        (2, json.dumps(SUMMARY)),
        (-9, json.dumps(SUMMARY)),
        (None, json.dumps(SUMMARY)),
    ],
)
def test_an_answer_that_says_nothing_is_never_a_pass(code: int | None, out: str) -> None:
    assert checkov.read(Ended(code, out, "", 0.1), lambda _: None).problem


def test_soft_fail_of_the_repositorys_configuration_makes_notices() -> None:
    failed = {
        "check_id": "CKV_1",
        "check_name": "x",
        "file_abs_path": "/x",
        "file_line_range": [1, 2],
        "resource": "a.b",
    }
    answer = json.dumps({"summary": SUMMARY, "results": {"failed_checks": [failed]}})
    (finding,) = checkov.read(Ended(0, answer, "", 0.1), lambda _: None).findings
    assert (finding.severity, finding.address, finding.file) == (Severity.NOTICE, "a.b", None)


def checkov_path(bench: Any) -> str:
    bench.context = bench.context or bench.open()
    path: str = bench.context.tool("checkov").path
    return path


class Proxy:
    """Records what is asked of it."""

    def __enter__(self) -> Proxy:
        self.heard: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.variables = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy", "ALL_PROXY"), url)
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()
        return self

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.heard.append(connection.recv(400))

    def __exit__(self, *_: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
