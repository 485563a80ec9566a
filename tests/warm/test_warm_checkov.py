"""A checkov that is kept running answers as one that is started for each call, and nothing of a call stays behind."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_tfpipeline.checks import checkov
from pytest_tfpipeline.errors import ToolError
from pytest_tfpipeline.model import Tool
from pytest_tfpipeline.process import Outcome, Request, Runner
from pytest_tfpipeline.tools import find_tool
from pytest_tfpipeline.warm import service
from pytest_tfpipeline.warm.client import begin
from pytest_tfpipeline.warm.service import Warm, interpreter, warm_checkov


def call(address: str, request: Request) -> Outcome | None:
    """Its answer, waited for."""
    begun = begin(address, request)
    return None if begun is None else begun.answer()


QUEUE = 'resource "aws_sqs_queue" "{name}" {{\n{inside}  name = "{name}"\n}}\n'
SKIPPED = "  #checkov:skip=CKV_AWS_27:its messages are public\n"

#: The same texts in every bucket: conditions, loops, functions and paths that are evaluated, and names that look like
#: assignments.
BUCKET = """
variable "environment" { default = "dev" }
variable "settings" { default = { versions = true, keep = [30, 60] } }
locals {
  live = var.environment == "prod" ? true : false
  days = [for day in var.settings.keep : day if day > 30]
}
resource "aws_s3_bucket" "this" {
  for_each = toset(["a", "b"])
  bucket   = lower(replace("${var.environment}-${each.key}", "_", "-"))
  acl      = local.live ? "private" : "public-read"
  tags     = { size = "size = 5", name = "size" }
  versioning { enabled = var.settings.versions }
  lifecycle_rule {
    enabled = true
    expiration { days = local.days[0] }
  }
}
resource "aws_security_group" "open" {
  dynamic "ingress" {
    for_each = [for port in [22, 443] : { port = port, cidr = local.live ? "10.0.0.0/8" : "0.0.0.0/0" }]
    content {
      from_port   = ingress.value.port
      to_port     = ingress.value.port
      protocol    = "tcp"
      cidr_blocks = [ingress.value.cidr]
    }
  }
}
output "bucket" { value = aws_s3_bucket.this["a"].id }
"""
CALLS = """
module "{name}" {{
  source      = "../buckets"
  environment = "{name}"
  settings    = {{ versions = {versions}, keep = [7, 90] }}
}}
"""

#: What the server does before a call and in it, where an exception ends it: there it would cost time alone.
SHORTENED = """
import importlib.util, os, sys
import checkov.main, ply.yacc
from checkov.terraform.graph_builder.foreach import abstract_handler
from checkov.terraform.graph_builder.variable_rendering import evaluate_terraform
spec = importlib.util.spec_from_file_location("server", sys.argv[1])
server = importlib.util.module_from_spec(spec)
spec.loader.exec_module(server)
server._read_ahead()
server._remember()
print(*{each.__name__ for each in (
    ply.yacc.yacc, abstract_handler.evaluate_terraform, evaluate_terraform.evaluate_terraform, os.path.realpath
)})
"""

#: A check of the repository's own. `{body}` runs when checkov loads it, within the call.
EXTERNAL = """
from checkov.common.models.enums import CheckCategories, CheckResult
from checkov.terraform.checks.resource.base_resource_check import BaseResourceCheck

{body}

class Ours(BaseResourceCheck):
    def __init__(self):
        super().__init__("ours", "CKV2_OURS_9", [CheckCategories.GENERAL_SECURITY], ["aws_sqs_queue"])

    def scan_resource_conf(self, conf):
        return CheckResult.FAILED

check = Ours()
"""

#: A check of the repository's own with the id of one that checkov ships.
INSTEAD = """
metadata:
  id: CKV2_AWS_1
  name: ours
  category: NETWORKING
definition:
  cond_type: attribute
  resource_types: [aws_sqs_queue]
  attribute: tags
  operator: exists
