"""Nothing is reached from the internet, and what goes through the network is on record."""

import pytest

from planned import kept

ANYWHERE = {"0.0.0.0/0", "::/0"}


def sources(rule):
    """The address ranges that a rule block of a security group lets in."""
    return {*(rule.get("cidr_blocks") or []), *(rule.get("ipv6_cidr_blocks") or [])}


@pytest.mark.tf_policy(id="NET-INGRESS", severity="error", roots="terraform/*")
def test_no_security_group_lets_the_internet_in(tf_plan):
    open_groups = {
        group.address
        for kind in ("aws_security_group", "aws_default_security_group")
        for group in kept(tf_plan, kind)
        for rule in group.after.get("ingress") or []
        if sources(rule) & ANYWHERE
    }
    open_groups |= {
        rule.address
        for rule in kept(tf_plan, "aws_vpc_security_group_ingress_rule")
        if {rule.after.get("cidr_ipv4"), rule.after.get("cidr_ipv6")} & ANYWHERE
    }
    assert not open_groups, f"name the address ranges or the security group that may come in: {open_groups}"


@pytest.mark.tf_policy(id="NET-PUBLIC-IP", severity="error", roots="terraform/*")
def test_no_subnet_gives_out_public_addresses(tf_plan):
    public = [subnet.address for subnet in kept(tf_plan, "aws_subnet") if subnet.after.get("map_public_ip_on_launch")]
    assert not public, f"this platform has no public subnets: {public}"


@pytest.mark.tf_policy(id="NET-FLOW-LOGS", severity="error", roots="terraform/networking")
def test_every_vpc_has_flow_logs_of_all_traffic(tf_plan):
    logs = [log for log in kept(tf_plan, "aws_flow_log") if log.after["traffic_type"] == "ALL"]
    assert len(logs) >= len(kept(tf_plan, "aws_vpc")), "add an aws_flow_log with traffic_type = ALL"


@pytest.mark.tf_policy(id="NET-DEFAULT-GROUP", severity="error", roots="terraform/networking")
def test_the_default_security_group_lets_nothing_through(tf_plan):
    groups = kept(tf_plan, "aws_default_security_group")
    assert len(groups) == len(kept(tf_plan, "aws_vpc")), "manage each VPC's aws_default_security_group, without rules"
