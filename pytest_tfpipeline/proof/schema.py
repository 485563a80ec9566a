"""Evidence as a JSON Schema, for other programs that read it.

`python -m pytest_tfpipeline.proof.schema` prints it; with `--write` it renews `evidence.schema.json`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pytest_tfpipeline.proof.document import Evidence

#: The same schema as a file of this package.
SCHEMA_PATH = Path(__file__).with_name("evidence.schema.json")


def json_schema() -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) of `evidence.json`."""
    schema = _untitled(Evidence.model_json_schema(by_alias=True))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "pytest-tfpipeline evidence", **schema}


def schema_text() -> str:
    """The text of `evidence.schema.json`."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


def _untitled(schema: dict[str, Any]) -> dict[str, Any]:
    """Without generated titles, and descriptions on one line; below `properties` and `$defs` keys are names."""
    return {key: _part(key, value) for key, value in schema.items() if key != "title"}


def _part(keyword: str, value: Any) -> Any:
    if keyword in ("properties", "$defs"):
        return {name: _untitled(each) for name, each in value.items()}
    if keyword == "description":
        return " ".join(value.split())
    if isinstance(value, list):
        return [_untitled(each) if isinstance(each, dict) else each for each in value]
    return _untitled(value) if isinstance(value, dict) else value


def main(arguments: list[str]) -> int:
    """Print the schema, or write it to where it belongs (`--write`)."""
    if arguments == ["--write"]:
        SCHEMA_PATH.write_text(schema_text(), encoding="utf-8")
    else:
        sys.stdout.write(schema_text())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
