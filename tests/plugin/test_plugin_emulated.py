"""The real AWS provider against the emulated cloud, whose own API is asked what is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cloud import boto3_client
from scratch import Scratch

from pytest_tfpipeline.emulator import Emulator, state_path
from pytest_tfpipeline.process import Runner

LAKE = """terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }

  backend "s3" {
    bucket       = "scratch-states"
    key          = "lake.tfstate"
    region       = "eu-west-2"
    use_lockfile = true
  }
}

provider "aws" {
  region = "eu-west-2"
}

resource "aws_s3_bucket" "lake" {
  #checkov:skip=CKV_AWS_18:a bucket of a test
  #checkov:skip=CKV_AWS_21:a bucket of a test
  #checkov:skip=CKV_AWS_144:a bucket of a test
  #checkov:skip=CKV_AWS_145:a bucket of a test
  #checkov:skip=CKV2_AWS_6:a bucket of a test
  #checkov:skip=CKV2_AWS_61:a bucket of a test
  #checkov:skip=CKV2_AWS_62:a bucket of a test
  bucket = "scratch-lake"
}
"""

RULE = """
def test_has_an_owner(tf_plan):
    for bucket in tf_plan.resources("aws_s3_bucket"):
        assert (bucket.after["tags"] or {}).get("owner"), bucket.address
"""

LIVE = """
import os

import boto3


def test_it_asks_the_emulated_cloud(tf_outputs):
    assert "a-real-one" not in os.environ.values()
    assert "scratch-lake" in [bucket["Name"] for bucket in boto3.client("s3").list_buckets()["Buckets"]]
"""


def buckets(scratch: Scratch, work: Path) -> list[str]:
    """The names of all buckets in the cloud as it was kept, by its own API."""
    path = state_path(scratch.output, "staging")
    cloud = Emulator.start(Runner(), environment="staging", state_path=path, work_path=work, read_only=True)
    try:
        answer: dict[str, Any] = boto3_client("s3", cloud.process_env, "eu-west-2").list_buckets()
    finally:
        cloud.stop()
    return sorted(bucket["Name"] for bucket in answer["Buckets"])


def test_a_failing_policy_keeps_a_bucket_from_being_made(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.configure('[environment.staging]\nemulator = "aws"\n', roots='match = "infra/*"\n')
    scratch.write("infra/lake/main.tf", LAKE)
    scratch.write("tests/test_owner.py", RULE)
    scratch.write("tests/test_live.py", LIVE)
    scratch.commit()

    refused = scratch.run("--apply-env", "staging", "-n", "0", timeout=240)

    assert refused.code == 1, refused.text
    assert scratch.reasons() == {"check-failed"}, refused.text
    assert "test_has_an_owner[lake-staging]" in refused.stdout
    assert "scratch-lake" not in buckets(scratch, tmp_path / "first")

    scratch.write("infra/lake/main.tf", LAKE.replace('lake"\n}\n', 'lake"\n\n  tags = {\n    owner = "data"\n  }\n}\n'))
    scratch.commit()
    real = {"AWS_ACCESS_KEY_ID": "a-real-one", "AWS_SECRET_ACCESS_KEY": "a-real-one", "AWS_PROFILE": "a-real-one"}
    applied = scratch.run("--apply-env", "staging", "-n", "0", timeout=240, env=real)

    assert applied.code == 0, applied.text
    assert scratch.outcomes()["tests/test_live.py::test_it_asks_the_emulated_cloud[lake-staging]"] == "passed", (
        applied.text
    )
    assert "staging (emulated): applied, 1 root changed" in applied.stdout
    assert scratch.environment()["emulated"] is True
    assert "scratch-lake" in buckets(scratch, tmp_path / "second")
