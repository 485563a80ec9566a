from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_tfpipeline.discover.varfiles import index_var_files

ROOT = 'terraform {\n  backend "s3" {}\n}\nresource "terraform_data" "x" {}\n'

PLACES = {
    "beside": "terraform/core/staging.tfvars",
    "JSON": "terraform/core/staging.tfvars.json",
    "etc": "terraform/core/etc/staging.tfvars",
    "config above": "terraform/config/staging.tfvars",
    "environments two above": "environments/staging.tfvars",
    "a directory by environment": "terraform/environments/staging/staging.tfvars",
    "a directory by environment, terraform.tfvars": "terraform/env/staging/terraform.tfvars",
}


@pytest.mark.parametrize("path", PLACES.values(), ids=PLACES.keys())
def test_places(describe: Callable[..., Any], path: str) -> None:
    found = describe({"terraform/core/main.tf": ROOT, path: ""})
    assert found.repository.environments == ("staging",)
    assert found.roots["terraform/core"].environments == ("staging",)
    index = index_var_files([path], {"terraform/core"}, ["terraform/core"])
    assert index.of("terraform/core", "staging") == (path,)


@pytest.mark.parametrize("path", ["a/b/c/core/x/staging.tfvars", "a/staging.tfvars", "a/b/other/staging.tfvars"])
def test_not_places(describe: Callable[..., Any], path: str) -> None:
    found = describe({"a/b/c/core/main.tf": ROOT, path: ""})
    assert found.repository.environments == ()


def test_the_nearest_var_file_wins() -> None:
    paths = ["config/prod.tfvars", "terraform/prod.tfvars", "terraform/core/vars/prod.tfvars"]
    index = index_var_files(paths, {"terraform/core", "terraform/etl"}, ["terraform/core", "terraform/etl"])
    assert index.of("terraform/core", "prod") == (
        "terraform/core/vars/prod.tfvars",
        "terraform/prod.tfvars",
        "config/prod.tfvars",
    )
    assert index.of("terraform/etl", "prod")[0] == "terraform/prod.tfvars"
    assert index.of("terraform/etl", "staging") == ()


def test_names_that_count_and_names_that_do_not(describe: Callable[..., Any]) -> None:
    found = describe(
        {
            "a/main.tf": ROOT,
            "b/main.tf": ROOT,
            "a/production.tfvars": "",
            "a/staging.tfvars": "",
            "a/emea.tfvars": "",
            "b/emea.tfvars": "",
            "a/common.tfvars": "",
            "b/common.tfvars": "",
            "a/network.tfvars": "",
            "a/terraform.tfvars": "",
            "a/dev.auto.tfvars": "",
        }
    )
    assert found.repository.environments == ("emea", "staging", "production")
    assert found.repository.candidates == ("common", "network")
    assert found.roots["b"].environments == ("emea",)


def test_a_directory_by_environment(describe: Callable[..., Any]) -> None:
    found = describe(
        {
            "live/prod/db/main.tf": ROOT,
            "live/stage/db/main.tf": ROOT,
            "app/envs/development/main.tf": ROOT,
            "app/envs/production/main.tf": ROOT,
            "app/envs/shared/main.tf": ROOT,
            "net/main.tf": ROOT,
        }
    )
    by_root = {root.dir: root.environments for root in found.repository.roots}
    assert by_root["live/prod/db"] == ("prod",)
    assert by_root["live/stage/db"] == ("stage",)
    assert by_root["app/envs/production"] == ("production",)
    assert by_root["net"] == found.repository.environments == ("development", "stage", "prod", "production")
    assert by_root["app/envs/shared"] == ()
    assert found.repository.candidates == ("shared",)


def test_a_root_among_environments_is_in_none_unless_configured(describe: Callable[..., Any]) -> None:
    """`wifi` beside `staging` is production under another name: it must not be applied as staging."""
    files = {"govwifi/staging/main.tf": ROOT, "govwifi/wifi/main.tf": ROOT}
    assert describe(files).roots["govwifi/wifi"].environments == ()
    config = {"root": [{"match": "govwifi/wifi", "environments": ["production"]}]}
    found = describe(files, config)
    assert found.roots["govwifi/wifi"].environments == ("production",)
    assert found.repository.environments == ("staging", "production")


