"""Each rule of the specification on the smallest tree that it decides, and on the edge beside it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RESOURCE = 'resource "terraform_data" "x" {}\n'
BACKEND = 'terraform {\n  backend "s3" {}\n}\n'
PROVIDER = 'provider "aws" {}\n'
VARIABLE = 'variable "x" {}\n'

CASES = {
    "only variables": ({"a/v.tf": VARIABLE}, "a", "fragment", "1"),
    "only a provider": ({"a/p.tf": PROVIDER}, "a", "fragment", "1"),
    "an output is enough": ({"a/o.tf": 'output "x" {\n  value = 1\n}\n', "b/p.tf": BACKEND}, "a", "root", "7"),
    "a commented resource is none": ({"a/v.tf": f"/*\n{RESOURCE}*/\n# {RESOURCE}"}, "a", "fragment", "1"),
    "a resource in a here-document is none": (
        {"a/v.tf": f"locals {{\n  x = <<-EOT\n{RESOURCE}  EOT\n}}\n"},
        "a",
        "fragment",
        "1",
    ),
    "backend": ({"a/m.tf": BACKEND + RESOURCE}, "a", "root", "2"),
    "backend on one line": ({"a/m.tf": 'terraform { backend "s3" {} }\n' + RESOURCE}, "a", "root", "2"),
    "cloud": ({"a/m.tf": "terraform {\n  cloud {}\n}\n" + RESOURCE}, "a", "root", "2"),
    "backend in JSON": (
        {"a/m.tf.json": '{"terraform": {"backend": {"s3": {}}}, "resource": {"terraform_data": {"x": {}}}}'},
        "a",
        "root",
        "2",
    ),
    "a string that talks of a backend": (
        {"a/m.tf": RESOURCE + 'output "x" {\n  value = "terraform { backend \\"s3\\" {} }"\n}\n'},
        "a",
        "library",
        "7",
    ),
    "backend wins over caller": (
        {"a/m.tf": BACKEND + RESOURCE, "b/m.tf": 'module "a" {\n source = "../a"\n}'},
        "a",
        "root",
        "2",
    ),
    "below templates": ({"templates/a/m.tf": BACKEND + RESOURCE}, "templates/a", "template", "2"),
    "placeholders": (
        {"a/m.tf": 'terraform {\n  backend "s3" {\n    key = "x/$name"\n  }\n}\n' + RESOURCE},
        "a",
        "template",
        "2",
    ),
    "an interpolation is no placeholder": (
        {"a/m.tf": BACKEND + 'resource "terraform_data" "x" {\n  input = "$name ${var.x} $.y"\n}\n'},
        "a",
        "root",
        "2",
    ),
    "called": ({"a/m.tf": RESOURCE, "b/m.tf": 'module "a" {\n  source = "../a"\n}\n' + BACKEND}, "a", "module", "3"),
    "called with a package": (
        {"a/m.tf": RESOURCE, "b/m.tf": 'module "a" {\n  source = "..//a"\n}\n'},
        "a",
        "module",
        "3",
    ),
    "called from JSON": (
        {"a/m.tf": RESOURCE, "b/m.tf.json": '{"module": {"a": {"source": "../a"}}}'},
        "a",
        "module",
        "3",
    ),
    "called by terragrunt": (
        {"a/m.tf": RESOURCE, "b/terragrunt.hcl": 'terraform {\n  source = "..//a"\n}\n'},
        "a",
        "module",
        "3",
    ),
    "called by terragrunt on a condition": (
        {
            "a/m.tf": RESOURCE,
            "b/terragrunt.hcl": 'terraform {\n  source = "${x("P") == "y" ? "git::z//a" : "../a"}"\n}\n',
        },
        "a",
        "module",
        "3",
    ),
    "called by terragrunt from the top": (
        {"a/m.tf": RESOURCE, "b/c/terragrunt.hcl": 'terraform {\n  source = "${get_repo_root()}//a"\n}\n'},
        "a",
        "module",
        "3",
    ),
    "a registry's module is not local": (
        {"a/m.tf": RESOURCE + PROVIDER, "b/m.tf": 'module "a" {\n  source = "a/x/y"\n}\n'},
        "a",
        "root",
        "5",
    ),
    "configuration_aliases": (
        {
            "a/m.tf": RESOURCE
            + 'terraform {\n required_providers {\n  aws = {\n   source = "hashicorp/aws"\n'
            + "   configuration_aliases = [aws.x]\n  }\n }\n}\n"
        },
        "a",
        "module",
        "3",
    ),
    "below modules": ({"modules/a/m.tf": RESOURCE}, "modules/a", "module", "4"),
    "below wrappers": ({"wrappers/m.tf": RESOURCE}, "wrappers", "module", "4"),
    "below modules with a provider": ({"modules/a/m.tf": RESOURCE + PROVIDER}, "modules/a", "root", "5"),
    "an example of a module": ({"modules/a/examples/b/m.tf": RESOURCE}, "modules/a/examples/b", "example", "5"),
    "provider": ({"a/m.tf": RESOURCE + PROVIDER}, "a", "root", "5"),
    "provider in another file": ({"a/m.tf": RESOURCE, "a/p.tofu": PROVIDER}, "a", "root", "5"),
    "tests": ({"tests/setup/m.tf": RESOURCE + PROVIDER}, "tests/setup", "example", "5"),
    "test, the environment": (
        {"x/test/m.tf": RESOURCE + BACKEND, "x/prod/m.tf": RESOURCE + BACKEND},
        "x/test",
        "root",
        "2",
    ),
    "an example with a backend": ({"examples/a/m.tf": RESOURCE + BACKEND}, "examples/a", "example", "2"),
    "tfvars": ({"a/m.tf": RESOURCE, "a/terraform.tfvars": ""}, "a", "root", "5"),
    "tfvars of an example file": ({"a/m.tf": RESOURCE, "a/x.tfvars.example": ""}, "a", "library", "7"),
    "top": ({"main.tf": RESOURCE}, ".", "library", "6"),
    "guessed root": ({"a/m.tf": RESOURCE, "b/m.tf": RESOURCE + PROVIDER}, "a", "root", "7"),
    "guessed library": ({"a/m.tf": RESOURCE, "b/m.tf": RESOURCE}, "a", "library", "7"),
    "OpenTofu hides its namesake": ({"a/m.tf": RESOURCE + BACKEND, "a/m.tofu": VARIABLE}, "a", "fragment", "1"),
    "Windows line ends": ({"a/m.tf": (BACKEND + RESOURCE).replace("\n", "\r\n")}, "a", "root", "2"),
    "byte order mark": ({"a/m.tf": "\ufeff" + BACKEND + RESOURCE}, "a", "root", "2"),
}


@pytest.mark.parametrize(("files", "directory", "kind", "number"), CASES.values(), ids=CASES.keys())
def test_rule(describe: Callable[..., Any], files: dict[str, str], directory: str, kind: str, number: str) -> None:
    found = describe(files)
    assert (found.kind(directory), found.rule(directory)[0]) == (kind, number)
    assert found.rows[directory].guessed == (number == "7")


def test_files_linked_from_another_directory_are_a_fragment(describe: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "a").mkdir()
    (tmp_path / "shared" / "common.tf").write_text(RESOURCE + PROVIDER)
    (tmp_path / "a" / "common.tf").symlink_to("../shared/common.tf")
    found = describe({"a/z.tf": BACKEND})
    assert (found.kind("shared"), found.kind("a")) == ("fragment", "root")
    assert found.roots["a"].anchor == "a/z.tf", "the anchor is a real file"


def test_a_directory_with_one_file_of_its_own_is_no_fragment(describe: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "common.tf").symlink_to("../shared/common.tf")
    found = describe({"shared/common.tf": RESOURCE, "shared/own.tf": PROVIDER})
    assert found.kind("shared") == "root"


def test_include_and_exclude_win(describe: Callable[..., Any]) -> None:
    files = {"modules/a/m.tf": RESOURCE, "old/x/y/m.tf": BACKEND + RESOURCE, "b/m.tf": BACKEND + RESOURCE}
    found = describe(files, {"include": ["modules/*"], "exclude": ["old/x"]})
    assert found.kind("modules/a") == "root"
    assert found.rule("modules/a").startswith("0")
    assert set(found.rows) == {"modules/a", "b"}


@pytest.mark.parametrize("place", [".terraform/modules/x", "node_modules/x", "a/.venv/x", "x/.terragrunt-cache/y"])
def test_installed_things_are_not_looked_at(describe: Callable[..., Any], place: str) -> None:
    found = describe({f"{place}/m.tf": BACKEND + RESOURCE, "real/m.tf": BACKEND + RESOURCE})
    assert set(found.rows) == {"real"}


def test_callers_and_modules_follow_the_calls(describe: Callable[..., Any]) -> None:
    found = describe(
        {
            "root/m.tf": BACKEND + 'module "a" {\n  source = "../lib/a"\n}\n',
            "lib/a/m.tf": 'module "b" {\n  source = "../b/"\n}\n',
            "lib/b/m.tf": RESOURCE,
        }
    )
    assert found.rows["lib/b"].callers == ("lib/a",)
    assert found.roots["root"].modules == ("lib/a", "lib/b")


def test_apply_is_for_roots_with_a_remote_backend_unless_configured(describe: Callable[..., Any]) -> None:
    local = 'terraform {\n  backend "local" {}\n}\n'
    files = {
        "remote/m.tf": BACKEND + RESOURCE,
        "none/m.tf": PROVIDER + RESOURCE,
        "local/m.tf": local + RESOURCE,
        "examples/e/m.tf": BACKEND + RESOURCE,
        "made-local/m.tf": BACKEND + RESOURCE,
        "said/m.tf": PROVIDER + RESOURCE,
        "refused/m.tf": BACKEND + RESOURCE,
    }
    config = {
        "root": [
            {"match": "made-local", "backend": "local"},
            {"match": "said", "apply": True},
            {"match": "refused", "apply": False},
        ]
    }
    found = describe(files, config)
    assert {row.dir for row in found.rows.values() if row.apply} == {"remote", "said"}


def test_what_a_root_declares(describe: Callable[..., Any]) -> None:
    text = """
terraform {
  required_version = ">= 1.5"
  backend "s3" {
    key     = "core/terraform.tfstate" # its place
    encrypt = true
    bucket  = var.bucket
  }
}
variable "needed" { type = string }
variable "given" {
  type        = list(object({ a = optional(string, "}") }))
  default     = []
  description = "With a \\"quote\\""
}
"""
    root = describe({"core/main.tf": text + RESOURCE}).roots["core"]
    assert root.required_version == ">= 1.5"
    assert root.backend_config == {"key": "core/terraform.tfstate", "encrypt": "true"}
    assert [(v.name, v.required, v.description) for v in root.variables] == [
        ("given", False, 'With a "quote"'),
        ("needed", True, ""),
    ]


def test_the_anchor_is_main_or_the_first_file(describe: Callable[..., Any]) -> None:
    found = describe({"a/z.tf": RESOURCE, "a/main.tf": BACKEND, "b/z.tf": RESOURCE, "b/c.tf": BACKEND})
    assert (found.roots["a"].anchor, found.roots["b"].anchor) == ("a/main.tf", "b/c.tf")