"""


@pytest.fixture(scope="module")
def tool() -> Tool:
    return find_tool("checkov", version=None, runner=Runner())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def warm(tool: Tool, home: Path) -> Iterator[Warm]:
    runner = Runner()
    started = warm_checkov(runner, home, lambda: tool, checkov.server_environment(runner.environ, home))
    started.begin()
    yield started
    started.stop()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A root with findings, a skip, a module, an example below, a broken file beside it, and settings of its own."""

    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    write("bad/main.tf", QUEUE.format(name="mine", inside="") + QUEUE.format(name="public", inside=SKIPPED))
    write("bad/calls.tf", 'module "one" {\n  source = "./modules/q"\n}\n')
    write("bad/modules/q/main.tf", QUEUE.format(name="inner", inside=""))
    write("bad/examples/simple/main.tf", 'module "t" {\n  source = "../../"\n}\n')
    write("good/main.tf", 'resource "terraform_data" "a" {}\n')
    write("broken/main.tf", 'resource "x" {\n')
    write("mild/main.tf", QUEUE.format(name="mild", inside=""))
    write("mild/.checkov.yaml", "soft-fail: true\n")
    return tmp_path


def external(tree: Path, name: str, body: str = "") -> None:
    """A directory whose settings bring a check of its own."""
    (tree / name / "checks").mkdir(parents=True)
    (tree / name / "main.tf").write_text(QUEUE.format(name=name, inside=""))
    (tree / name / "checks" / "__init__.py").touch()
    (tree / name / "checks" / "ours.py").write_text(EXTERNAL.format(body=body))
    (tree / name / ".checkov.yaml").write_text(f"external-checks-dir:\n  - {tree / name / 'checks'}\n")


def request(tool: Tool, tree: Path, name: str, home: Path, **limits: float) -> Request:
    asked = checkov.directory_request(tool.path, tree, tree / name, home, Runner().environ)
    return replace(asked, **limits)  # type: ignore[arg-type]


def said(outcome: Outcome | None) -> tuple[int | None, object]:
    assert outcome is not None
    return outcome.code, json.loads(outcome.stdout)


def found_by(outcome: Outcome | None) -> list[str]:
    """Every failed check with all that is said of it. checkov orders what led to a value as its sets are, which is
    another order in every process."""
    code, answer = said(outcome)
    assert code == 1
    assert isinstance(answer, dict)
    checks = answer["results"]["failed_checks"]
    for check in checks:
        check["check_result"]["evaluated_keys"].sort()
        check.pop("breadcrumbs")
    return sorted(json.dumps(check, sort_keys=True) for check in checks)


def test_it_answers_as_the_plain_one_does(warm: Warm, tool: Tool, tree: Path, home: Path) -> None:
    for name in ("bad", "broken", "mild"):
        asked = request(tool, tree, name, home)
        assert said(call(warm.address, asked)) == said(Runner().run(asked)), name


def test_what_is_remembered_within_a_call_changes_no_answer(warm: Warm, tool: Tool, tmp_path: Path, home: Path) -> None:
    (tmp_path / "buckets").mkdir()
    (tmp_path / "buckets" / "main.tf").write_text(BUCKET)
    (tmp_path / "calls").mkdir()
    calls = [CALLS.format(name=name, versions=name != "dev").lower() for name in ("dev", "test", "prod")]
    (tmp_path / "calls" / "main.tf").write_text("".join(calls))
    for name in ("buckets", "calls"):
        asked = request(tool, tmp_path, name, home)
        quick, plain = found_by(call(warm.address, asked)), found_by(Runner().run(asked))
        assert quick == plain
        assert len({json.loads(check)["check_id"] for check in plain}) > 5, plain


def test_this_checkov_has_what_is_remembered(tool: Tool, tmp_path: Path) -> None:
    python = interpreter(Path(tool.path))
    assert python is not None
    asked = Request((str(python), "-I", "-c", SHORTENED, str(Path(service.__file__).with_name("server.py"))), tmp_path)
    outcome = Runner().run(asked)
    assert outcome.stdout == "remembering\n", outcome.stderr


