"""Where the emulated cloud answers as AWS does and moto alone would not. Each test fails without its fix."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from cloud import boto3_client

from pytest_tfpipeline.emulator import Emulator
from pytest_tfpipeline.emulator.fixes import FIXES

STATEMENT = {
    "Effect": "Allow",
    "Principal": {"Service": "s3.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Resource": "*",
}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]})


def queue_attributes(sqs: Any, url: str) -> dict[str, str]:
    found: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return found


def make_queue(sqs: Any, name: str) -> tuple[str, str]:
    """The new queue's URL and ARN."""
    url = sqs.create_queue(QueueName=name, Attributes={"Policy": POLICY})["QueueUrl"]
    return url, queue_attributes(sqs, url)["QueueArn"]


def test_a_redrive_policy_comes_back_as_compact_as_aws_writes_it(shared: Emulator) -> None:
    sqs = boto3_client("sqs", shared.process_env)
    _, dead = make_queue(sqs, "compact-dead")
    given = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 5}, indent=2)
    url = sqs.create_queue(QueueName="compact", Attributes={"RedrivePolicy": given})["QueueUrl"]
    assert queue_attributes(sqs, url)["RedrivePolicy"] == f'{{"deadLetterTargetArn":"{dead}","maxReceiveCount":5}}'


def test_a_queue_keeps_its_policy_until_that_is_changed(shared: Emulator) -> None:
    sqs = boto3_client("sqs", shared.process_env)
    url, _ = make_queue(sqs, "kept")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "77"})
    assert queue_attributes(sqs, url)["Policy"] == POLICY
    assert queue_attributes(sqs, url)["VisibilityTimeout"] == "77"
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    assert "Policy" not in queue_attributes(sqs, url)


def make_function(env: Mapping[str, str], name: str, **options: Any) -> Any:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("main.py", "def handler(event, context): return 1")
    role = boto3_client("iam", env).create_role(RoleName=name, AssumeRolePolicyDocument=POLICY)["Role"]["Arn"]
    functions = boto3_client("lambda", env)
    functions.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=role,
        Handler="main.handler",
        Code={"ZipFile": code.getvalue()},
        **options,
    )
    return functions


def test_a_function_tells_its_dead_letter_queue(start: Callable[..., Emulator]) -> None:
    first = start()
    queue, other = ({"TargetArn": f"arn:aws:sqs:eu-west-2:123456789012:{name}"} for name in ("one", "other"))
    functions = make_function(first.process_env, "letters", DeadLetterConfig=queue)
    assert functions.get_function(FunctionName="letters")["Configuration"]["DeadLetterConfig"] == queue
    functions.update_function_configuration(FunctionName="letters", DeadLetterConfig=other)
    functions.update_function_configuration(FunctionName="letters", MemorySize=256)
    first.stop()
    functions = boto3_client("lambda", start().process_env)
    assert functions.get_function_configuration(FunctionName="letters")["DeadLetterConfig"] == other
    functions.update_function_configuration(FunctionName="letters", DeadLetterConfig={"TargetArn": ""})
    assert "DeadLetterConfig" not in functions.get_function_configuration(FunctionName="letters")


def test_every_rule_tells_its_description(shared: Emulator) -> None:
    ec2 = boto3_client("ec2", shared.process_env)
    group = ec2.create_security_group(GroupName="described", Description="d")["GroupId"]
    lists = ec2.describe_prefix_lists()["PrefixLists"]
    ends: list[dict[str, Any]] = [
        {"IpRanges": [{"CidrIp": "10.0.0.0/16", "Description": "addresses"}]},
        {"UserIdGroupPairs": [{"GroupId": group, "Description": "group"}]},
        {"PrefixListIds": [{"PrefixListId": lists[0]["PrefixListId"], "Description": "list"}]},
        {"IpRanges": [{"CidrIp": "10.1.0.0/16"}]},
    ]
    permissions = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **end} for end in ends]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    told = [rule.get("Description") for rule in rules if not rule["IsEgress"]]
    assert sorted(told, key=str) == [None, "addresses", "group", "list"]


def test_roles_can_have_the_policies_that_aws_has_made(shared: Emulator) -> None:
    iam = boto3_client("iam", shared.process_env)
    iam.create_role(RoleName="reader", AssumeRolePolicyDocument="{}")
    iam.attach_role_policy(RoleName="reader", PolicyArn="arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess")
    attached = iam.list_attached_role_policies(RoleName="reader")["AttachedPolicies"]
    assert [policy["PolicyName"] for policy in attached] == ["AmazonS3ReadOnlyAccess"]


