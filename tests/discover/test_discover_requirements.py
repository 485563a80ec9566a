"""What a file asks of providers' versions; whatever is not plain is left to terraform."""

from __future__ import annotations

import pytest

from pytest_tfpipeline.discover.requirements import constraints


def required(inside: str) -> str:
    return f"terraform {{\n  required_providers {{\n{inside}\n  }}\n}}\n"


AWS = "registry.terraform.io/hashicorp/aws"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (required('aws = {\n source = "hashicorp/aws"\n version = "~> 5.1, < 6"\n}'), [(AWS, "~> 5.1, < 6")]),
        (required('aws = { "version" : ">= 5", source = "AWS" }'), [(AWS, ">= 5")]),
        (required("aws = {\n configuration_aliases = [aws.west]\n}"), [(AWS, "")]),
        (required('aws = "5.0"'), [(AWS, "5.0")]),
        (required('mine = { source = "example.org/ours/mine", version = "1" }'), [("example.org/ours/mine", "1")]),
        ('# required_providers\nprovider "aws" {\n  region = "x" # version\n}\n', []),
        ('resource "aws_s3_bucket_versioning" "x" {}\n', []),
        (required("") + required('aws = { version = "1" }'), [(AWS, "1")]),
    ],
)
def test_what_is_asked_for(text: str, found: list[tuple[str, str]]) -> None:
    assert list(constraints("main.tf", text)) == found


@pytest.mark.parametrize(
    "text",
    [
        'provider "aws" {\n  version = "~> 3.0"\n}\n',
        required('aws = { version = "${var.x}" }'),
        required('aws = { version = join("", ["1"]) }'),
        required('aws = {\n version = "1"\n # version = "2"\n}'),
        required("aws = { version = local.version }"),
        required('aws = { version = "1", version = "2" }'),
        required('aws {\n version = "1"\n}'),
        required("aws = local.aws"),
        required('aws = { version = "1"'),
    ],
)
def test_what_is_not_plain_is_for_terraform_to_read(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        list(constraints("main.tf", text))


def test_json_is_for_terraform_to_read() -> None:
    with pytest.raises(ValueError, match="JSON"):
        list(constraints("main.tf.json", '{"terraform": {"required_providers": {}}}'))
    assert list(constraints("main.tf.json", '{"resource": {}}')) == []
