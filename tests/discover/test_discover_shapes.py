"""Every shape in which repositories keep their environments, recognised without configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from shapes import PARTIAL, PLAIN, SHAPES, WHOLE, Shape

from pytest_tfpipeline.discover.names import is_place, is_usual, parts_of


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_a_shape(describe: Callable[..., Any], shape: Shape) -> None:
    roots = describe(shape.files).roots
    assert {name: root.environments for name, root in roots.items()} == dict(shape.environments)
    nearest = {name: {env: paths[0] for env, paths in root.var_files.items()} for name, root in roots.items()}
    assert {name: files for name, files in nearest.items() if files} == dict(shape.var_files)
    backends = {name: {env: paths[0] for env, paths in root.backend_files.items()} for name, root in roots.items()}
    assert {name: files for name, files in backends.items() if files} == dict(shape.backend_files)
    assert {name: root.workspaces for name, root in roots.items() if root.workspaces} == dict(shape.workspaces)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_it_is_said_why(describe: Callable[..., Any], shape: Shape) -> None:
    assert all(root.grounds for root in describe(shape.files).roots.values())


def test_what_the_configuration_says_is_a_ground_too(describe: Callable[..., Any]) -> None:
    config = {"environments": ["dev"], "root": [{"match": "core", "workspace": "{env}"}]}
    assert describe({"core/main.tf": PLAIN}, config).roots["core"].grounds == (
        "its entry in the configuration has {env}",
    )


def test_what_is_configured_is_not_found_as_well(describe: Callable[..., Any]) -> None:
    files = {"core/main.tf": WHOLE + "locals {\n  n = terraform.workspace\n}\n", "core/dev.tfvars": ""}
    assert describe(files).roots["core"].workspaces == ("dev",)
    config = {"root": [{"match": "core", "backend": ["key={name}/{env}"]}]}
    assert describe(files, config).roots["core"].workspaces == ()


def test_a_lookup_of_something_else_names_no_workspace(describe: Callable[..., Any]) -> None:
    text = 'locals {\n  a = { dev = 1 }\n  b = local.a["dev"]\n  c = terraform.workspace == "x"\n}\n'
    found = describe({"main.tf": WHOLE + text})
    assert found.repository.environments == ()
    assert found.roots["."].workspaces == ()


@pytest.mark.parametrize(
    "name", ["prod", "Prod", "dev2", "uat-1", "prod-eu-west-1", "eu-prod", "staging_blue", "test3"]
)
def test_usual_names(name: str) -> None:
    assert is_usual(name)


@pytest.mark.parametrize("name", ["core", "product", "network-prod", "prod-database", "developer", "1", "v2", "devops"])
def test_names_that_are_not_usual(name: str) -> None:
    assert not is_usual(name)


@pytest.mark.parametrize("name", ["eu-west-1", "us-gov-east-1", "europe-west4", "westeurope", "123456789012"])
def test_places(name: str) -> None:
    assert is_place(name)
    assert not is_usual(name)


def test_parts_of_a_name() -> None:
    assert parts_of("prod") == (None, "prod")
    assert parts_of("vars-prod") == ("", "prod")
    assert parts_of("prod-eu-west-1") == (None, "prod-eu-west-1")
    assert parts_of("core-prod-eu") == ("core", "prod-eu")
    assert parts_of("network") == (None, "network")


def test_another_roots_file_is_not_seen(describe: Callable[..., Any]) -> None:
    files = {"tf/core/main.tf": PLAIN, "tf/net/main.tf": PLAIN, "vars/core-dev.tfvars": ""}
    found = describe(files)
    assert found.roots["tf/net"].var_files == {}
    assert found.repository.candidates == ()


def test_the_files_of_a_root_that_is_called_like_a_place_for_files_are_its_own(describe: Callable[..., Any]) -> None:
    files = {"tf/config/main.tf": PLAIN, "tf/config/dev.tfvars": "", "tf/net/main.tf": PLAIN, "tf/net/dev.tfvars": ""}
    found = describe({**files, "tf/app/main.tf": PLAIN, "tf/config/below/main.tf": PLAIN})
    assert found.roots["tf/config"].var_files == {"dev": ("tf/config/dev.tfvars",)}
    assert found.roots["tf/config/below"].var_files == {"dev": ("tf/config/dev.tfvars",)}
    assert found.roots["tf/net"].var_files == {"dev": ("tf/net/dev.tfvars",)}
    assert found.roots["tf/app"].var_files == {}


def test_a_file_that_is_given_to_nobody_is_said_to_be(describe: Callable[..., Any]) -> None:
    files = {"backends/dev.tfbackend": 'key = "one"\n', "a/main.tf": PARTIAL, "b/main.tf": PARTIAL}
    found = describe({**files, "a/dev.tfvars": "", "b/dev.tfvars": ""})
    assert found.roots["a"].backend_files == {}
    assert found.roots["a"].grounds == (
        "there is a/{env}.tfvars",
        "there is backends/{env}.tfbackend (not taken: it would give several roots one state)",
    )
