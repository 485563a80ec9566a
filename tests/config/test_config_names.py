"""What the configuration says of environments and groups, against the repository and itself."""

from __future__ import annotations

from itertools import pairwise

import pytest

from pytest_tfpipeline.config.chain import chain, circle
from pytest_tfpipeline.config.check import check_against
from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.errors import ConfigurationError
from pytest_tfpipeline.model import Repository, Root, Suite

REPOSITORY = Repository(
    "/nowhere",
    roots=(Root("tf/core", "core", "tf/core/main.tf"), Root("tf/etl", "etl", "tf/etl/main.tf")),
    suites=(Suite("lambdas/a", "a", "lambdas/a/pyproject.toml"),),
)


def config(**keys: object) -> Config:
    return Config.model_validate({"environments": ["dev", "staging", "production"], **keys})


def after(**pairs: str) -> Config:
    return config(environment={name: {"after": before} for name, before in pairs.items()})


def problem(made: Config) -> str:
    with pytest.raises(ConfigurationError) as caught:
        check_against(made, REPOSITORY)
    return str(caught.value)


def test_a_chain_of_any_length_is_taken_the_nearest_first() -> None:
    names = [f"e{index}" for index in range(40)]
    pairs = {name: {"after": before} for before, name in pairwise(names)}
    made = Config.model_validate({"environments": names, "environment": pairs})
    check_against(made, REPOSITORY)
    assert chain(made, "e39") == tuple(reversed(names[:39]))
    assert chain(made, "e0") == ()


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ({"staging": "staging"}, "staging after staging"),
        ({"staging": "production", "production": "staging"}, "staging after production after staging"),
        (
            {"dev": "staging", "staging": "production", "production": "dev"},
            "dev after staging after production after dev",
        ),
    ],
)
def test_a_circle_is_named_once_and_in_full(pairs: dict[str, str], said: str) -> None:
    text = problem(after(**pairs))
    assert f"these environments come after each other: {said}" in text
    assert text.count("come after each other") == 1


def test_who_only_waits_for_a_circle_is_not_in_it() -> None:
    made = after(dev="staging", staging="production", production="staging")
    assert circle(made, "dev") == ()
    assert chain(made, "dev") == ("staging", "production")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"environment": {"production": {"after": "stagin"}}}, "unknown environment `stagin`; did you mean `staging`?"),
        ({"env_alias": {"pr-*": "stagin"}}, 'env_alias."pr-*": unknown environment `stagin`'),
        ({"env_alias": {"prod*": "staging"}}, "`prod*` also means `production`, which is an environment of its own"),
        ({"group": [{"name": "a", "roots": ["tf/cor"]}]}, "`tf/cor` matches no root; did you mean `tf/core`?"),
        ({"group": [{"name": "a", "roots": ["tf/*"], "suites": ["x/*"]}]}, "`x/*` matches no suite"),
        ({"group": [{"name": "a", "roots": ["tf/*"]}] * 2}, "there is a group called `a` already"),
    ],
)
def test_a_name_that_means_nothing_is_an_error(keys: dict[str, object], said: str) -> None:
    assert said in problem(config(**keys))


@pytest.mark.parametrize(
    ("name", "lender"), [("pr-12", "staging"), ("pr-", "staging"), ("production", None), ("xpr-1", None)]
)
def test_an_alias_lends_rules_and_never_to_an_environment_that_has_its_own(name: str, lender: str | None) -> None:
    made = config(
        env_alias={"pr-*": "staging", "p*": "dev"} if name != "production" else {"p*": "dev"},
        environment={"staging": {"approval": "manual"}},
    )
    assert made.lender(name) == lender
    assert made.environment_config(name).approval == ("manual" if lender == "staging" else "none")
