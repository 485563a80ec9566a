"""What belongs to a group, and what a run of it leaves out."""

from __future__ import annotations

import pytest

from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.errors import UsageError
from pytest_tfpipeline.model import CheckKind, Module, Repository, Root, Suite, Target
from pytest_tfpipeline.pipeline.expected import expected_checks
from pytest_tfpipeline.pipeline.groups import scope_of


def root(name: str, *after: str, modules: tuple[str, ...] = ()) -> Root:
    return Root(f"tf/{name}", name, f"tf/{name}/main.tf", after=after, modules=modules)


def suite(directory: str) -> Suite:
    return Suite(directory, directory.rsplit("/")[-1], f"{directory}/pyproject.toml")


REPOSITORY = Repository(
    "/nowhere",
    roots=(root("net"), root("core", "tf/net"), root("etl", "tf/core", "tf/net", modules=("tf/modules/job",))),
    modules=(Module("tf/modules/job", "job", "tf/modules/job/main.tf"), Module("tf/modules/vpc", "vpc", "x/main.tf")),
    suites=tuple(map(suite, ("lambdas/ingest", "tf/core/tools", "tf/etl/lambdas/a", "tf/modules/job/x", "tf"))),
    environments=("staging",),
)


def config(*groups: dict[str, object]) -> Config:
    return Config.model_validate({"group": list(groups)})


ETL: dict[str, object] = {"name": "etl", "roots": ["tf/etl"]}


def test_a_group_has_its_roots_with_their_modules_and_the_suites_that_are_nobody_elses() -> None:
    scope = scope_of(REPOSITORY, config(ETL), "etl")
    assert scope.judged == {
        "tf/etl",
        "tf/modules/job",
        "lambdas/ingest",
        "tf/etl/lambdas/a",
        "tf/modules/job/x",
        "tf",
    }
    assert scope.not_judged == ("tf/net", "tf/core", "tf/modules/vpc", "tf/core/tools")
    assert scope.read == ("tf/core", "tf/net")


def test_suites_that_it_or_another_group_names() -> None:
    named = {**ETL, "suites": ["lambdas/*"]}
    assert scope_of(REPOSITORY, config(named), "etl").judged >= {"lambdas/ingest", "tf/etl/lambdas/a"}
    assert "tf" not in scope_of(REPOSITORY, config(named), "etl").judged
    core: dict[str, object] = {"name": "core", "roots": ["tf/core"]}
    assert "lambdas/ingest" not in scope_of(REPOSITORY, config(named, core), "core").judged
    assert "lambdas/ingest" in scope_of(REPOSITORY, config(ETL, core), "core").judged


def test_only_checks_and_targets_of_the_group_are_expected() -> None:
    scope = scope_of(REPOSITORY, config(ETL), "etl")
    targets = scope.targets(Target(one.dir, "staging") for one in REPOSITORY.roots)
    assert [target.root for target in targets] == ["tf/etl"]
    checks = scope.checks(expected_checks(REPOSITORY, targets, config(ETL)))
    assert {check.dir for check in checks} == scope.judged
    assert sum(check.kind is CheckKind.PLAN for check in checks) == 1


def test_what_is_not_judged_and_what_is_only_read_is_said() -> None:
    notes = list(scope_of(REPOSITORY, config(ETL), "etl").notes())
    assert notes[0] == "only the group etl is judged; not judged: tf/net, tf/core, tf/modules/vpc, tf/core/tools"
    assert notes[1].startswith("tf/core is not of the group etl: its state is read as it is")
    assert list(scope_of(REPOSITORY, config(ETL), None).notes()) == []


def test_without_a_group_everything_is_judged() -> None:
    scope = scope_of(REPOSITORY, config(ETL), None)
    assert scope.not_judged == ()
    checks = expected_checks(REPOSITORY, [], config(ETL))
    assert scope.checks(checks) == checks


def test_an_unknown_group_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="unknown group `elt`; did you mean `etl`") as caught:
        scope_of(REPOSITORY, config(ETL), "elt")
    assert "known groups: etl" in str(caught.value)
    with pytest.raises(UsageError, match="no group is configured"):
        scope_of(REPOSITORY, Config(), "etl")