def test_a_lone_testing_directory_is_no_environment(describe: Callable[..., Any]) -> None:
    found = describe({"environments/testing/main.tf": ROOT, "environments/orders/main.tf": ROOT})
    assert found.repository.environments == ()


def test_configured_environments_are_the_only_ones(describe: Callable[..., Any]) -> None:
    files = {"a/main.tf": ROOT, "a/dev.tfvars": "", "a/staging.tfvars": "", "b/main.tf": ROOT, "env/dev/main.tf": ROOT}
    found = describe(files, {"environments": ["staging", "production"]})
    assert found.repository.environments == ("staging", "production")
    assert found.roots["a"].environments == ("staging",)
    assert found.roots["b"].environments == ("staging", "production")
    assert found.roots["env/dev"].environments == ()


def test_an_example_is_only_in_emulated_environments(describe: Callable[..., Any]) -> None:
    files = {"examples/a/main.tf": 'provider "aws" {}\n' + ROOT, "b/main.tf": ROOT}
    config = {"environments": ["staging", "production"], "environment": {"staging": {"emulator": "aws"}}}
    assert describe(files, config).roots["examples/a"].environments == ("staging",)


def test_a_lone_directory_is_its_own_environment_and_no_other_roots(describe: Callable[..., Any]) -> None:
    files = {"accounts/stage/main.tf": ROOT, "net/main.tf": ROOT, "dns/main.tf": ROOT}
    found = describe(files)
    assert found.roots["accounts/stage"].environments == found.repository.environments == ("stage",)
    assert (found.roots["net"].environments, found.roots["net"].beside) == ((), True)
    assert found.roots["net"].grounds == (found.repository.lone,)
    assert found.repository.lone == "only accounts/stage is called like an environment"
    assert describe(files, {"environments": ["stage"]}).roots["net"].environments == ("stage",)
    assert describe(files, {"environment": {"stage": {}}}).roots["net"].environments == ("stage",)


def test_two_directories_or_a_file_are_the_other_roots_too(describe: Callable[..., Any]) -> None:
    files = {"a/stage/main.tf": ROOT, "b/stage/main.tf": ROOT, "net/main.tf": ROOT}
    assert describe(files).roots["net"].environments == ("stage",)


def test_a_var_file_beside_a_lone_directory(describe: Callable[..., Any]) -> None:
    files = {"a/stage/main.tf": ROOT, "app/main.tf": ROOT, "app/stage.tfvars": "", "net/main.tf": ROOT}
    assert describe(files).roots["net"].environments == ("stage",)


def test_a_directory_without_another_root_needs_no_word(describe: Callable[..., Any]) -> None:
    assert describe({"prod/main.tf": ROOT, "modules/a/main.tf": ""}).repository.lone == ""


@pytest.mark.parametrize(
    ("names", "lone"), [(("prod",), "core holds terraform.workspace against prod alone"), (("dev", "prod"), "")]
)
def test_one_compared_name_means_that_there_are_others(
    describe: Callable[..., Any], names: tuple[str, ...], lone: str
) -> None:
    compared = "".join(f'locals {{\n  is_{name} = terraform.workspace == "{name}"\n}}\n' for name in names)
    found = describe({"core/main.tf": ROOT + compared, "net/main.tf": ROOT})
    assert found.repository.lone == lone
    assert found.roots["core"].environments == names
    assert found.roots["net"].environments == (() if lone else names)


def test_a_file_to_be_copied_is_no_environments(describe: Callable[..., Any]) -> None:
    names = ("dev.example", "common.auto.example", "prod.Sample", "terraform.template")
    files = {f"{root}/{name}.tfvars": "" for name in names for root in ("a", "b")}
    found = describe({"a/main.tf": ROOT, "b/main.tf": ROOT, "a/dev.tfvars": "", **files})
    assert found.repository.environments == ("dev",)
    assert found.repository.candidates == ()
    assert found.roots["a"].var_files == {"dev": ("a/dev.tfvars",)}
