"""What children are told, without any process."""

from __future__ import annotations

import configparser
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_tfpipeline.emulator import Emulator
from pytest_tfpipeline.emulator.environment import process_env, write_aws_files
from pytest_tfpipeline.emulator.refusal import is_aws, refusal_body
from pytest_tfpipeline.errors import EmulatorError


def told(**environ: str) -> dict[str, str]:
    return process_env(proxy="http://127.0.0.1:1", ca_path=Path("/ca"), aws_directory=Path("/aws"), environ=environ)


def test_every_spelling_of_a_proxy_leads_to_the_emulator() -> None:
    env = told(NO_PROXY="*", no_proxy=".amazonaws.com", ALL_PROXY="socks5://corporate")
    names = ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
    assert {env[name] for name in names} == {"http://127.0.0.1:1"}
    assert env["NO_PROXY"] == env["no_proxy"] == "127.0.0.1,localhost,::1"


def test_inherited_endpoints_and_credential_sources_are_emptied() -> None:
    hostile = {
        "AWS_ENDPOINT_URL_DYNAMODB": "x",
        "AWS_S3_ENDPOINT": "x",
        "TF_AWS_STS_ENDPOINT": "x",
        "AWS_ROLE_ARN": "x",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "x",
    }
    env = told(**hostile, AWS_PAGER="less", MY_ENDPOINT="x")
    assert [env[name] for name in hostile] == [""] * len(hostile)
    assert not {"AWS_PAGER", "MY_ENDPOINT"} & env.keys()


@pytest.mark.parametrize(
    ("environ", "region", "default_region"),
    [
        ({}, "us-east-1", "us-east-1"),
        ({"AWS_REGION": "eu-west-2"}, "eu-west-2", "eu-west-2"),
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1", "eu-west-1"),
        ({"AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-2", "eu-west-1"),
    ],
)
def test_a_region_of_the_users_stays(environ: dict[str, str], region: str, default_region: str) -> None:
    env = told(**environ)
    assert (env["AWS_REGION"], env["AWS_DEFAULT_REGION"]) == (region, default_region)


def test_profiles_that_the_terraform_names_have_dummy_keys(tmp_path: Path) -> None:
    write_aws_files(tmp_path / "aws", ["deployer", "default"])
    credentials, config = configparser.ConfigParser(), configparser.ConfigParser()
    credentials.read(tmp_path / "aws" / "credentials")
    config.read(tmp_path / "aws" / "config")
    assert credentials.sections() == ["default", "deployer"]
    assert config.sections() == ["default", "profile deployer"]
    assert credentials["deployer"]["aws_access_key_id"] == told()["AWS_ACCESS_KEY_ID"]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("s3.eu-west-2.amazonaws.com", True),
        ("ec2.cn-north-1.amazonaws.com.cn", True),
        ("dsql.us-east-1.api.aws", True),
        ("motoapi.amazonaws.com", False),
        ("evilamazonaws.com", False),
        ("s3.amazonaws.com.example.org", False),
        ("169.254.169.254", False),
        ("", False),
    ],
)
def test_which_hosts_are_aws(host: str, expected: bool) -> None:
    assert is_aws(host) is expected


@pytest.mark.parametrize(
    ("host", "content_type", "expected"),
    [
        ("sts.amazonaws.com", "application/x-www-form-urlencoded; charset=utf-8", b"<ErrorResponse><Error><Code>"),
        ("ec2.eu-west-2.amazonaws.com", "application/x-www-form-urlencoded", b"<Response><Errors><Error><Code>"),
        ("b.s3.eu-west-2.amazonaws.com", "", b"<Error><Code>"),
        ("glue.eu-west-2.amazonaws.com", "application/x-amz-json-1.1", b'{"__type": "NotImplemented"'),
        ("lambda.eu-west-2.amazonaws.com", "", b'{"__type": "NotImplemented"'),
        ("route53.amazonaws.com", "", b"<ErrorResponse><Error><Code>"),
    ],
)
def test_a_refusal_speaks_the_services_protocol(host: str, content_type: str, expected: bytes) -> None:
    body = refusal_body(host, content_type, "a < b")[1]
    assert body.startswith(expected)
    assert (b"a &lt; b" if body.startswith(b"<") else b"a < b") in body


def test_a_missing_extra_is_told_with_the_command(
    start: Callable[..., Emulator], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_tfpipeline.emulator.service.find_spec", lambda _name: None)
    with pytest.raises(EmulatorError, match=r"moto.*\n  -> pip install 'pytest-tfpipeline\[emulator\]'"):
        start()


def test_the_controllers_side_imports_nothing_that_costs() -> None:
    code = "import sys, pytest_tfpipeline.emulator as e; print(*{'moto', 'boto3', 'cryptography'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""
