"""What moto remembers survives: by a sweep over every service, and by using what was loaded again."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping

from cloud import boto3_client

from pytest_tfpipeline.emulator import Emulator

SWEEP = """
from moto.backend_index import backend_url_patterns
from moto.backends import get_backend
from moto.core.base_backend import BackendDict
from pytest_tfpipeline.emulator import ACCOUNT_ID, memory
used = 0
for name in sorted({name for name, _ in backend_url_patterns}):
    backends = get_backend(name)
    if isinstance(backends, BackendDict):
        regions = backends[ACCOUNT_ID]
        used += regions["us-east-1" if "us-east-1" in regions else "aws"] is not None
memory.load(memory.dump())
print(used)
"""

ASSUME = '{"Version": "2012-10-17", "Statement": []}'
ALLOW = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}'


def test_the_memory_of_every_service_can_be_kept() -> None:
    argv = [sys.executable, "-c", SWEEP]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


def make(env: Mapping[str, str]) -> None:
    """A little of what a data platform has."""
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("main.py", "def handler(event, context): return 1")
    boto3_client("kms", env).create_key(Description="lake")
    boto3_client("ec2", env).create_key_pair(KeyName="jump")
    boto3_client("acm", env).request_certificate(DomainName="example.org")
    role = boto3_client("iam", env).create_role(RoleName="etl", AssumeRolePolicyDocument=ASSUME)["Role"]["Arn"]
    boto3_client("lambda", env).create_function(
        FunctionName="etl", Runtime="python3.12", Role=role, Handler="main.handler", Code={"ZipFile": code.getvalue()}
    )
    boto3_client("glue", env).create_database(DatabaseInput={"Name": "lake"})
    boto3_client("events", env).put_rule(Name="nightly", ScheduleExpression="rate(1 day)")
    boto3_client("logs", env).create_log_group(logGroupName="/etl")
    boto3_client("secretsmanager", env).create_secret(Name="token", SecretString="hush")
    boto3_client("dynamodb", env).create_table(
        TableName="locks",
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )


def use(env: Mapping[str, str]) -> None:
    """Read and change it: what was loaded must work, not only be there."""
    kms = boto3_client("kms", env)
    key = kms.list_keys()["Keys"][0]["KeyId"]
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"x"
    functions = boto3_client("lambda", env)
    functions.update_function_configuration(FunctionName="etl", MemorySize=256)
    assert functions.invoke(FunctionName="etl")["StatusCode"] == 200
    boto3_client("iam", env).put_role_policy(RoleName="etl", PolicyName="p", PolicyDocument=ALLOW)
    assert boto3_client("glue", env).get_database(Name="lake")["Database"]["Name"] == "lake"
    assert boto3_client("events", env).describe_rule(Name="nightly")["ScheduleExpression"] == "rate(1 day)"
    assert boto3_client("logs", env).describe_log_groups()["logGroups"][0]["logGroupName"] == "/etl"
    assert boto3_client("secretsmanager", env).get_secret_value(SecretId="token")["SecretString"] == "hush"
    table = boto3_client("dynamodb", env)
    table.put_item(
        TableName="locks", Item={"LockID": {"S": "held"}}, ConditionExpression="attribute_not_exists(LockID)"
    )


def test_what_was_loaded_again_can_be_used(start: Callable[..., Emulator]) -> None:
    first = start()
    make(first.process_env)
    first.stop()
    second = start()
    use(second.process_env)
    second.stop()
    table = boto3_client("dynamodb", start().process_env)
    assert table.get_item(TableName="locks", Key={"LockID": {"S": "held"}})["Item"] == {"LockID": {"S": "held"}}
