"""TOML files beside the configuration: waivers, allowed deletions, what the operator fixes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from pytest_tfpipeline.config.location import Location
from pytest_tfpipeline.config.problems import Problem, from_error, raise_problems
from pytest_tfpipeline.config.toml import parse_toml
from pytest_tfpipeline.errors import ConfigurationError

M = TypeVar("M", bound=BaseModel)

#: No file of these kinds is larger, by far.
LIMIT = 512 * 1024


def read_document(path: Path, name: str, model: type[M], where_to_look: str) -> M:
    """The file as that model; `name` is what messages call it, `where_to_look` where its keys are described.

    Raises ConfigurationError (exit code 4) where it is missing, empty, too large, not TOML, or has anything in it that
    the model does not know: all of that at once, with key, what was expected and what was found.
    """
    if path.exists() and not path.is_file():
        raise ConfigurationError("is not a file", where=name, mend="name a file")
    values = parse_toml(path, name, LIMIT)
    if not values:
        raise ConfigurationError(
            "is empty", where=name, mend=f"write what it should say ({where_to_look}), or do not name the file"
        )
    try:
        return model.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False)
        problems = [from_error(each, lambda location: _known(model, location)) for each in details]
        problems = [Problem(location, text) for location, text in {one.location: one.text for one in problems}.items()]
        raise_problems(name, "", problems, values, where_to_look)
        raise


def _known(model: type[BaseModel], location: Location) -> tuple[str, ...]:
    """The keys of the table at that location; an environment's name and the index of an entry stand for themselves."""
    definitions = model.model_json_schema().get("$defs", {})
    schema = model.model_json_schema()
    for part in location:
        below: dict[str, Any] = schema.get("properties", {}).get(part) or schema.get("items") or _values(schema)
        options = (below, *below.get("anyOf", ()))
        reference = next((str(one["$ref"]) for one in options if "$ref" in one), None)
        schema = definitions[reference.rsplit("/", 1)[-1]] if reference else below
    return tuple(schema.get("properties", {}))


def _values(schema: dict[str, Any]) -> dict[str, Any]:
    """What any value of a table with keys of the user's is."""
    patterns = schema.get("patternProperties")
    given: Any = next(iter(patterns.values()), {}) if patterns else schema.get("additionalProperties")
    return given if isinstance(given, dict) else {}
