"""Files of native tests: whose they are, what their run blocks say, and which providers those would really use."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.discover.nativetests import RunBlock, place_of_tests, read_test_file
from pytest_tfpipeline.discover.realproviders import Modules, real_providers
from pytest_tfpipeline.errors import DiscoveryError

RESOURCE = 'resource "terraform_data" "it" {}\n'
PLAN = 'run "it" {\n  command = plan\n}\n'
AWS = "registry.terraform.io/hashicorp/aws"


def write(top: Path, files: Mapping[str, str | bytes]) -> None:
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def calling(source: str) -> str:
    return f'run "it" {{\n  module {{\n    source = "{source}"\n  }}\n}}\n'


def test_a_file_belongs_to_the_nearest_directory_with_terraform(describe: Callable[..., Any]) -> None:
    found = describe(
        {
            "modules/a/main.tf": RESOURCE,
            "modules/a/beside.tftest.hcl": PLAN,
            "modules/a/tests/below.tftest.hcl": PLAN,
            "modules/a/tests/unit/further.tftest.json": '{"run": {"it": {"command": "plan"}}}',
            "tests/nowhere.tftest.hcl": PLAN,
            "node_modules/b/main.tf": RESOURCE,
            "node_modules/b/its.tftest.hcl": PLAN,
        }
    )
    assert found.repository.tests == {
        "modules/a": (
            "modules/a/beside.tftest.hcl",
            "modules/a/tests/below.tftest.hcl",
            "modules/a/tests/unit/further.tftest.json",
        )
    }
    assert found.repository.notes == (
        "tests/nowhere.tftest.hcl is not run: no root or module is in its directory or above it",
    )


def test_opentofu_reads_its_own_files_in_the_place_of_those_for_both(describe: Callable[..., Any]) -> None:
    files = {
        f"{directory}/{name}": PLAN
        for directory in ("modules/ours", "modules/theirs")
        for name in ("a.tftest.hcl", "tests/a.tofutest.hcl", "tests/a.tftest.hcl", "tests/b.tofutest.json")
    }
    found = describe(
        {
            "modules/ours/main.tofu": RESOURCE,
            "modules/theirs/main.tf": RESOURCE,
            "modules/theirs/.terraform-version": "1.11.4",
            **files,
        }
    )
    assert found.repository.tests == {
        "modules/ours": (
            "modules/ours/a.tftest.hcl",
            "modules/ours/tests/a.tofutest.hcl",
            "modules/ours/tests/b.tofutest.json",
        ),
        "modules/theirs": ("modules/theirs/a.tftest.hcl", "modules/theirs/tests/a.tftest.hcl"),
    }


@pytest.mark.parametrize(
    ("file", "directory", "expected"),
    [
        ("a/x.tftest.hcl", "a", "tests"),
        ("a/tests/x.tftest.hcl", "a", "tests"),
        ("tests/unit/x.tftest.hcl", ".", "tests/unit"),
    ],
)
def test_terraform_is_told_where_the_file_is(file: str, directory: str, expected: str) -> None:
    assert place_of_tests(file, directory) == expected


def test_helper_modules_beside_the_tests_do_not_make_the_file_theirs(describe: Callable[..., Any]) -> None:
    found = describe(
        {
            "modules/a/main.tf": RESOURCE,
            "modules/a/tests/main.tf": RESOURCE,
            "modules/a/tests/it.tftest.hcl": calling("./tests"),
        }
    )
    assert found.repository.tests == {"modules/a": ("modules/a/tests/it.tftest.hcl",)}
    assert found.kind("modules/a/tests") == "module"


def test_a_configuration_that_lies_in_tests_has_its_own(describe: Callable[..., Any]) -> None:
    found = describe(
        {
            "main.tf": RESOURCE,
            "tests/main.tf": 'module "it" {\n  source = "../"\n}\n',
            "tests/it.tftest.hcl": PLAN,
        }
    )
    assert found.repository.tests == {"tests": ("tests/it.tftest.hcl",)}


def test_only_what_is_there_for_tests_alone_becomes_a_module(describe: Callable[..., Any]) -> None:
    found = describe(
        {
            "main.tf": RESOURCE,
            "tests/setup/main.tf": RESOURCE,
            "tests/real/main.tf": f'provider "aws" {{}}\n{RESOURCE}',
            "examples/basic/main.tf": RESOURCE,
            "tests/a.tftest.hcl": calling("./tests/setup"),
            "tests/b.tftest.hcl": calling("./tests/real"),
            "tests/c.tftest.hcl": calling("./examples/basic"),
        }
    )
    assert [found.kind(name) for name in ("tests/setup", "tests/real", "examples/basic")] == [
        "module",
        "example",
        "example",
    ]
    assert found.rows["tests/setup"].callers == (".",)


def test_what_run_blocks_say(tmp_path: Path) -> None:
    text = """
    variables { region = "run" }
    mock_provider "aws" {}
    mock_provider "aws" {
      alias = "west"
      override_during = plan
    }
    provider "google" {}

    run "applied" {
      parallel = true
    }
    run "planned" {
      command   = plan # and no more
      providers = { aws = aws.west, "aws.other" = aws }
      module { source = "./tests/setup" }
      expect_failures = [var.region]
    }
    """
    write(tmp_path, {"x.tftest.hcl": text})
    found = read_test_file(tmp_path / "x.tftest.hcl")
    assert found.runs == (
        RunBlock("applied", 10),
        RunBlock("planned", 13, True, "./tests/setup", {"aws": "aws.west", "aws.other": "aws"}),
    )
    assert found.mocks == ("aws", "aws.west")
    assert found.features == (
        ("mock_provider", 3),
        ("mock_provider", 4),
        ("override_during", 4),
        ("parallel", 10),
    )
    assert found.applies


def test_the_json_syntax_says_the_same(tmp_path: Path) -> None:
    data = {
        "mock_provider": {"aws": [{}, {"alias": "west"}]},
        "run": {
            "applied": {"providers": {"aws": "${aws.west}"}},
            "planned": {"command": "plan", "module": {"source": "./x"}},
        },
    }
    write(tmp_path, {"x.tftest.json": json.dumps(data)})
    found = read_test_file(tmp_path / "x.tftest.json")
    assert found.runs == (RunBlock("applied", 1, providers={"aws": "aws.west"}), RunBlock("planned", 1, True, "./x"))
    assert found.mocks == ("aws", "aws.west")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.tftest.hcl", b'run "it" {\n'),
        ("x.tftest.json", b"{"),
        ("x.tftest.hcl", b"\xff\n"),
        ("y.tftest.json", b"[1]"),
    ],
)
def test_a_file_that_cannot_be_read_is_not_taken_for_one_that_only_plans(
    name: str, text: bytes, tmp_path: Path
) -> None:
    write(tmp_path, {name: text})
    found = read_test_file(tmp_path / name)
    assert found.runs == ()
    assert (found.problem is not None) == (name != "y.tftest.json")
    assert found.applies or name == "y.tftest.json"


AZURE = 'resource "az_thing" "it" {}\n'
BUCKET = 'resource "aws_s3_bucket" "it" {}\n'
ALIASES = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", configuration_aliases = [aws.far] }
  }
}
resource "aws_s3_bucket" "near" {}
resource "aws_s3_bucket" "far" { provider = aws.far }
"""


