"""A remote backend: the real S3 backend against moto's server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from pytest_tfpipeline.model import PlanStatus, Root, Target
from pytest_tfpipeline.terraform.applying import apply_plan
from pytest_tfpipeline.terraform.diagnostics import render_findings
from pytest_tfpipeline.terraform.plan import read_plan
from pytest_tfpipeline.terraform.planning import ensure_plan

KEYS = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
ROOT = """
terraform {
  backend "s3" {
    key          = "root"
    use_lockfile = true
  }
}

resource "terraform_data" "a" {
  input = terraform.workspace
}
"""


@pytest.fixture(scope="module")
def s3() -> Iterator[Any]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3",
        endpoint_url=f"http://{host}:{port}",
        region_name="us-east-1",
        **KEYS,
    )
    client.create_bucket(Bucket="states")
    yield client
    client.close()
    server.stop()


@pytest.fixture
def target(s3: Any) -> Target:
    env = {
        "AWS_ACCESS_KEY_ID": "a",
        "AWS_SECRET_ACCESS_KEY": "b",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3.meta.endpoint_url,
        "AWS_S3_USE_PATH_STYLE": "true",
    }
    config = ("bucket=states", "use_path_style=true", "skip_requesting_account_id=true")
    return Target("root", "staging", backend_config=config, workspace="eu", env=env, apply=True)


ROOTS = (Root("root", "root", "root/main.tf", backend="s3"),)


def _keys(s3: Any) -> list[str]:
    return [item["Key"] for item in s3.list_objects_v2(Bucket="states").get("Contents", ())]


def test_a_run_that_cannot_apply_writes_nothing_and_plans_the_same(playground: Any, s3: Any, target: Target) -> None:
    playground.write("root/main.tf", ROOT)
    result = ensure_plan(playground.open(target, roots=ROOTS), target)
    assert result.status is PlanStatus.PLANNED, render_findings(result.findings)
    after = read_plan(str(result.json_path)).resources[0].after
    assert after is not None
    assert after["input"] == "eu"
    assert not result.state_exists
    assert _keys(s3) == []

    ctx = playground.open(target, roots=ROOTS, mode="apply")
    assert apply_plan(ctx, target, ensure_plan(ctx, target)).ok
    assert _keys(s3) == ["env:/eu/root"]
    again = ensure_plan(playground.open(target, roots=ROOTS), target)
    assert again.state_exists
    assert not again.changes.any


def test_a_bucket_that_is_not_there_is_named(playground: Any, target: Target) -> None:
    playground.write("root/main.tf", ROOT)
    nowhere = Target("root", "staging", backend_config=("bucket=nowhere", *target.backend_config[1:]), env=target.env)
    result = ensure_plan(playground.open(nowhere, roots=ROOTS), nowhere)
    assert [finding.rule for finding in result.findings] == ["no-bucket"], render_findings(result.findings)
    assert "nowhere" in result.findings[0].text
