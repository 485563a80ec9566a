from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_tfpipeline.discover.graph import order, topological, waves
from pytest_tfpipeline.errors import ConfigurationError, DiscoveryError


def root(backend: str, settings: str = "", *reads: tuple[str, str]) -> str:
    text = f'terraform {{\n  backend "{backend}" {{\n{settings}\n  }}\n}}\nresource "terraform_data" "x" {{}}\n'
    for number, (kind, config) in enumerate(reads):
        text += (
            f'data "terraform_remote_state" "s{number}" {{\n  backend = "{kind}"\n  config = {{\n{config}\n  }}\n}}\n'
        )
    return text


MATCHES = {
    "s3": ("s3", 'bucket = "b"\nkey = "core"', 'bucket = "b"\nkey = "core"\nregion = "eu-west-2"', True),
    "s3, Windows line ends": ("s3", 'bucket = "b"\r\nkey = "core"\r', 'bucket = "b"\r\nkey = "core"\r', True),
    "s3, another key": ("s3", 'bucket = "b"\nkey = "core"', 'bucket = "b"\nkey = "cor"', False),
    "s3, another bucket": ("s3", 'bucket = "b"\nkey = "core"', 'bucket = "c"\nkey = "core"', False),
    "s3, bucket from elsewhere": ("s3", 'key = "core"', 'bucket = var.bucket\nkey = "core"', True),
    "s3, interpolated bucket": ("s3", 'bucket = "b-prod"\nkey = "core"', 'bucket = "b-${var.env}"\nkey = "core"', True),
    "s3, interpolated key": ("s3", 'key = "prod/core"', 'key = "${var.env}/core"', True),
    "s3, interpolation is no slash": ("s3", 'key = "a/prod/core"', 'key = "${var.env}/core"', False),
    "s3, all from a variable": ("s3", 'key = "core"', "key = var.key", False),
    "s3, no key": ("s3", 'bucket = "b"', 'bucket = "b"\nkey = "core"', False),
    "gcs": ("gcs", 'bucket = "b"\nprefix = "core"', 'bucket = "b"\nprefix = "core"', True),
    "azurerm": ("azurerm", 'container_name = "c"\nkey = "core"', 'container_name = "c"\nkey = "core"', True),
    "azurerm, another container": (
        "azurerm",
        'container_name = "c"\nkey = "k"',
        'container_name = "d"\nkey = "k"',
        False,
    ),
    "local": ("local", "", 'path = "../core/terraform.tfstate"', True),
    "local, by module": ("local", 'path = "s.tfstate"', 'path = "${path.module}/../core/s.tfstate"', True),
    "local, in a workspace": ("local", "", 'path = "../core/terraform.tfstate.d/${var.env}/terraform.tfstate"', True),
    "local, another": ("local", "", 'path = "../core/other.tfstate"', False),
}


@pytest.mark.parametrize(("backend", "settings", "config", "expected"), MATCHES.values(), ids=MATCHES.keys())
def test_a_remote_state_makes_a_dependency(
    describe: Callable[..., Any], backend: str, settings: str, config: str, expected: bool
) -> None:
    reader = root(backend, 'key = "etl"\nprefix = "etl"\npath = "etl"', (backend, config))
    found = describe({"core/main.tf": root(backend, settings), "etl/main.tf": reader})
    assert found.roots["etl"].after == (("core",) if expected else ())
    assert found.roots["core"].after == ()


def test_the_key_may_stand_only_in_the_configuration(describe: Callable[..., Any]) -> None:
    files = {
        "core/main.tf": root("s3"),
        "net/main.tf": root("s3"),
        "etl/main.tf": root("s3", "", ("s3", 'key = "core/${terraform.workspace}.tfstate"')),
    }
    found = describe(files, {"root": [{"match": "*", "backend": ["key={name}/{env}.tfstate"]}]})
    assert found.roots["etl"].after == ("core",)


def test_a_state_that_could_be_of_two_roots_is_a_note(describe: Callable[..., Any]) -> None:
    files = {
        "a/main.tf": root("s3", 'key = "prod/core"'),
        "b/main.tf": root("s3", 'key = "stage/core"'),
        "etl/main.tf": root("s3", 'key = "etl"', ("s3", 'key = "${var.env}/core"')),
    }
    found = describe(files)
    assert found.roots["etl"].after == ()
    (note,) = found.repository.notes
    assert "etl/main.tf:7" in note
    assert "a, b" in note


