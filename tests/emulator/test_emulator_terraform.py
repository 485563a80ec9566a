"""The real terraform and the real AWS provider, on a configuration that knows nothing of the emulator."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cloud import boto3_client

from pytest_tfpipeline.emulator import Emulator
from pytest_tfpipeline.process import Outcome, Request, Runner

CONFIGURATION = """
terraform {
  backend "s3" {
    bucket       = "state-bucket"
    key          = "lake/terraform.tfstate"
    region       = "eu-west-2"
    use_lockfile = true
    profile      = "deployer"
  }
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  region  = "eu-west-2"
  profile = "deployer"
}
data "aws_caller_identity" "me" {}
resource "aws_s3_bucket" "lake" {
  bucket = "lake-${data.aws_caller_identity.me.account_id}"
}
resource "aws_ssm_parameter" "lake" {
  name  = "/lake/bucket"
  type  = "String"
  value = aws_s3_bucket.lake.arn
}
"""


def cli_config(path: Path) -> Path:
    """Providers from an unpacked mirror where the machine has one, else from the registry."""
    places = [os.environ.get("TFPIPELINE_PROVIDER_MIRROR", "")]
    places += [
        str(found.parent) for top in ("/opt", "/usr/local") for found in Path(top).glob("*/registry.terraform.io")
    ]
    mirrors = [place for place in places if place]
    inner = f"filesystem_mirror {{\n path = {json.dumps(mirrors[0])}\n }}" if mirrors else "direct {}"
    path.write_text(f"provider_installation {{\n {inner}\n}}\n")
    return path


@pytest.fixture
def terraform(tmp_path: Path) -> Callable[..., Outcome]:
    root = tmp_path / "root"
    root.mkdir()
    (root / "main.tf").write_text(CONFIGURATION)
    base = {"TF_CLI_CONFIG_FILE": str(cli_config(tmp_path / "terraform.rc")), "TF_IN_AUTOMATION": "1"}

    def run(emulator: Emulator, *arguments: str) -> Outcome:
        argv = ("terraform", *arguments, "-no-color", "-input=false")
        return Runner().run(Request(argv, root, {**base, **emulator.process_env}, timeout=180))

    return run


def test_an_apply_outlives_the_emulator(start: Callable[..., Emulator], terraform: Callable[..., Outcome]) -> None:
    first = start(profiles=("deployer",))
    for arguments in (("init",), ("apply", "-auto-approve")):
        done = terraform(first, *arguments)
        assert done.ok, done.stdout + done.stderr
    s3 = boto3_client("s3", first.process_env)
    assert s3.head_bucket(Bucket="lake-123456789012")["BucketRegion"] == "eu-west-2"
    kept = [entry["Key"] for entry in s3.list_objects_v2(Bucket="state-bucket")["Contents"]]
    assert kept == ["lake/terraform.tfstate"], "the state is there, and its lock is released"
    first.stop()

    second = start(profiles=("deployer",))
    planned = terraform(second, "plan", "-detailed-exitcode")
    assert planned.code == 0, planned.stdout + planned.stderr
    assert "No changes." in planned.stdout


def test_the_registry_is_refused_in_seconds(start: Callable[..., Emulator], tmp_path: Path) -> None:
    source = 'terraform {\n  required_providers {\n    x = { source = "nobody/nothing" }\n  }\n}\n'
    (tmp_path / "main.tf").write_text(source)
    config = tmp_path / "direct.rc"
    config.write_text("provider_installation {\n direct {}\n}\n")
    env = {**start().process_env, "TF_CLI_CONFIG_FILE": str(config)}
    argv = ("terraform", "init", "-no-color", "-input=false")
    done = Runner().run(Request(argv, tmp_path, env, timeout=60))
    assert done.code == 1
    assert "is not AWS: the emulated cloud lets nothing" in " ".join(done.stderr.replace("│", " ").split())
    assert done.seconds < 30
