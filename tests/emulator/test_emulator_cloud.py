"""The emulated cloud, asked through its own API."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from cloud import boto3_client

from pytest_tfpipeline.emulator import ACCOUNT_ID, Emulator, reset, state_path
from pytest_tfpipeline.errors import EmulatorError
from pytest_tfpipeline.process import Request, Runner

Start = Callable[..., Emulator]


def put(emulator: Emulator, key: str, body: bytes) -> None:
    boto3_client("s3", emulator.process_env).put_object(Bucket="state-bucket", Key=key, Body=body)


def keys(emulator: Emulator) -> list[str]:
    found = boto3_client("s3", emulator.process_env).list_objects_v2(Bucket="state-bucket")
    return [entry["Key"] for entry in found.get("Contents", [])]


def said(emulator: Emulator, request: str) -> str:
    """What the proxy answers to a request as written."""
    proxy = urlsplit(emulator.process_env["HTTPS_PROXY"])
    with socket.create_connection((str(proxy.hostname), proxy.port), timeout=30) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode())
        with connection.makefile("rb") as answer:
            return answer.read().decode()


def test_what_was_made_outlives_the_process(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A repository's file of that name must not take the place of the package.
    (tmp_path / "moto.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)
    first = start()
    s3 = boto3_client("s3", first.process_env)
    assert s3.get_bucket_versioning(Bucket="state-bucket")["Status"] == "Enabled"
    put(first, "a/terraform.tfstate", b"x" * 3_000_000)
    queue = boto3_client("sqs", first.process_env).create_queue(QueueName="jobs")["QueueUrl"]
    vpc = boto3_client("ec2", first.process_env, "eu-west-2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    first.stop()

    second = start(buckets=("state-bucket", "another-bucket"))
    s3 = boto3_client("s3", second.process_env)
    assert s3.get_object(Bucket="state-bucket", Key="a/terraform.tfstate")["Body"].read() == b"x" * 3_000_000
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["state-bucket", "another-bucket"]
    assert boto3_client("sqs", second.process_env).list_queues()["QueueUrls"] == [queue]
    assert boto3_client("ec2", second.process_env, "eu-west-2").describe_vpcs(VpcIds=[vpc])["Vpcs"]


def test_each_environment_is_a_cloud_of_its_own(start: Start) -> None:
    staging, production = start("staging"), start("production")
    put(staging, "only-here", b"")
    assert keys(staging) == ["only-here"]
    assert keys(production) == []


def test_a_read_only_cloud_keeps_nothing_and_runs_beside_another(start: Start) -> None:
    first = start()
    put(first, "kept", b"")
    first.stop()
    writer, reader = start(), start(read_only=True)
    put(reader, "lost", b"")
    assert keys(reader) == ["kept", "lost"]
    assert keys(writer) == ["kept"]
    writer.stop()
    reader.stop()
    assert keys(start()) == ["kept"]


def test_a_second_writer_and_a_reset_are_told_who_holds_the_state(start: Start, output_path: Path) -> None:
    first = start()
    put(first, "mine", b"")
    with pytest.raises(EmulatorError, match=rf"in use by process {os.getpid()}\n  -> wait for that run"):
        start()
    with pytest.raises(EmulatorError, match="in use by process"):
        reset(output_path)
    first.stop()
    assert reset(output_path, "production") == ()
    assert reset(output_path) == ("staging",)
    assert keys(start()) == []


CONTROLLER = """
import json, sys
from pathlib import Path
from pytest_tfpipeline.emulator import Emulator, StateStore, state_path
from pytest_tfpipeline.process import Runner
top = Path(sys.argv[1])
emulator = Emulator.start(Runner(), environment="staging", state_path=state_path(top / "out", "staging"),
                          stores=[StateStore("state-bucket")], work_path=top / "killed")
