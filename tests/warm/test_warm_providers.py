"""terraform with providers that run already says what plain terraform says, with the real provider of AWS."""

from __future__ import annotations

import json
import os
import select
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.context import Context, open_context
from pytest_tfpipeline.model import Repository, Run
from pytest_tfpipeline.process import Outcome, Request, Runner
from pytest_tfpipeline.terraform.shortcut import not_taken, run_filtered
from pytest_tfpipeline.tools import find_tool
from pytest_tfpipeline.tools.providers import cli_config
from pytest_tfpipeline.warm.reattach import locked_programs, names_in, reattached
from pytest_tfpipeline.warm.service import Warm, warm_providers

PROVIDER = """
terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

provider "aws" {
  region                      = "eu-west-2"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true
}
"""
RIGHT = """
module "queue" {
  source = "./queue"
}

resource "aws_s3_bucket" "data" {
  bucket = "data"
  acl    = "private"
}

data "aws_iam_policy_document" "read" {
  statement {
    actions   = ["s3:GetObject"]
    resources = ["arn:aws:s3:::data/*"]
  }
}

ephemeral "aws_secretsmanager_secret_version" "key" {
  count     = 0
  secret_id = "key"
}

moved {
  from = aws_s3_bucket.before
  to   = aws_s3_bucket.data
}

output "arn" {
  value = provider::aws::arn_build("aws", "s3", "", "", "data")
}

output "policy" {
  value = data.aws_iam_policy_document.read.json
}
"""
QUEUE = 'resource "aws_sqs_queue" "it" {\n  name = "it"\n}\n'
ALIASES = """
provider "aws" {
  alias                       = "certificates"
  region                      = "us-east-1"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
  skip_metadata_api_check     = true

  default_tags {
    tags = {
      Team = "edge"
    }
  }
}

data "aws_region" "here" {}

data "aws_region" "there" {
  provider = aws.certificates
}

resource "aws_sqs_queue" "here" {
  name = data.aws_region.here.name
}

resource "aws_sqs_queue" "there" {
  provider = aws.certificates
  name     = data.aws_region.there.name
}
"""
WRONG = """
resource "aws_s3_bucket" "data" {
  buckett = "data"
}

resource "aws_no_such_thing" "it" {}
"""


class Terraform:
    """terraform in a root, plainly or with the providers of the service."""

    def __init__(self, path: Path, service: Warm, config: Path) -> None:
        self.path, self.service = path, service
        self.program = find_tool("terraform", version=None, runner=Runner()).path
        keys = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_EC2_METADATA_DISABLED": "true"}
        self.env = {"PATH": os.environ["PATH"], "TF_CLI_CONFIG_FILE": str(config), "CHECKPOINT_DISABLE": "1", **keys}

    def root(self, name: str, text: str) -> Path:
        root = self.path / name
        (root / "queue").mkdir(parents=True)
        (root / "main.tf").write_text(PROVIDER + text)
        (root / "queue" / "main.tf").write_text(QUEUE)
        assert self.run(root, "init", "-input=false", "-no-color").ok
        return root

    def request(self, root: Path, *argv: str) -> Request:
        return Request((self.program, *argv), root, env=self.env, only_env=True, timeout=120)

    def run(self, root: Path, *argv: str) -> Outcome:
        return Runner().run(self.request(root, *argv))

    def quick(self, root: Path, *argv: str, shared: bool, plan: Path | None = None) -> Outcome:
        with reattached(self.service.address, root, self.env, shared=shared, plan=plan) as words:
            assert words is not None
            request = self.request(root, *argv)
            return Runner().run(Request(request.argv, root, env={**self.env, **words}, only_env=True, timeout=120))


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terraform]:
    path = tmp_path_factory.mktemp("warm")
    service = warm_providers(Runner(), path)
    service.begin()
    try:
        yield Terraform(path, service, cli_config({}, path, None).path)
    finally:
        service.stop()


@pytest.fixture(scope="module")
def right(terraform: Terraform) -> Path:
    return terraform.root("right", RIGHT)


