"""Providers that the operator allows: what a configuration asks for is known before anything is installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_tfpipeline.discover.providers import asked_for, whole_name
from pytest_tfpipeline.errors import DiscoveryError, ProviderError, UsageError
from pytest_tfpipeline.model import Repository, Root
from pytest_tfpipeline.pipeline.providers import check_providers
from pytest_tfpipeline.tools.providers import cli_config, is_one_of

AWS = "registry.terraform.io/hashicorp/aws"


def names(tmp_path: Path, text: str, file: str = "main.tf") -> set[str]:
    (tmp_path / "r").mkdir(exist_ok=True)
    (tmp_path / "r" / file).write_text(text)
    return {one.name for one in asked_for(tmp_path, "r")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('terraform {\n required_providers {\n  aws = { source = "hashicorp/aws" }\n }\n}', {AWS}),
        (
            'terraform {\n required_providers {\n  a = {\n # source = "hashicorp/aws"\n source = "x.io/y/z"\n }\n }\n}',
            {"x.io/y/z"},
        ),
        ('terraform {\n required_providers {\n  aws = "~> 5"\n }\n}', {AWS}),
        ('resource "aws_vpc" "a" {}', {AWS}),
        ('data "aws_vpc" "a" {}', {AWS}),
        ('ephemeral "aws_x" "a" {}', {AWS}),
        ('provider "aws" {}', {AWS}),
        ('check "c" {\n data "aws_x" "y" {}\n}', {AWS}),
        ('import {\n provider = aws.west\n to = x.y\n id = "z"\n}', {AWS}),
        ('resource "x_y" "a" {\n provider = aws.west\n}', {AWS}),
        ('resource "terraform_data" "a" {}\ndata "terraform_remote_state" "b" {}', set()),
        (
            'terraform {\n required_providers {\n  aws = { source = "Evil/AWS" }\n }\n}\nresource "aws_x" "y" {}',
            {"registry.terraform.io/evil/aws"},
        ),
    ],
)
def test_every_way_to_ask_for_a_provider_is_seen(tmp_path: Path, text: str, expected: set[str]) -> None:
    assert names(tmp_path, text) == expected


def test_json_and_override_files_are_read_too(tmp_path: Path) -> None:
    assert names(tmp_path, '{"resource": {"aws_vpc": {"a": {}}}}', "a.tf.json") == {AWS}
    text = '{"terraform": {"required_providers": {"aws": {"source": "x.io/y/z"}}}}'
    assert names(tmp_path, text, "a_override.tf.json") == {"x.io/y/z"}


def test_a_file_that_cannot_be_read_is_no_excuse(tmp_path: Path) -> None:
    with pytest.raises(DiscoveryError, match="nobody can say which providers it asks for"):
        names(tmp_path, 'resource "aws_vpc" {\n')


@pytest.mark.parametrize(
    ("source", "whole"),
    [("aws", AWS), ("Hashicorp/AWS", AWS), ("x.io/a/b", "x.io/a/b"), ("terraform", "terraform.io/builtin/terraform")],
)
def test_a_short_name_is_made_whole(source: str, whole: str) -> None:
    assert whole_name(source) == whole


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (AWS, True),
        ("registry.terraform.io/hashicorp/*", True),
        ("registry.terraform.io/*/*", True),
        ("registry.terraform.io/hashicorp/awscc", False),
        ("example.org/hashicorp/*", False),
    ],
)
def test_a_pattern_stands_for_whole_components(pattern: str, expected: bool) -> None:
    assert is_one_of(AWS, [pattern]) is expected


def test_a_module_of_a_root_is_looked_at_and_what_is_refused_is_named_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "x.tf").write_text('\n\nresource "evil_thing" "a" {}\n')
    names(tmp_path, 'resource "aws_vpc" "a" {}')
    repository = Repository(str(tmp_path), roots=(Root("r", "r", "r/main.tf", modules=("m",)),))
    with pytest.raises(UsageError) as caught:
        check_providers(tmp_path, repository, ["r"], [AWS])
    assert "provider-refused: m/x.tf:3: registry.terraform.io/hashicorp/evil is not among" in str(caught.value)
    assert "aws is not" not in str(caught.value)
    check_providers(tmp_path, repository, ["r"], ["registry.terraform.io/hashicorp/*"])
    check_providers(tmp_path, repository, ["elsewhere"], [])
    check_providers(tmp_path, repository, ["r"], None)


def test_terraform_itself_is_told_to_install_nothing_else(tmp_path: Path) -> None:
    for name in ("aws", "evil"):
        package = tmp_path / "opt/mirror/registry.terraform.io/hashicorp" / name / "1.0.0/linux_amd64"
        package.mkdir(parents=True)
        (package / f"terraform-provider-{name}_v1.0.0").touch(mode=0o755)
    made = cli_config({}, tmp_path / "out", None, (str(tmp_path / "opt"),), allowed=[AWS])
    text = made.path.read_text()
    assert text.count(f'include = ["{AWS}"]') >= 1
    assert "evil" not in text
    nothing = cli_config({}, tmp_path / "none", None, (str(tmp_path / "opt"),), allowed=[]).path.read_text()
    assert "direct" not in nothing
    assert "filesystem_mirror" not in nothing


@pytest.mark.parametrize("text", ["provider_installation {\n  direct {}\n}\n", "{}"])
def test_a_configuration_of_ones_own_that_could_lead_past_it_is_refused(tmp_path: Path, text: str) -> None:
    own = tmp_path / "own.tfrc"
    own.write_text(text)
    with pytest.raises(ProviderError, match="could not be held against that"):
        cli_config({"TF_CLI_CONFIG_FILE": str(own)}, tmp_path / "out", None, (), allowed=[AWS])