print(json.dumps(emulator.process_env), flush=True)
sys.stdin.read()
"""


def test_the_state_is_kept_when_the_controller_is_killed(start: Start, tmp_path: Path) -> None:
    argv = [sys.executable, "-c", CONTROLLER, str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as controller:
        assert controller.stdout is not None
        env = json.loads(controller.stdout.readline())
        boto3_client("s3", env).put_object(Bucket="state-bucket", Key="survivor", Body=b"")
        controller.kill()
    # Starting waits for the orphan to write its state and to let go of it.
    assert keys(start()) == ["survivor"]


@pytest.mark.parametrize(
    ("request_text", "host"),
    [
        ("CONNECT registry.terraform.io:443 HTTP/1.1\nHost: registry.terraform.io:443\n\n", "registry.terraform.io"),
        ("CONNECT amazonaws.com.example.org:443 HTTP/1.1\n\n", "amazonaws.com.example.org"),
        ("CONNECT motoapi.amazonaws.com:443 HTTP/1.1\n\n", "motoapi.amazonaws.com"),
        ("GET http://example.org/ HTTP/1.1\nHost: s3.amazonaws.com\n\n", "example.org"),
        ("POST /moto-api/reset HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n", "localhost"),
        ("POST /moto-api/proxy/passthrough HTTP/1.1\nHost: 127.0.0.1\nContent-Length: 0\n\n", "127.0.0.1"),
    ],
)
def test_only_aws_is_answered(shared: Emulator, request_text: str, host: str) -> None:
    assert said(shared, request_text).startswith(f"HTTP/1.1 403 {host} is not AWS: the emulated cloud lets nothing")


def test_nothing_leaves_the_process(shared: Emulator) -> None:
    sns = boto3_client("sns", shared.process_env)
    with socket.create_server(("127.0.0.1", 0)) as subscriber:
        subscriber.setblocking(False)
        topic = sns.create_topic(Name="news")["TopicArn"]
        endpoint = f"http://127.0.0.1:{subscriber.getsockname()[1]}/"
        sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint)
        with pytest.raises(ClientError, match=r"reaches nothing outside itself"):
            sns.publish(TopicArn=topic, Message="hello")
        with pytest.raises(BlockingIOError):
            subscriber.accept()


def test_a_client_that_does_not_trust_the_cloud_makes_no_noise(
    shared: Emulator, capfd: pytest.CaptureFixture[str]
) -> None:
    proxy = urlsplit(shared.process_env["HTTPS_PROXY"])
    before = len(shared.log_path.read_text())
    with socket.create_connection((str(proxy.hostname), proxy.port), timeout=30) as connection:
        connection.sendall(b"CONNECT sts.amazonaws.com:443 HTTP/1.1\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 ")
        with pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(connection, server_hostname="sts.amazonaws.com")
    assert boto3_client("sts", shared.process_env).get_caller_identity()["Account"] == ACCOUNT_ID
    assert "Traceback" not in shared.log_path.read_text()[before:]
    assert capfd.readouterr() == ("", "")


ASK = """
import boto3, json
session = boto3.Session()
print(json.dumps([session.client("sts").get_caller_identity()["Account"], session.get_credentials().access_key,
                  session.region_name, len(session.client("s3").list_buckets()["Buckets"])]))
"""


def test_credentials_of_a_real_account_are_never_used(start: Start, tmp_path: Path) -> None:
    (tmp_path / "real").write_text("[real]\naws_access_key_id = REAL\naws_secret_access_key = REAL\n")
    hostile = {
        "AWS_PROFILE": "real",
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "real"),
        "AWS_ACCESS_KEY_ID": "REAL",
        "AWS_SECRET_ACCESS_KEY": "REAL",
        "AWS_ROLE_ARN": "arn:aws:iam::999999999999:role/real",
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "real"),
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9/",
        "AWS_ENDPOINT_URL_STS": "http://127.0.0.1:9/",
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_REGION": "eu-west-2",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "NO_PROXY": "*",
        "no_proxy": "amazonaws.com",
        "https_proxy": "http://127.0.0.1:9",
    }
    runner = Runner({**os.environ, **hostile})
    emulator = start(runner=runner)
    done = runner.run(Request((sys.executable, "-c", ASK), tmp_path, emulator.process_env, timeout=60))
    assert done.ok, done.stderr
    assert json.loads(done.stdout) == [ACCOUNT_ID, "AKIAEMULATEDCLOUD000", "eu-west-1", 1]


def test_of_many_conditional_writes_one_wins(shared: Emulator) -> None:
    """A state lock with `use_lockfile` is such a write."""
    s3 = boto3_client("s3", shared.process_env)

    def take(number: int) -> str:
        try:
            s3.put_object(Bucket="state-bucket", Key="x.tflock", Body=b"%d" % number, IfNoneMatch="*")
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "taken"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(take, range(24))) == ["PreconditionFailed"] * 23 + ["taken"]


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "words"),
    [
        (
            "gamelift",
            "list_builds",
            {},
            "cannot do gamelift ListBuilds: it has no service at gamelift",
        ),
        (
            "ec2",
            "describe_host_reservations",
            {},
            "cannot do ec2 DescribeHostReservations: The describe_host_res",
        ),
        ("location", "list_maps", {}, r"cannot do geo POST /maps/v0/list-maps: it has no service at cp\.maps\.geo"),
        ("iam", "list_service_specific_credentials", {}, "cannot do iam ListServiceSpecificCredentials: "),
    ],
)
def test_what_is_not_emulated_is_said_at_once_and_in_the_services_own_words(
    shared: Emulator, service: str, operation: str, arguments: dict[str, Any], words: str
) -> None:
    client = boto3_client(service, shared.process_env, "us-east-1")
    with pytest.raises(ClientError, match=words) as caught:
        getattr(client, operation)(**arguments)
    assert caught.value.response["Error"]["Code"] == "NotImplemented"
    assert caught.value.response["ResponseMetadata"]["RetryAttempts"] == 0


def test_a_cloud_that_died_is_named(start: Start) -> None:
    emulator = start()
    put(emulator, "x", b"")
    assert emulator.failed() is None
    os.kill(emulator.pid, signal.SIGKILL)
    with pytest.raises(EmulatorError, match=r"staging failed \(-9\)"):
        emulator.stop()


def test_a_state_that_cannot_be_kept_is_an_error_with_the_reason(start: Start, output_path: Path) -> None:
    emulator = start()
    put(emulator, "x", b"")
    (output_path / "emulator").rename(output_path / "moved")
    (output_path / "emulator").write_text("in the way")
    with pytest.raises(EmulatorError, match="File exists"):
        emulator.stop()
    assert not state_path(output_path, "staging").exists()
