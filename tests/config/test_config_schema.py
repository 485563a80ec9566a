"""The JSON Schema and the documentation's table are those of the code."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pytest_tfpipeline.config.describe import keys
from pytest_tfpipeline.config.reference import document, keys_table
from pytest_tfpipeline.config.schema import SCHEMA_PATH, json_schema, schema_text

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"
RENEW = "renew it: python -m pytest_tfpipeline.config.reference --write"


def errors(text: str) -> list[str]:
    validator = Draft202012Validator(json_schema())
    return ["/".join(str(part) for part in error.absolute_path) for error in validator.iter_errors(tomllib.loads(text))]


def test_the_documentation_holds_the_table_of_this_code() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert document(text) == text, RENEW


def test_the_shipped_schema_is_that_of_this_code() -> None:
    assert SCHEMA_PATH.read_text(encoding="utf-8") == schema_text(), RENEW


def test_the_schema_is_a_valid_one_with_meaning_and_default_for_each_key() -> None:
    Draft202012Validator.check_schema(json_schema())
    table: dict[str, Any]
    for table in (json_schema(), *json_schema()["$defs"].values()):
        for name, described in table.get("properties", {}).items():
            assert described.get("description"), name
    assert json_schema()["properties"]["lint_severity"]["default"] == "warning"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ('environments = ["a"]\n[[root]]\nmatch = "x"\nbackend = "local"\nvars = { a = [1, { b = true }] }', []),
        ('[environment.a]\nemulator = "aws"\nplan_env = { A = "b" }\n[tools]\ntflint = "0.62.0"', []),
        ('skips = "no"', ["skips"]),
        ("rooot = 1", [""]),
        ("[[root]]", ["root/0"]),
        ('[[root]]\nmatch = ["a", "b"]\n[[suite]]\nmatch = "c"', []),
        ("[[root]]\nmatch = []\n[[suite]]\nmatch = 3", ["root/0/match", "suite/0/match"]),
        ('[[root]]\nmatch = "x"\ntimeout = { plan = "20" }', ["root/0/timeout/plan"]),
        ('[environment."a b"]', ["environment"]),
        ('waivers = "w"', []),
        ('env_alias = { "pr-*" = "staging" }', []),
        ('env_alias = { "*" = "staging" }', ["env_alias"]),
        ("[environment.a]\nsignatures = 0", ["environment/a/signatures"]),
        ('[environment.a]\napproval = "maybe"', ["environment/a/approval"]),
    ],
)
def test_an_editor_sees_what_the_loader_would_say(text: str, wrong: list[str]) -> None:
    assert errors(text) == wrong


def test_no_null_is_offered_since_toml_has_none() -> None:
    schema = json_schema()
    del schema["$defs"]["JsonValue"]
    assert '"null"' not in json.dumps(schema)


def test_every_key_has_a_row_with_type_and_default() -> None:
    rows = [line for line in keys_table().splitlines() if line.startswith("| `")]
    assert len(rows) == sum(key.path[-1] != "NAME" for key in keys())
    assert all(line.count(" | ") == 3 for line in rows)


def test_a_document_without_markers_is_not_overwritten() -> None:
    with pytest.raises(ValueError, match="values to unpack"):
        document("# nothing")
