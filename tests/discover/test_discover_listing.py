from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pytest_tfpipeline.reports.listing import listing_json, listing_table

BACKEND = 'terraform {\n  backend "s3" {}\n}\nresource "terraform_data" "x" {}\n'
FILES = {
    "core/main.tf": BACKEND,
    "etl/main.tf": BACKEND,
    "guess/main.tf": 'resource "terraform_data" "x" {}\n',
    "lambdas/a/requirements.txt": "",
    "lambdas/a/test_a.py": "",
    **{f"config/{name}.tfvars": "" for name in ("dev", "staging", "production", "common")},
}
CONFIG = {"root": [{"match": "etl", "after": ["core"]}]}


def test_json_has_the_keys_of_the_specification(describe: Callable[..., Any]) -> None:
    rows = json.loads(listing_json(describe(FILES, CONFIG).repository))
    assert [row["dir"] for row in rows] == ["core", "etl", "guess", "lambdas/a"]
    assert rows[1] == {
        "dir": "etl",
        "kind": "root",
        "rule": "2: backend block",
        "guessed": False,
        "name": "etl",
        "environments": ["dev", "staging", "production"],
        "after": ["core"],
        "callers": [],
        "apply": True,
    }
    assert rows[3]["kind"] == "suite"


def test_the_table_says_what_and_why_in_60_columns(describe: Callable[..., Any]) -> None:
    text = listing_table(describe(FILES, CONFIG).repository)
    assert max(len(line) for line in text.splitlines() if not line.startswith("     # or")) <= 60
    for words in ("root     etl", "rule 2: backend block", "(guessed)", "after: core", "suite    lambdas/a"):
        assert words in text
    assert "Environments: dev, staging, production" in text
    assert "Not taken for environments: common" in text
    assert "not applied unless emulated, or its [[root]] says `apply = true`" in " ".join(text.split())


def test_an_empty_repository(describe: Callable[..., Any]) -> None:
    assert "No Terraform" in listing_table(describe().repository)
    assert json.loads(listing_json(describe().repository)) == []


def test_answers_go_into_a_file_that_is_named(describe: Callable[..., Any]) -> None:
    files = {"core/main.tf": 'resource "terraform_data" "x" {}\nprovider "aws" {}\n'}
    assert "Only you can say, in tfpipeline.toml (`python -m\n" in listing_table(describe(files).repository)
    assert "Only you can say, in pyproject.toml (" in listing_table(describe({"pyproject.toml": ""}).repository)
