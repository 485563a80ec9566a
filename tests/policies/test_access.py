"""Nobody may do everything, and nothing is bound to one account."""

import json
import re

import pytest

from planned import kept, listed, statements

IDENTITY_POLICIES = ("aws_iam_policy", "aws_iam_role_policy", "aws_iam_user_policy", "aws_iam_group_policy")
ACCOUNT = re.compile(r"(?<![\d.])\d{12}(?![\d.])")


def allowed(tf_plan):
    """Each `Allow` statement of the policies that people and roles have."""
    return [found for kind in IDENTITY_POLICIES for found in statements(tf_plan, kind)]


# A document that names something by its ARN before that is made is only known after the apply: it is then reported as
# unknown, and judged by the next plan. Naming things by what is configured (a name, an alias) avoids that.
@pytest.mark.tf_policy(id="IAM-ADMIN", severity="error", roots="terraform/*", unknown="report")
def test_no_policy_allows_every_action(tf_plan):
    broad = {
        address
        for address, statement in allowed(tf_plan)
        if "NotAction" in statement or any(re.fullmatch(r"\*|\w+:\*", action) for action in listed(statement["Action"]))
    }
    assert not broad, f"name the actions: {broad}"


@pytest.mark.tf_policy(id="IAM-WRITE-ANYWHERE", severity="error", roots="terraform/*", unknown="report")
def test_no_policy_lets_write_or_delete_on_every_resource(tf_plan):
    reads = re.compile(r"\w+:(Get|List|Describe)|xray:Put")  # X-Ray's actions take no resource
    broad = {
        (address, action)
        for address, statement in allowed(tf_plan)
        if "*" in listed(statement["Resource"])
        for action in listed(statement["Action"])
        if not reads.match(action)
    }
    assert not broad, f"name the resources: {broad}"


@pytest.mark.tf_policy(id="IAM-TRUST", severity="error", roots="terraform/*")
def test_no_role_can_be_assumed_by_everyone(tf_plan):
    anyone = {
        address
        for address, statement in statements(tf_plan, "aws_iam_role", "assume_role_policy")
        if statement["Principal"] in ("*", {"AWS": "*"})
    }
    assert not anyone, f"name the principals: {anyone}"


@pytest.mark.tf_policy(id="TAGS", severity="warning", roots="terraform/*")
def test_everything_that_can_be_tagged_says_whose_it_is(tf_plan):
    required = {"Project", "Environment", "Owner", "CostCentre", "ManagedBy"}
    bare = {
        resource.address: sorted(required - set(resource.after["tags_all"] or {}))
        for resource in kept(tf_plan, None)
        if "tags_all" in resource.after
        if required - set(resource.after["tags_all"] or {})
    }
    assert not bare, f"the provider's default_tags should have set these: {bare}"


@pytest.mark.tf_policy(id="TAGS-ENVIRONMENT", severity="error", roots="terraform/*")
def test_the_environment_is_the_one_that_is_planned(tf_plan):
    # A var file of one environment that is used for another is the mistake that costs most.
    assert tf_plan.variables["environment"] == tf_plan.environment
    named = tf_plan.variables.get("state_bucket", tf_plan.environment)
    assert tf_plan.environment in named, f"reads the state of another environment: {named}"


@pytest.mark.tf_policy(id="NO-ACCOUNT-IDS", severity="error", roots="terraform/**")
def test_no_account_id_is_written_down(tf_configuration):
    written = [
        f"{block.file}:{block.line}"
        for kind in ("resource", "data", "module", "locals", "provider")
        for block in tf_configuration.blocks(kind)
        if ACCOUNT.search(json.dumps(block.body, default=str))
    ]
    assert not written, f"ask data.aws_caller_identity: {written}"
