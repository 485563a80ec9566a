"""Terraform's JSON syntax (`.tf.json`): the same facts and blocks as for native files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_tfpipeline.discover.facts import Backend, Call, DeclaredVariable, FileFacts, Problem, StateRead

#: How many labels a block type has; any other has none.
_LABELS = {
    "resource": 2,
    "data": 2,
    "ephemeral": 2,
    "module": 1,
    "provider": 1,
    "variable": 1,
    "output": 1,
    "check": 1,
}


def json_facts(text: str) -> FileFacts:
    """The facts of a JSON text; a text that is not JSON, or no object, has a problem."""
    try:
        data = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        return FileFacts(problem=Problem("syntax-error", f"The file is not valid JSON: {error}.", line))
    if not isinstance(data, dict | list):
        return FileFacts(problem=Problem("syntax-error", "The file's JSON is not an object.", 1))
    blocks = json_blocks(data)
    settings = [body for kind, _, body in blocks if kind == "terraform"]
    return FileFacts(
        kinds=tuple(sorted({kind for kind, _, _ in blocks})),
        backend=next((found for body in settings for found in _backends(body)), None),
        provider=any(kind == "provider" for kind, _, _ in blocks),
        aliases=any("configuration_aliases" in json.dumps(body.get("required_providers", "")) for body in settings),
        calls=tuple(Call(labels[0], _string(body, "source")) for kind, labels, body in blocks if kind == "module"),
        variables=tuple(_variable(labels[0], body) for kind, labels, body in blocks if kind == "variable"),
        states=tuple(_states(blocks)),
        required_version=", ".join(filter(None, (_string(body, "required_version") for body in settings))),
    )


def json_blocks(data: object, labels: Mapping[str, int] = _LABELS) -> list[tuple[str, tuple[str, ...], dict[str, Any]]]:
    """(kind, labels, body) of every block; comments (`//`) and what is no block are left out."""
    found: list[tuple[str, tuple[str, ...], dict[str, Any]]] = []
    for part in _objects(data):
        for kind, value in part.items():
            if kind != "//":
                found.extend((kind, names, body) for names, body in _labelled(value, labels.get(kind, 0)))
    return found


def _objects(value: object) -> Iterator[dict[str, Any]]:
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict):
            yield item


def _labelled(value: object, count: int) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    for part in _objects(value):
        if count == 0:
            yield (), part
            continue
        for label, inner in part.items():
            if label != "//":
                yield from (((label, *labels), body) for labels, body in _labelled(inner, count - 1))


def _backends(settings: dict[str, Any]) -> Iterator[Backend]:
    for part in _objects(settings.get("backend")):
        for kind, value in part.items():
            yield from (Backend(kind, _literals(body)) for body in _objects(value))
    yield from (Backend("cloud", _literals(body)) for body in _objects(settings.get("cloud")))


def _literals(body: dict[str, Any]) -> dict[str, str]:
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in body.items()
        if isinstance(value, str | int | float)
    }


def _string(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _variable(name: str, body: dict[str, Any]) -> DeclaredVariable:
    sensitive = body.get("sensitive") is True
    return DeclaredVariable(name, "default" not in body, _string(body, "type"), _string(body, "description"), sensitive)


def _states(blocks: list[tuple[str, tuple[str, ...], dict[str, Any]]]) -> Iterator[StateRead]:
    for kind, labels, body in blocks:
        if kind == "data" and labels[0] == "terraform_remote_state":
            config = next(_objects(body.get("config")), {})
            yield StateRead(labels[1], _string(body, "backend"), _literals(config))