def test_what_one_call_loads_is_unknown_to_the_next(warm: Warm, tool: Tool, tree: Path, home: Path) -> None:
    external(tree, "ours", "import os; os.environ['CKV_IGNORED_DIRECTORIES'] = 'bad'; os.chdir('/')")
    found = call(warm.address, request(tool, tree, "ours", home))
    assert found is not None
    assert "CKV2_OURS_9" in found.stdout, found.stderr
    after = call(warm.address, request(tool, tree, "bad", home))
    assert after is not None
    assert "CKV2_OURS_9" not in after.stdout
    assert "CKV_AWS_27" in after.stdout


def test_a_check_with_the_id_of_a_shipped_one_takes_its_place(warm: Warm, tool: Tool, tree: Path, home: Path) -> None:
    external(tree, "instead")
    (tree / "instead" / "checks" / "instead.yaml").write_text(INSTEAD)
    asked = request(tool, tree, "instead", home)
    found = call(warm.address, asked)
    assert found is not None
    assert '"CKV2_AWS_1"' in found.stdout
    assert said(found) == said(Runner().run(asked))


def test_a_call_that_dies_is_for_the_plain_one_to_answer(warm: Warm, tool: Tool, tree: Path, home: Path) -> None:
    external(tree, "dies", "import os; os.kill(os.getpid(), 9)")
    plain = tree / "plain"
    plain.write_text("#!/bin/sh\necho plainly\n")
    plain.chmod(0o755)
    asked = request(tool, tree, "dies", home)
    died = call(warm.address, asked)
    assert died is not None
    assert died.code == -9
    asked = replace(asked, argv=(str(plain), *asked.argv[1:]))
    assert checkov.carry_out(Runner(), asked, begin(warm.address, asked)).stdout == "plainly\n"
    assert said(call(warm.address, request(tool, tree, "good", home)))[0] == 0, "the server goes on"


def test_a_call_whose_time_is_up_is_ended_with_what_it_started(
    warm: Warm, tool: Tool, tree: Path, home: Path, tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    body = f"import subprocess; subprocess.run(['sh', '-c', 'exec 9> {pipe}; sleep 600'])"
    external(tree, "hangs", body)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        outcome = call(warm.address, request(tool, tree, "hangs", home, timeout=4.0))
        assert outcome is not None
        assert outcome.timed_out
        os.set_blocking(reader, True)
        assert os.read(reader, 1) == b"", "the writer's end of the pipe is closed when nobody has it open any more"
    finally:
        os.close(reader)


def test_without_a_server_there_is_no_answer_and_the_plain_one_is_asked(tmp_path: Path) -> None:
    asked = Request(("sh", "-c", "echo plainly"), tmp_path, only_env=True)
    address = str(tmp_path / "nobody")
    assert call(address, asked) is None
    assert checkov.carry_out(Runner(), asked, begin(address, asked)).stdout == "plainly\n"


def missing() -> Tool:
    raise ToolError("checkov cannot be had")


def test_where_it_cannot_be_had_those_who_wait_hear_of_it(tmp_path: Path) -> None:
    started = warm_checkov(Runner(), tmp_path, missing, {})
    started.begin()
    assert call(started.address, Request(("x",), tmp_path, only_env=True)) is None
    started.stop()
    assert not Path(started.address).parent.exists()


def test_where_no_socket_has_room_the_plain_one_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = tmp_path / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    started = warm_checkov(Runner(), long, missing, {})
    started.begin()
    asked = Request(("sh", "-c", "echo plainly"), tmp_path, only_env=True)
    assert checkov.carry_out(Runner(), asked, begin(started.address, asked)).stdout == "plainly\n"
    started.stop()
    assert list(long.iterdir()) == []


def test_a_wrapper_of_the_users_is_never_taken_for_the_tool(tool: Tool, tmp_path: Path) -> None:
    assert interpreter(Path(tool.path)) is not None
    wrapper = tmp_path / "checkov"
    wrapper.write_text(f'#!/bin/sh\nexec {tool.path} --skip-check CKV_AWS_27 "$@"\n')
    assert interpreter(wrapper) is None
    assert interpreter(tmp_path / "none") is None
