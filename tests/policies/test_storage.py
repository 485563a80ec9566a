"""What is kept is private, encrypted, and can be had back."""

import json

import pytest

from planned import kept


def bucket_names(tf_plan, kind):
    return {resource.after["bucket"] for resource in kept(tf_plan, kind)}


@pytest.mark.tf_policy(id="S3-PUBLIC", severity="error", roots="terraform/*")
def test_every_bucket_blocks_public_access(tf_plan):
    switches = ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets")
    blocked = {
        block.after["bucket"]
        for block in kept(tf_plan, "aws_s3_bucket_public_access_block")
        if all(block.after[switch] is True for switch in switches)
    }
    open_buckets = bucket_names(tf_plan, "aws_s3_bucket") - blocked
    assert not open_buckets, f"add an aws_s3_bucket_public_access_block with all four switches on: {open_buckets}"


@pytest.mark.tf_policy(id="S3-KMS", severity="error", roots="terraform/*")
def test_every_bucket_is_encrypted_with_a_kms_key(tf_plan):
    encrypted = {
        configuration.after["bucket"]
        for configuration in kept(tf_plan, "aws_s3_bucket_server_side_encryption_configuration")
        for rule in configuration.after["rule"]
        if rule["apply_server_side_encryption_by_default"][0]["sse_algorithm"] == "aws:kms"
    }
    plain = bucket_names(tf_plan, "aws_s3_bucket") - encrypted
    assert not plain, f"set sse_algorithm = aws:kms: {plain}"


@pytest.mark.tf_policy(id="S3-VERSIONS", severity="error", roots="terraform/*")
def test_every_bucket_keeps_versions(tf_plan):
    versioned = {
        versioning.after["bucket"]
        for versioning in kept(tf_plan, "aws_s3_bucket_versioning")
        if versioning.after["versioning_configuration"][0]["status"] == "Enabled"
    }
    unversioned = bucket_names(tf_plan, "aws_s3_bucket") - versioned
    assert not unversioned, f"an overwritten object could not be had back: {unversioned}"


@pytest.mark.tf_policy(id="S3-TLS", severity="error", roots="terraform/*")
def test_every_bucket_refuses_plain_http(tf_plan):
    strict = {
        policy.after["bucket"]
        for policy in kept(tf_plan, "aws_s3_bucket_policy")
        for statement in json.loads(policy.after["policy"])["Statement"]
        if statement["Effect"] == "Deny"
        and statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") == "false"
    }
    lax = bucket_names(tf_plan, "aws_s3_bucket") - strict
    assert not lax, f"add a Deny on aws:SecureTransport = false to the bucket policy: {lax}"


@pytest.mark.tf_policy(id="KMS-ROTATION", severity="error", roots="terraform/*")
def test_every_key_is_rotated(tf_plan):
    still = [key.address for key in kept(tf_plan, "aws_kms_key") if key.after["enable_key_rotation"] is not True]
    assert not still, f"set enable_key_rotation = true: {still}"


@pytest.mark.tf_policy(id="KMS-WINDOW", severity="error", roots="terraform/*", environments=["production"])
def test_a_deleted_key_of_production_can_be_had_back_for_a_month(tf_plan):
    hasty = [key.address for key in kept(tf_plan, "aws_kms_key") if key.after["deletion_window_in_days"] < 30]
    assert not hasty, f"without its key all that it encrypted is lost; set deletion_window_in_days = 30: {hasty}"


@pytest.mark.tf_policy(id="LAKE-DELETE", severity="error", roots="terraform/core")
def test_no_zone_of_the_lake_is_deleted(tf_plan):
    lost = [bucket.address for bucket in tf_plan.resources(type="aws_s3_bucket") if "delete" in bucket.actions]
    assert not lost, f"move the data first, then take the bucket out of the state: {lost}"
