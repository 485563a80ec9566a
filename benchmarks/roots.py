"""Repositories of any size: root modules that are formatted, valid and free of lint, with as many resources as asked
for."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

#: The bucket that every AWS root keeps its state in.
STATE_BUCKET = "benchmark-state"
_LOCK_FILE = Path(__file__).parent.parent / "terraform/core/.terraform.lock.hcl"
_CONFIGURATION = """\
environments = ["dev"]

[environment.dev]
emulator = "aws"
"""
_BUILTIN_CONFIGURATION = 'environments = ["dev"]\n'
_AWS = """\
terraform {{
  required_version = ">= 1.2"

  required_providers {{
    aws = {{
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }}
  }}

  backend "s3" {{
    bucket = "{bucket}"
    key    = "{name}/terraform.tfstate"
    region = "us-east-1"
  }}
}}

provider "aws" {{
  region = "us-east-1"
}}
"""
_BUILTIN = """\
terraform {
  required_version = ">= 1.4"

  backend "local" {}
}
"""
#: Of each root in turns; every one needs the names of its root and its number.
_RESOURCES = (
    """\
resource "aws_cloudwatch_log_group" "this_{number}" {{
  name              = "/{name}/{number}"
  retention_in_days = 30
}}
""",
    """\
resource "aws_sqs_queue" "this_{number}" {{
  name                      = "{name}-{number}"
  message_retention_seconds = 86400
  sqs_managed_sse_enabled   = true
}}
""",
    """\
resource "aws_sns_topic" "this_{number}" {{
  name              = "{name}-{number}"
  kms_master_key_id = "alias/aws/sns"
}}
""",
    """\
resource "aws_iam_role" "this_{number}" {{
  name = "{name}-{number}"

  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Action    = "sts:AssumeRole"
      Effect    = "Allow"
      Principal = {{ Service = "lambda.amazonaws.com" }}
    }}]
  }})
}}
""",
)
_DATA = """\
resource "terraform_data" "this_{number}" {{
  input = "{name}-{number}"
}}
"""


def write_roots(directory: Path, count: int, resources: int, provider: str | None = "aws") -> None:
    """A committed git repository with the roots `roots/r0001` and so on, each with as many resources; of AWS with its
    state in an S3 bucket and a lock file, or of builtin ones (`provider` None) with a local state."""
    directory.mkdir(parents=True)
    configuration = _CONFIGURATION if provider else _BUILTIN_CONFIGURATION
    (directory / "tfpipeline.toml").write_text(configuration, encoding="utf-8")
    for number in range(1, count + 1):
        _write_root(directory / f"roots/r{number:04}", resources, provider)
    for command in _commit():
        subprocess.run(["git", "-C", str(directory), *command], check=True)


def _write_root(root: Path, resources: int, provider: str | None) -> None:
    root.mkdir(parents=True)
    name = root.name
    head = _AWS.format(bucket=STATE_BUCKET, name=name) if provider else _BUILTIN
    kinds = _RESOURCES if provider else (_DATA,)
    blocks = [kinds[number % len(kinds)].format(name=name, number=number) for number in range(resources)]
    (root / "main.tf").write_text("\n".join([head, *blocks]), encoding="utf-8")
    if provider:
        (root / _LOCK_FILE.name).write_bytes(_LOCK_FILE.read_bytes())


def _commit() -> Iterator[tuple[str, ...]]:
    yield ("init", "--quiet", "--initial-branch", "main")
    yield ("add", "--all")
    author = ("-c", "user.name=Benchmark", "-c", "user.email=benchmark@example.org", "-c", "commit.gpgsign=false")
    yield (*author, "commit", "--quiet", "--message", "Roots to measure")