def shown(outcome: Outcome) -> dict[str, Any]:
    plan: dict[str, Any] = json.loads(outcome.stdout)
    plan.pop("timestamp")
    return plan


def test_the_same_is_valid_planned_and_shown(terraform: Terraform, right: Path) -> None:
    """One after the other with a provider that both share, and a deprecated argument in it."""
    quick = terraform.quick(right, "validate", "-json", shared=True)
    assert quick.stdout == terraform.run(right, "validate", "-json").stdout
    assert "deprecated" in quick.stdout

    ours, theirs = right / "ours.tfplan", right / "theirs.tfplan"
    planned = terraform.quick(right, "plan", "-input=false", "-no-color", f"-out={ours}", shared=False)
    assert planned.ok, planned.stderr
    assert terraform.run(right, "plan", "-input=false", "-no-color", f"-out={theirs}").ok

    quickly = terraform.quick(right, "show", "-json", str(ours), shared=True, plan=ours)
    assert shown(quickly) == shown(terraform.run(right, "show", "-json", str(theirs)))


def test_what_is_wrong_is_said_as_plain_terraform_says_it(terraform: Terraform, tmp_path: Path) -> None:
    root = terraform.root("wrong", WRONG)
    context = context_of(terraform.service.address, tmp_path)
    request = terraform.request(root, "validate", "-json")
    said = run_filtered(context, request, "validate", lambda outcome: outcome.ok)
    found = {(one["summary"], one["range"]["start"]["line"]) for one in json.loads(said.stdout)["diagnostics"]}
    assert {name for name, _ in found} == {"Unsupported argument", "Invalid resource type"}
    assert not_taken(context) == "", "plain terraform says the same"


def test_what_does_not_pass_is_run_again_plainly_and_that_counts(
    terraform: Terraform, right: Path, tmp_path: Path
) -> None:
    context = context_of(terraform.service.address, tmp_path)
    script = 'test -z "$TF_REATTACH_PROVIDERS" && echo plainly'
    request = Request(("sh", "-c", script), right, only_env=True)
    said = run_filtered(context, request, "validate", lambda outcome: outcome.ok)
    assert said.stdout == "plainly\n"
    assert "passed only with the providers' whole schema" in not_taken(context)


def test_a_provider_of_its_own_ends_with_the_command(terraform: Terraform, right: Path) -> None:
    env = {**terraform.env, "GOGC": "90"}
    with reattached(terraform.service.address, right, env, shared=False) as words:
        assert words is not None
        (own,) = json.loads(words["TF_REATTACH_PROVIDERS"]).values()
        inherited = Path(f"/proc/{own['Pid']}/environ").read_bytes().split(b"\0")
        assert {b"AWS_ACCESS_KEY_ID=x", b"GOGC=90"} <= set(inherited)
        process = os.pidfd_open(own["Pid"])
    try:
        assert select.select([process], [], [], 60)[0], "it still runs"
    finally:
        os.close(process)


def test_a_plan_with_an_alias_is_the_plain_one(terraform: Terraform) -> None:
    root = terraform.root("aliases", ALIASES)
    assert terraform.run(root, "plan", "-input=false", "-out=plain").ok
    assert terraform.quick(root, "plan", "-input=false", "-out=quick", shared=False).ok
    plain, quick = (shown(terraform.run(root, "show", "-json", name)) for name in ("plain", "quick"))
    assert quick == plain
    planned = {one["address"]: one["values"] for one in quick["planned_values"]["root_module"]["resources"]}
    here, there = planned["aws_sqs_queue.here"], planned["aws_sqs_queue.there"]
    assert (here["name"], here.get("tags_all")) == ("eu-west-2", None)
    assert (there["name"], there["tags_all"]) == ("us-east-1", {"Team": "edge"})


def test_a_provider_that_others_use_has_no_credentials(terraform: Terraform, right: Path) -> None:
    with reattached(terraform.service.address, right, terraform.env, shared=True) as words:
        assert words is not None
        (shared,) = json.loads(words["TF_REATTACH_PROVIDERS"]).values()
        assert b"AWS_ACCESS_KEY_ID" not in Path(f"/proc/{shared['Pid']}/environ").read_bytes()


