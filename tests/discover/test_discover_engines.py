"""Which directories OpenTofu runs, and what is read where."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_tfpipeline.config.keys import ToolsConfig
from pytest_tfpipeline.config.load import load_config
from pytest_tfpipeline.discover import discover
from pytest_tfpipeline.discover.engines import configuration, configured, readable, tofu_directories
from pytest_tfpipeline.model import Repository
from pytest_tfpipeline.process import Runner

TF, LOCK = "a/main.tf", "a/.terraform.lock.hcl"
TOFU_LOCK = 'provider "registry.opentofu.org/hashicorp/time" {\n}\n'
TERRAFORM_LOCK = 'provider "registry.terraform.io/hashicorp/time" {\n}\n'
BOTH = "terraform 1.14.4\nopentofu 1.11.4\n"
REQUIRES = 'terraform {{\n  required_version = "{}"\n}}\n'


def written(top: Path, files: Mapping[str, str]) -> list[str]:
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return list(files)


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({TF: ""}, {}),
        ({"README.md": ""}, {}),
        ({TF: "", "a/x.tofu": ""}, {"a": "a/x.tofu"}),
        ({"a/x.tofu.json": "{}"}, {"a": "a/x.tofu.json"}),
        ({TF: "", ".opentofu-version": "1.9.0"}, {"a": ".opentofu-version"}),
        ({TF: "", ".tool-versions": "nodejs 20\nopentofu 1.9.0 # here\n"}, {"a": ".tool-versions"}),
        ({TF: "", ".tool-versions": "terraform 1.9.0\n# opentofu 1.9.0\n"}, {}),
        ({TF: "", ".tool-versions": "terraform 1.9.0\ntofu 1.9.0\n"}, {"a": ".tool-versions"}),
        # Where a version file names both, `required_version` tells, if only one of the versions is allowed.
        (
            {
                TF: REQUIRES.format("1.14.4"),
                "b/x.tf": REQUIRES.format("~> 1.11.0"),
                "c/x.tf": "",
                ".tool-versions": BOTH,
            },
            {"b": ".tool-versions"},
        ),
        ({TF: REQUIRES.format("1.14.4"), "c/x.tf": "", ".tool-versions": BOTH}, {}),
        ({TF: REQUIRES.format("1.11.4"), "c/x.tf": "", ".tool-versions": BOTH}, dict.fromkeys("ac", ".tool-versions")),
        ({TF: REQUIRES.format(">= 1.3"), ".tool-versions": BOTH}, {"a": ".tool-versions"}),
        ({TF: REQUIRES.format("${x}"), ".tool-versions": BOTH}, {"a": ".tool-versions"}),
        (
            {TF: REQUIRES.format("1.14.4"), ".terraform-version": "1.14.4\n", ".opentofu-version": "1.11.4\n"},
            {},
        ),
        ({TF: "", "a/.terraform-version": "1.9.0", ".opentofu-version": "1.9.0"}, {}),
        ({TF: "", "a/x.tofu": "", ".terraform-version": "1.9.0"}, {}),
        ({"a/x.tofu": "", ".terraform-version": "1.9.0"}, {"a": "a/x.tofu"}),
        ({TF: "", LOCK: TOFU_LOCK}, {"a": LOCK}),
        ({TF: "", LOCK: TERRAFORM_LOCK}, {}),
        ({TF: "", LOCK: TERRAFORM_LOCK + TOFU_LOCK}, {}),
        ({TF: "", "a/x.tofu": "", LOCK: TERRAFORM_LOCK}, {"a": "a/x.tofu"}),
        # What nothing speaks of goes with the others, where they are of one mind.
        ({TF: "", LOCK: TOFU_LOCK, "b/main.tf": "", "c/main.tf": ""}, dict.fromkeys("abc", LOCK)),
        ({TF: "", LOCK: TOFU_LOCK, "b/main.tf": "", "b/.terraform-version": "1.9.0", "c/m.tf": ""}, {"a": LOCK}),
        ({TF: "", "a/x.tofu": "", "b/main.tf": ""}, dict.fromkeys("ab", "a/x.tofu")),
        ({TF: "", "a/x.tofu": "", "b/main.tf": "", "c/main.tf": ""}, {"a": "a/x.tofu"}),
        ({TF: "", "a/tests/x.tofutest.hcl": ""}, {"a": "a/tests/x.tofutest.hcl"}),
        ({TF: "", "a/x.tofutest.json": "", ".terraform-version": "1.9.0"}, {}),
    ],
)
def test_which_directories_opentofu_runs(tmp_path: Path, files: dict[str, str], found: dict[str, str]) -> None:
    assert tofu_directories(tmp_path, written(tmp_path, files), ToolsConfig()) == found


@pytest.mark.parametrize(
    ("tools", "program", "found"),
    [
        ({"terraform": "tofu"}, "tofu", dict.fromkeys("abc", "the configuration")),
        ({"terraform": "tofu", "tofu": "1.9.0"}, "tofu", dict.fromkeys("abc", "the configuration")),
        ({"tofu": "1.9.0"}, "tofu", dict.fromkeys("abc", "the configuration")),
        ({"terraform": "1.9.0"}, "terraform", {"c": "c/x.tofu"}),
        ({"terraform": "1.9.0", "tofu": "1.9.0"}, None, {"b": ".b", "c": "c/x.tofu"}),
    ],
)
def test_the_configuration_stands_above_the_files(
    tmp_path: Path, tools: dict[str, str], program: str | None, found: dict[str, str]
) -> None:
    files = written(tmp_path, {"a/m.tf": "", "a/.terraform-version": "1", "b/m.tf": "", "b/n.tofu": "", "c/x.tofu": ""})
    said = ToolsConfig.model_validate(tools)
    assert configured(said) == program
    expected = {folder: "b/n.tofu" if why == ".b" else why for folder, why in found.items()}
    assert tofu_directories(tmp_path, files, said) == expected


def test_what_only_opentofu_reads_is_there_for_it_alone() -> None:
    names = ["a.tf", "a.tofu", "b.tf.json", "b.tofu.json", "c.tf", "c.tofu.json", "d.tofu", "e.tfvars", "a.tftest.hcl"]
    assert configuration(names, tofu=False) == ["a.tf", "b.tf.json", "c.tf"]
    assert configuration(names, tofu=True) == ["a.tofu", "b.tofu.json", "c.tf", "c.tofu.json", "d.tofu"]
    assert readable(["x/a.tf", "x/a.tofu", "y/a.tofu", "a.tofu.json"], {"x": ""}) == ["x/a.tf", "x/a.tofu"]


BACKEND = 'terraform {\n  backend "s3" {}\n}\n'
CALL = 'module "shared" {\n  source = "../shared"\n}\n'
OUTPUT = 'output "a" {\n  value = 1\n}\n'


def described(top: Path, files: Mapping[str, str]) -> Repository:
    written(top, files)
    (top / ".git").mkdir()
    return discover(top, load_config(top, None), None, Runner())


def test_a_module_for_both_goes_with_those_who_call_it(tmp_path: Path) -> None:
    shared = {"shared/m.tf": OUTPUT, "shared/n.tf": OUTPUT.replace("a", "n"), "shared/m.tofu": OUTPUT}
    roots = {f"{name}/main.tf": BACKEND + CALL for name in ("one", "two", "three")}
    assert described(tmp_path / "by-terraform", {**shared, **roots}).tofu == {}
    with_tofu = {**shared, **roots, "two/extra.tofu": OUTPUT}
    assert described(tmp_path / "by-one", with_tofu).tofu == dict.fromkeys(
        ("one", "three", "two", "shared"), "shared/m.tofu"
    ) | {"two": "two/extra.tofu"}


def test_terraform_never_sees_what_only_opentofu_reads(tmp_path: Path) -> None:
    files = {"app/main.tf": BACKEND + OUTPUT, "app/main.tofu": OUTPUT + 'variable "only" {}\n'}
    files["app/providers.tf"] = 'provider "time" {}\n'
    (tofu,) = described(tmp_path / "tofu", files).roots
    assert ([variable.name for variable in tofu.variables], tofu.backend) == (["only"], None)
    (terraform,) = described(tmp_path / "terraform", {**files, ".terraform-version": "1.9.0\n"}).roots
    assert (terraform.variables, terraform.backend) == ((), "s3")
