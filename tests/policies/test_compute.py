"""Functions and queues end, leave a trace, and lose nothing."""

import json

import pytest

from planned import kept


@pytest.mark.tf_policy(id="SQS-DLQ", severity="error", roots="terraform/*")
def test_every_queue_has_a_dead_letter_queue(tf_plan):
    lossy = [
        queue.address
        for queue in kept(tf_plan, "aws_sqs_queue")
        if not queue.after["name"].endswith("dead-letters")
        if "deadLetterTargetArn" not in json.loads(queue.after["redrive_policy"] or "{}")
    ]
    assert not lossy, f"a message that cannot be handled would be lost; set redrive_policy: {lossy}"


@pytest.mark.tf_policy(id="SQS-DLQ-RETENTION", severity="error", roots="terraform/*")
def test_dead_letters_are_kept_as_long_as_sqs_can(tf_plan):
    two_weeks = 14 * 24 * 3600
    short = [
        queue.address
        for queue in kept(tf_plan, "aws_sqs_queue")
        if queue.after["name"].endswith("dead-letters") and queue.after["message_retention_seconds"] < two_weeks
    ]
    assert not short, f"set message_retention_seconds = {two_weeks}: {short}"


@pytest.mark.tf_policy(id="SQS-ENCRYPTED", severity="error", roots="terraform/*")
def test_every_queue_is_encrypted(tf_plan):
    plain = [
        queue.address
        for queue in kept(tf_plan, "aws_sqs_queue")
        if not (queue.after.get("sqs_managed_sse_enabled") or queue.after.get("kms_master_key_id"))
    ]
    assert not plain, f"set sqs_managed_sse_enabled = true or kms_master_key_id: {plain}"


@pytest.mark.tf_policy(id="LAMBDA-TIMEOUT", severity="error", roots="terraform/*")
def test_every_function_says_when_it_is_stopped(tf_plan):
    # 3 s is what a function gets that says nothing; more than five minutes belongs into a job, not into a function.
    odd = [
        function.address
        for function in kept(tf_plan, "aws_lambda_function")
        if not 3 < function.after["timeout"] <= 300
    ]
    assert not odd, f"set a timeout between 4 and 300 seconds: {odd}"


@pytest.mark.tf_policy(id="LAMBDA-DLQ", severity="error", roots="terraform/*")
def test_every_function_has_somewhere_for_failed_events(tf_plan):
    covered = {
        config.after["function_name"]
        for config in kept(tf_plan, "aws_lambda_function_event_invoke_config")
        for destination in config.after["destination_config"]
        if destination["on_failure"]
    }
    lossy = {function.after["function_name"] for function in kept(tf_plan, "aws_lambda_function")} - covered
    assert not lossy, f"add aws_lambda_function_event_invoke_config with an on_failure destination: {lossy}"


@pytest.mark.tf_policy(id="LAMBDA-TRACING", severity="warning", roots="terraform/*")
def test_every_function_is_traced(tf_plan):
    dark = [
        function.address
        for function in kept(tf_plan, "aws_lambda_function")
        if [config["mode"] for config in function.after["tracing_config"]] != ["Active"]
    ]
    assert not dark, f"set tracing_config.mode = Active: {dark}"


@pytest.mark.tf_policy(id="LAMBDA-LOG", severity="error", roots="terraform/*")
def test_every_function_has_a_log_group_of_its_own(tf_plan):
    logs = {group.after["name"] for group in kept(tf_plan, "aws_cloudwatch_log_group")}
    unlogged = [
        function.address
        for function in kept(tf_plan, "aws_lambda_function")
        if f"/aws/lambda/{function.after['function_name']}" not in logs
    ]
    assert not unlogged, f"Lambda would make one that is kept for ever; add aws_cloudwatch_log_group: {unlogged}"


@pytest.mark.tf_policy(id="LOG-RETENTION", severity="error", roots="terraform/*")
def test_every_log_group_has_an_end(tf_plan):
    endless = [g.address for g in kept(tf_plan, "aws_cloudwatch_log_group") if not g.after.get("retention_in_days")]
    assert not endless, f"set retention_in_days: {endless}"


@pytest.mark.tf_policy(id="LOG-RETENTION-PROD", severity="error", roots="terraform/*", environments=["production"])
def test_logs_of_production_are_kept_for_two_years(tf_plan):
    short = [g.address for g in kept(tf_plan, "aws_cloudwatch_log_group") if g.after["retention_in_days"] < 731]
    assert not short, f"the auditors ask for two years; set retention_in_days = 731 or more: {short}"