def context_of(address: str, path: Path) -> Context:
    settings = {"shortcuts": True, "providers_address": address}
    return open_context(Run("1", "plan", Repository(str(path)), str(path), str(path / "run"), settings=settings))


@pytest.fixture
def fake(tmp_path: Path) -> Path:
    """A root whose provider is a program of ours."""
    installed = tmp_path / ".terraform" / "providers" / "registry.terraform.io" / "x" / "y" / "1.0.0" / "linux_amd64"
    installed.mkdir(parents=True)
    (tmp_path / ".terraform.lock.hcl").write_text(
        'provider "registry.terraform.io/x/y" {\n  version     = "1.0.0"\n  constraints = "1.0.0"\n'
        '  hashes = [\n    "h1:a",\n  ]\n}\n'
    )
    program = installed / "terraform-provider-y_v1.0.0"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    "script",
    [
        "exit 1",
        "echo nonsense",
        "echo '1|4|unix|/nowhere|grpc|'",
        "echo '1|5|tcp|127.0.0.1:1|grpc|'",
        "echo '1|5|unix|/x|grpc|A'",
    ],
)
def test_a_provider_that_is_not_understood_is_left_to_terraform(terraform: Terraform, fake: Path, script: str) -> None:
    (program,) = locked_programs(fake).values()
    Path(program).write_text(f"#!/bin/sh\n{script}\n")
    for shared in (True, False):
        with reattached(terraform.service.address, fake, {}, shared=shared) as words:
            assert words is None


def test_without_a_service_terraform_is_run_plainly(fake: Path) -> None:
    context = context_of(str(fake / "nobody"), fake)
    request = Request(("sh", "-c", "echo ${TF_REATTACH_PROVIDERS-plainly}"), fake, only_env=True)
    assert run_filtered(context, request, "validate", lambda outcome: outcome.ok).stdout == "plainly\n"
    with reattached(str(fake / "nobody"), fake, {}, shared=True) as words:
        assert words is None


def test_a_provider_that_is_locked_and_not_there_is_none(fake: Path) -> None:
    assert list(locked_programs(fake)) == ["registry.terraform.io/x/y"]
    lock = fake / ".terraform.lock.hcl"
    lock.write_text(lock.read_text() + 'provider "registry.terraform.io/x/z" {\n  version = "2.0.0"\n}\n')
    assert locked_programs(fake) == {}


def test_a_provider_that_was_held_against_no_hash_is_none(fake: Path) -> None:
    """terraform's own init lets such a package pass, and refuses to start it."""
    lock = fake / ".terraform.lock.hcl"
    lock.write_text(lock.read_text().replace("h1:", "zh:"))
    assert locked_programs(fake) == {}


def test_the_names_are_those_of_all_modules_and_of_the_plans_states(tmp_path: Path) -> None:
    (tmp_path / ".terraform" / "modules" / "far").mkdir(parents=True)
    (tmp_path / "near").mkdir()
    listed = {"Modules": [{"Dir": "."}, {"Dir": "near"}, {"Dir": ".terraform/modules/far"}]}
    (tmp_path / ".terraform" / "modules" / "modules.json").write_text(json.dumps(listed))
    (tmp_path / "main.tf").write_text('resource "aws_vpc" "x" {}')
    (tmp_path / "near" / "more.tf.json").write_text('{"resource": {"aws_eip": {}}}')
    (tmp_path / ".terraform" / "modules" / "far" / "m.tf").write_text('data "aws_ami" "x" {}')
    (tmp_path / "unread.txt").write_text("aws_nothing")
    found = names_in(tmp_path)
    assert {"aws_vpc", "aws_eip", "aws_ami"} <= found
    assert "aws_nothing" not in found

    plan = tmp_path / "p.tfplan"
    with zipfile.ZipFile(plan, "w") as parts:
        parts.writestr("tfstate", '{"resources": [{"type": "aws_gone"}]}')
    assert "aws_gone" in names_in(tmp_path, plan)
