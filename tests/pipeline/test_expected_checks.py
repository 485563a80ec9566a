"""Which checks a run must have."""

from __future__ import annotations

from itertools import permutations

import pytest

from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.model import Check, CheckKind, Module, Repository, Root, Suite, Target
from pytest_tfpipeline.pipeline.expected import expected_checks, plan_check_id

REPOSITORY = Repository(
    "/nowhere",
    roots=(Root("tf/core", "core", "tf/core/main.tf"), Root("tf/net", "net", "tf/net/net.tf")),
    modules=(Module("tf/modules/b", "b", "tf/modules/b/main.tf"),),
    suites=(Suite("lambdas/a", "a", "lambdas/a/pyproject.toml"),),
    environments=("staging", "production"),
)
STATIC = [
    "tf/core/main.tf::fmt",
    "tf/core/main.tf::lint",
    "tf/core/main.tf::validate",
    "tf/core/main.tf::policy",
]


def ids(*targets: Target) -> list[str]:
    return [check.id for check in expected_checks(REPOSITORY, targets, Config())]


def test_without_targets_every_static_check_is_expected_in_order() -> None:
    assert ids() == [
        *STATIC,
        "tf/net/net.tf::fmt",
        "tf/net/net.tf::lint",
        "tf/net/net.tf::validate",
        "tf/net/net.tf::policy",
        "tf/modules/b/main.tf::fmt",
        "tf/modules/b/main.tf::lint",
        "tf/modules/b/main.tf::policy",
        "lambdas/a/pyproject.toml::lint",
        "lambdas/a/pyproject.toml::unit",
    ]


def test_a_target_adds_its_plan_and_the_policy_on_it_right_after_its_root() -> None:
    found = ids(Target("tf/core", "staging"))
    assert found[:7] == [
        *STATIC,
        "tf/core/main.tf::plan[staging]",
        "tf/core/main.tf::policy[staging]",
        "tf/net/net.tf::fmt",
    ]
    assert not any("tf/net" in name and "[" in name for name in found)


def test_the_order_is_the_repositorys_whatever_order_was_asked_for() -> None:
    targets = [Target(root, name) for root in ("tf/core", "tf/net") for name in ("production", "staging")]
    orders = {tuple(ids(*order)) for order in permutations(targets)}
    assert len(orders) == 1
    assert [name for name in orders.pop() if "core" in name and "[" in name] == [
        "tf/core/main.tf::plan[staging]",
        "tf/core/main.tf::policy[staging]",
        "tf/core/main.tf::plan[production]",
        "tf/core/main.tf::policy[production]",
    ]


def test_a_check_knows_its_kind_directory_and_environment() -> None:
    checks = expected_checks(REPOSITORY, (Target("tf/core", "staging"),), Config())
    assert Check("tf/core/main.tf::policy[staging]", CheckKind.POLICY, "tf/core", "staging") in checks
    assert Check("tf/core/main.tf::policy", CheckKind.POLICY, "tf/core", None) in checks
    assert len({check.id for check in checks}) == len(checks)


def test_the_id_of_a_plan_is_that_of_its_expected_check() -> None:
    assert plan_check_id(REPOSITORY, "tf/net", "staging") in ids(Target("tf/net", "staging"))
    with pytest.raises(KeyError):
        plan_check_id(REPOSITORY, "tf/gone", "staging")


def test_native_tests_are_expected_in_every_run_unless_the_configuration_leaves_them_out() -> None:
    files = ("tf/core/a.tftest.hcl", "tf/core/tests/b.tftest.hcl")
    repository = Repository(
        "/nowhere",
        roots=(Root("tf/core", "core", "tf/core/main.tf", tests=files),),
        modules=(Module("m", "m", "m/main.tf", tests=("m/c.tftest.hcl",)),),
    )
    config = Config.model_validate_json('{"test": [{"match": "tf/**/b.*", "run": false}]}')
    wanted = ["tf/core/main.tf::test[a.tftest.hcl]", "m/main.tf::test[c.tftest.hcl]"]
    for targets in ((), (Target("tf/core", "staging"),)):
        found = [check for check in expected_checks(repository, targets, config) if check.kind is CheckKind.TFTEST]
        assert [check.id for check in found] == wanted
        assert {check.environment for check in found} == {None}
    everything = expected_checks(repository, (), Config())
    assert "tf/core/main.tf::test[tests/b.tftest.hcl]" in [check.id for check in everything]
