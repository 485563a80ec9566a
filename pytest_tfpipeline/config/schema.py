"""The configuration as a JSON Schema, for editors: completion, meaning, and a mark under what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pytest_tfpipeline.config.keys import Config

#: The same schema as a file of this package.
SCHEMA_PATH = Path(__file__).with_name("schema.json")


def json_schema() -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) of `tfpipeline.toml` and of the table `[tool.tfpipeline]`."""
    tidy = _tidied(Config.model_json_schema())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "pytest-tfpipeline", **tidy}


def schema_text() -> str:
    """The text of `schema.json`."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _tidied(schema: dict[str, Any]) -> dict[str, Any]:
    """Without generated titles, and without null, which TOML does not have; recursively."""
    if "anyOf" in schema:
        schema = _without_null(schema)
    kept = {key: item for key, item in schema.items() if not _is_noise(key, item, schema)}
    closed = {"additionalProperties": False} if "patternProperties" in schema else {}
    return {key: _part(key, item) for key, item in kept.items()} | closed


def _is_noise(keyword: str, value: object, schema: dict[str, Any]) -> bool:
    """Generated titles, a default of nothing, and the default of a table, which is that of its keys."""
    return keyword == "title" or (keyword == "default" and (value is None or "$ref" in schema))


def _part(keyword: str, value: object) -> object:
    """One keyword's value; under some of them the keys are names, not keywords."""
    if keyword == "description" and isinstance(value, str):
        return " ".join(value.split())
    if keyword in ("properties", "patternProperties", "$defs") and isinstance(value, dict):
        return {name: _tidied(schema) for name, schema in value.items()}
    if keyword == "anyOf" and isinstance(value, list):
        return [_tidied(schema) for schema in value]
    return _tidied(value) if keyword in ("items", "additionalProperties") and isinstance(value, dict) else value


def _without_null(value: dict[str, Any]) -> dict[str, Any]:
    choices = [choice for choice in value["anyOf"] if choice.get("type") != "null"]
    rest = {key: item for key, item in value.items() if key != "anyOf"}
    return {**choices[0], **rest} if len(choices) == 1 else {**rest, "anyOf": choices}
