"""Every key as data: its path, type, default and meaning, from the models in `pytest_tfpipeline.config.keys`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from pytest_tfpipeline.config.durations import DURATION_PATTERN
from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.location import ANY, Location
from pytest_tfpipeline.config.protect import DEFAULT_PROTECT

_NAMES = {"string": "string", "integer": "integer", "number": "number", "boolean": "boolean"}


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `path` has `NAME` where a table's keys are the user's; `array` says that it stands in `[[...]]`."""

    path: tuple[str, ...]
    type: str
    default: str
    meaning: str
    array: bool = False
    required: bool = False


@cache
def keys() -> tuple[Key, ...]:
    """Every key of the configuration, in the order of the models; tables before what is in them."""
    schema = Config.model_json_schema()
    return tuple(_table(schema, schema["$defs"], ()))


def children(path: tuple[str, ...]) -> tuple[str, ...]:
    """The keys that a table may have, by the table's path."""
    return tuple(key.path[-1] for key in keys() if key.path[:-1] == path)


def generic(location: Location) -> tuple[str, ...]:
    """A value's location as the path of its key: indices dropped, the environment's name replaced by `NAME`."""
    path = [part for part in location if isinstance(part, str)]
    if len(path) > 1 and path[0] == "environment":
        path[1] = ANY
    return tuple(path)


def type_name(schema: dict[str, Any]) -> str:
    """A JSON Schema as a reader of the documentation would say it."""
    if "anyOf" in schema:
        return " or ".join(type_name(part) for part in schema["anyOf"] if part.get("type") != "null")
    if "const" in schema or "enum" in schema:
        return " or ".join(json.dumps(value) for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"array of {_plural(type_name(schema['items']))}"
    if schema.get("type") == "object":
        return f"table of {_plural(type_name(_values(schema)))}"
    if schema.get("pattern") == DURATION_PATTERN:
        return "duration"
    if schema.get("format") == "regex":
        return "regular expression"
    return _NAMES.get(str(schema.get("type")), "any value")


def _table(schema: dict[str, Any], definitions: dict[str, Any], above: tuple[str, ...]) -> Iterator[Key]:
    for name, described in schema["properties"].items():
        path = (*above, name)
        inner, array, named = _inner(described)
        required = name in schema.get("required", ())
        if inner is None:
            yield _leaf(path, described, required)
            continue
        below = (*path, ANY) if named else path
        table = definitions[inner]
        kind = "array of tables" if array else "table"
        yield Key(path, kind, "", _prose(table.get("description", ""))[0], array)
        if named:
            yield Key(below, "table", "", _prose(table.get("description", ""))[0])
        yield from _table(table, definitions, below)


def _inner(schema: dict[str, Any]) -> tuple[str | None, bool, bool]:
    """The name of the model in it, whether in an array, and whether in a table with keys of the user's."""
    for part in (schema, *schema.get("anyOf", ())):
        if "$ref" in part and part["$ref"] != "#/$defs/JsonValue":
            return _reference(part), False, False
        if "$ref" in part.get("items", {}):
            return _reference(part["items"]), True, False
        values = _values(part) if part.get("type") == "object" else {}
        if "$ref" in values and values["$ref"] != "#/$defs/JsonValue":
            return _reference(values), False, True
    return None, False, False


def _reference(schema: dict[str, Any]) -> str:
    return str(schema["$ref"]).rsplit("/", 1)[-1]


def _values(schema: dict[str, Any]) -> dict[str, Any]:
    values = schema.get("additionalProperties")
    if isinstance(values, dict):
        return values
    return next(iter(schema.get("patternProperties", {}).values()), {})


def _leaf(path: tuple[str, ...], schema: dict[str, Any], required: bool) -> Key:
    meaning, default = _prose(schema.get("description", ""))
    if required:
        default = "required"
    elif not default:
        default = _default(schema.get("default"))
    return Key(path, type_name(schema), default, meaning, required=required)


def _prose(description: str) -> tuple[str, str]:
    """The description in one line, and what it says of the default."""
    meaning, _, default = " ".join(description.split()).partition(" Default: ")
    if not default and meaning.startswith("Default: "):
        meaning, default = "", meaning.removeprefix("Default: ")
    return meaning, default.removesuffix(".")


def _default(value: object) -> str:
    if value == list(DEFAULT_PROTECT):
        return "the types listed below"
    return "none" if value is None else f"`{json.dumps(value)}`"


def _plural(name: str) -> str:
    first, of, rest = name.partition(" of ")
    plural = first if first == "any value" or '"' in first else f"{first}s"
    return f"{plural}{of}{rest}"