@pytest.mark.parametrize(
    ("main", "inner", "mocks", "expected"),
    [
        (BUCKET, "", "", [AWS]),
        (BUCKET, "", 'mock_provider "aws" {}', []),
        (BUCKET, "", 'mock_provider "aws" { alias = "west" }', [AWS]),
        (f'provider "aws" {{\n  alias = "west"\n}}\n{BUCKET}', "", 'mock_provider "aws" {}', []),
        ('resource "aws_s3_bucket" "it" { provider = aws.west }', "", 'mock_provider "aws" {}', [AWS]),
        ('resource "random_id" "it" { byte_length = 4 }\nresource "terraform_data" "it" {}', "", "", []),
        ('module "in" { source = "./in" }', BUCKET, "", [AWS]),
        ('module "in" { source = "./in" }', BUCKET, 'mock_provider "aws" {}', []),
        (
            'module "in" {\n  source = "./in"\n  providers = { aws.far = aws.west, aws = aws }\n}',
            ALIASES,
            'mock_provider "aws" {}',
            [AWS],
        ),
        (
            'module "in" {\n  source = "./in"\n  providers = { aws.far = aws.west, aws = aws }\n}',
            ALIASES,
            'mock_provider "aws" {}\nmock_provider "aws" { alias = "west" }',
            [],
        ),
        ('module "in" { source = "./in" }', f'provider "aws" {{}}\n{BUCKET}', 'mock_provider "aws" {}', [AWS]),
        (
            'terraform {\n  required_providers {\n    az = { source = "corp.example/x/cloud" }\n  }\n}\n' + AZURE,
            "",
            'mock_provider "cloud" {}',
            ["corp.example/x/cloud"],
        ),
    ],
)
def test_providers_that_are_not_mocked_are_real(
    main: str, inner: str, mocks: str, expected: list[str], tmp_path: Path
) -> None:
    write(tmp_path, {"main.tf": main, "in/main.tf": inner, "x.tftest.hcl": f'{mocks}\nrun "it" {{}}\n'})
    modules = Modules(tmp_path, {"": ".", "in": "in"} if inner else {"": "."})
    tests = read_test_file(tmp_path / "x.tftest.hcl")
    assert list(real_providers(modules, "x.tftest.hcl", tests, tests.runs[0])) == expected


def test_a_run_block_may_hand_on_a_mock_of_another_name_or_none(tmp_path: Path) -> None:
    text = """
    mock_provider "aws" { alias = "fake" }
    run "fake" { providers = { aws = aws.fake } }
    run "real" { providers = { aws = aws } }
    """
    write(tmp_path, {"main.tf": BUCKET, "tests/x.tftest.hcl": text})
    tests = read_test_file(tmp_path / "tests/x.tftest.hcl")
    modules = Modules(tmp_path, {"": "."})
    assert [real_providers(modules, "tests/x.tftest.hcl", tests, run) for run in tests.runs] == [(), (AWS,)]


def test_a_helper_module_is_looked_at_in_the_place_of_the_configuration(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"main.tf": BUCKET, "tests/setup/main.tf": RESOURCE, "tests/x.tftest.hcl": calling("./tests/setup")},
    )
    tests = read_test_file(tmp_path / "tests/x.tftest.hcl")
    modules = Modules(tmp_path, {"": ".", "test.tests.x.it": "tests/setup"})
    assert real_providers(modules, "tests/x.tftest.hcl", tests, tests.runs[0]) == ()
    with pytest.raises(KeyError):
        real_providers(Modules(tmp_path, {"": "."}), "tests/x.tftest.hcl", tests, tests.runs[0])


def test_of_a_configuration_that_cannot_be_parsed_nothing_is_assumed(tmp_path: Path) -> None:
    write(tmp_path, {"main.tf": 'resource "aws_s3_bucket" {', "x.tftest.hcl": 'run "it" {}\n'})
    tests = read_test_file(tmp_path / "x.tftest.hcl")
    with pytest.raises(DiscoveryError, match=r"main\.tf"):
        real_providers(Modules(tmp_path, {"": "."}), "x.tftest.hcl", tests, tests.runs[0])