def test_a_bucket_tells_that_it_notifies_eventbridge(shared: Emulator) -> None:
    s3 = boto3_client("s3", shared.process_env, "us-east-1")
    s3.create_bucket(Bucket="announcing")
    assert "EventBridgeConfiguration" not in s3.get_bucket_notification_configuration(Bucket="announcing")
    s3.put_bucket_notification_configuration(
        Bucket="announcing", NotificationConfiguration={"EventBridgeConfiguration": {}}
    )
    assert s3.get_bucket_notification_configuration(Bucket="announcing")["EventBridgeConfiguration"] == {}


def test_a_bucket_policy_denies_nobody_who_meets_its_condition(shared: Emulator) -> None:
    s3 = boto3_client("s3", shared.process_env, "us-east-1")
    s3.create_bucket(Bucket="over-tls")
    resources = ["arn:aws:s3:::over-tls", "arn:aws:s3:::over-tls/*"]
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resources}
    policy = {"Version": "2012-10-17", "Statement": [deny | {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
    s3.put_bucket_policy(Bucket="over-tls", Policy=json.dumps(policy))
    s3.put_object(Bucket="over-tls", Key="x", Body=b"x")
    assert s3.get_object(Bucket="over-tls", Key="x")["Body"].read() == b"x"


def test_a_bucket_logs_to_one_whose_policy_is_elsewhere(shared: Emulator) -> None:
    s3 = boto3_client("s3", shared.process_env, "us-east-1")
    for name in ("logged", "log-target"):
        s3.create_bucket(Bucket=name)
    told = {"TargetBucket": "log-target", "TargetPrefix": "access/"}
    s3.put_bucket_logging(Bucket="logged", BucketLoggingStatus={"LoggingEnabled": told})
    assert s3.get_bucket_logging(Bucket="logged")["LoggingEnabled"] == told


TAG = {"Key": "team", "Value": "data"}


@pytest.mark.parametrize("chosen", [{"Prefix": "raw/"}, {"And": {"Prefix": "raw/", "Tags": [TAG]}}])
def test_a_replication_rule_keeps_its_filter(shared: Emulator, chosen: dict[str, Any]) -> None:
    s3 = boto3_client("s3", shared.process_env, "us-east-1")
    bucket = f"replicated-{len(chosen.get('And', {}))}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    rule = {"ID": "raw", "Priority": 1, "Status": "Enabled", "DeleteMarkerReplication": {"Status": "Enabled"}}
    rules = [rule | {"Filter": chosen, "Destination": {"Bucket": f"arn:aws:s3:::{bucket}"}}]
    role = "arn:aws:iam::123456789012:role/x"
    s3.put_bucket_replication(Bucket=bucket, ReplicationConfiguration={"Role": role, "Rules": rules})
    assert s3.get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"]["Rules"] == rules


def test_a_service_runs_what_was_desired_and_tells_how_it_rebalances(shared: Emulator) -> None:
    ecs = boto3_client("ecs", shared.process_env)
    ecs.create_cluster(clusterName="web")
    ecs.register_task_definition(family="web", containerDefinitions=[{"name": "web", "image": "x", "memory": 64}])
    for name, given in (("plain", {}), ("spread", {"availabilityZoneRebalancing": "ENABLED"})):
        ecs.create_service(cluster="web", serviceName=name, taskDefinition="web", desiredCount=2, **given)
    plain, spread = ecs.describe_services(cluster="web", services=["plain", "spread"])["services"]
    assert (plain["runningCount"], plain["pendingCount"]) == (2, 0)
    assert [one["rolloutState"] for one in plain["deployments"]] == ["COMPLETED"]
    assert (plain["availabilityZoneRebalancing"], spread["availabilityZoneRebalancing"]) == ("DISABLED", "ENABLED")


@pytest.mark.parametrize("name", ["logs", "lambda", "route53"])
def test_a_bucket_may_be_called_like_a_service(shared: Emulator, name: str) -> None:
    s3 = boto3_client("s3", shared.process_env)
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="a/b", Body=b"it")
    assert s3.get_object(Bucket=name, Key="a/b")["Body"].read() == b"it"
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=name)["Contents"]] == ["a/b"]


def test_a_state_machine_can_be_validated_as_every_plan_does(shared: Emulator) -> None:
    states = boto3_client("stepfunctions", shared.process_env)
    good = json.dumps({"StartAt": "a", "States": {"a": {"Type": "Pass", "End": True}}})
    assert states.validate_state_machine_definition(definition=good)["result"] == "OK"
    for bad in ("{", "[]", "{}", good.replace('"a"', '"b"', 1)):
        told = states.validate_state_machine_definition(definition=bad)
        assert (told["result"], told["diagnostics"][0]["severity"]) == ("FAIL", "ERROR")


@pytest.mark.parametrize("service", FIXES)
def test_fixes_are_asked_for_by_the_names_that_moto_has_for_its_services(service: str) -> None:
    from moto.backend_index import backend_url_patterns

    assert service in {name for name, _ in backend_url_patterns}