def test_the_root_of_the_same_environment_is_meant(describe: Callable[..., Any]) -> None:
    files = {
        f"live/{env}/{name}/main.tf": root("s3", f'key = "{env}/{name}"', *reads)
        for env in ("stage", "prod")
        for name, reads in (("db", ()), ("app", (("s3", 'key = "${var.env}/db"'),)))
    }
    assert describe(files).roots["live/prod/app"].after == ("live/prod/db",)


def test_a_state_that_is_read_in_a_module_counts(describe: Callable[..., Any]) -> None:
    read = 'data "terraform_remote_state" "s" {\n  backend = "s3"\n  config = { key = "core" }\n}\n'
    files = {
        "core/main.tf": root("s3", 'key = "core"'),
        "etl/main.tf": root("s3", 'key = "etl"') + 'module "m" {\n  source = "../modules/m"\n}\n',
        "modules/m/main.tf": read,
    }
    assert describe(files).roots["etl"].after == ("core",)


def test_declared_dependencies_by_name_and_by_directory(describe: Callable[..., Any]) -> None:
    files = {f"t/{name}/main.tf": root("s3") for name in ("core", "etl", "net")}
    config = {"root": [{"match": "t/etl", "after": ["core", "t/net"]}, {"match": "t/net", "after": ["core"]}]}
    found = describe(files, config)
    assert found.roots["t/etl"].after == ("t/core", "t/net")
    assert [item.dir for item in found.repository.roots] == ["t/core", "t/net", "t/etl"]


def test_a_dependency_on_no_root_is_a_configuration_error(describe: Callable[..., Any]) -> None:
    files = {"core/main.tf": root("s3"), "etl/main.tf": root("s3")}
    with pytest.raises(ConfigurationError, match=r"`cor`.*did you mean `core`"):
        describe(files, {"root": [{"match": "etl", "after": ["cor"]}]})


def test_an_ambiguous_name_is_a_configuration_error(describe: Callable[..., Any]) -> None:
    files = {"a/db/main.tf": root("s3"), "b/db/main.tf": root("s3"), "etl/main.tf": root("s3")}
    with pytest.raises(ConfigurationError, match=r"a/db, b/db"):
        describe(files, {"root": [{"match": "etl", "after": ["db"]}]})


def test_a_declared_cycle_is_named_in_full(describe: Callable[..., Any]) -> None:
    files = {f"{name}/main.tf": root("s3") for name in "abcd"}
    config = {"root": [{"match": x, "after": [y]} for x, y in ("ab", "bc", "ca", "da")]}
    with pytest.raises(DiscoveryError, match="a -> b -> c -> a"):
        describe(files, config)


def test_roots_that_read_each_other_go_on_and_are_named(describe: Callable[..., Any]) -> None:
    files = {
        "a/main.tf": root("s3", 'key = "a"', ("s3", 'key = "b"')),
        "b/main.tf": root("s3", 'key = "b"', ("s3", 'key = "a"')),
        "c/main.tf": root("s3", 'key = "c"', ("s3", 'key = "a"')),
    }
    found = describe(files)
    assert "a -> b -> a" in found.repository.notes[0]
    assert found.roots["c"].after == ("a",)
    ordered = describe(files, {"root": [{"match": "b", "after": ["a"]}]})
    assert (ordered.roots["a"].after, ordered.roots["b"].after) == ((), ("a",))


def test_waves_are_stable_and_ignore_what_is_not_there() -> None:
    after = {"z": [], "b": ["z"], "a": ["z", "gone"], "y": [], "c": ["a", "y"]}
    assert waves(after) == (("y", "z"), ("a", "b"), ("c",))
    assert topological(after) == ("y", "z", "a", "b", "c")
    assert waves({}) == ()


def test_only_the_inferred_part_of_a_mixed_cycle_gives_way() -> None:
    found = order({"a": ["b"], "b": ["c"], "c": []}, {"a": [], "b": [], "c": ["a"]})
    assert found.roots == ("c", "b", "a")
    assert found.cycles == (("a", "b", "c", "a"),)
