"""The configuration as a JSON Schema, for editors: completion, meaning, and a mark under what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.later import ANY, LATER, Later

#: The same schema as a file of this package.
SCHEMA_PATH = Path(__file__).with_name("schema.json")


def json_schema() -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) of `tfpipeline.toml` and of the table `[tool.tfpipeline]`.

    Keys that this version refuses are not in it.
    """
    schema = Config.model_json_schema()
    for entry in LATER:
        _remove(schema, entry)
    tidy: dict[str, Any] = _tidy(schema, names=False)
    tidy["$defs"] = {name: table for name, table in tidy["$defs"].items() if f"#/$defs/{name}" in json.dumps(tidy)}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "pytest-tfpipeline", **tidy}


def schema_text() -> str:
    """The text of `schema.json`."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _remove(schema: dict[str, Any], entry: Later) -> None:
    table = schema["$defs"]["EnvironmentConfig"] if entry.path[:2] == ("environment", ANY) else schema
    if entry.values is None:
        del table["properties"][entry.path[-1]]
        return
    choices = table["properties"][entry.path[-1]]
    choices["enum"] = [choice for choice in choices["enum"] if choice not in entry.values]


def _tidy(value: Any, *, names: bool) -> Any:
    """Without generated titles, and without null, which TOML does not have. `names`: the keys are the user's own."""
    if isinstance(value, list):
        return [_tidy(item, names=False) for item in value]
    if not isinstance(value, dict):
        return value
    if names:
        return {key: _tidy(item, names=False) for key, item in value.items()}
    if "anyOf" in value:
        value = _without_null(value)
    result = {}
    for key, item in value.items():
        if key == "title" or (key == "default" and item is None):
            continue
        result[key] = " ".join(item.split()) if key == "description" else _kept(key, item)
    return result


def _kept(key: str, item: Any) -> Any:
    return item if key == "default" else _tidy(item, names=key in ("properties", "$defs", "patternProperties"))


def _without_null(value: dict[str, Any]) -> dict[str, Any]:
    choices = [choice for choice in value["anyOf"] if choice.get("type") != "null"]
    rest = {key: item for key, item in value.items() if key != "anyOf"}
    return {**choices[0], **rest} if len(choices) == 1 else {**rest, "anyOf": choices}
