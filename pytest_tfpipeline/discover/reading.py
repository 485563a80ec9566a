"""From an HCL text's outline to its facts. Pure; expressions that are not plain are given to `evaluate`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress

from pytest_tfpipeline.discover.facts import Backend, Call, DeclaredVariable, FileFacts, Problem, StateRead
from pytest_tfpipeline.discover.outline import OutlineBlock, outline
from pytest_tfpipeline.discover.workspaces import workspaces_of

#: From an expression's text to its value: strings without quotes, objects as dicts.
Evaluate = Callable[[str], object]

_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
_PLAIN = re.compile(r'(?:"(?P<text>[^"\\$%\n]*)"|(?P<word>-?\d[\d.]*|true|false))')
_PLAIN_ITEM = re.compile(
    r"""\s*(?:\#[^\n]*\s*)*(?P<key>[^\W\d][\w-]*)\s*=\s*   # comments, then the name
    (?:"(?P<text>[^"\\\n]*)"|(?P<other>[\w.\[\]-]+))         # a string without escapes, a word or a reference
    [ \t\r]*(?:\#[^\n]*)?(?:,|\n|(?=\}))""",
    re.VERBOSE,
)
_PLACEHOLDER = re.compile(r"(?<!\$)\$[A-Za-z_]\w*|\{\{[^{}]*\}\}")
_ROUGH_KIND = re.compile(
    r"^[ \t]*(resource|data|module|output|provider|variable|terraform|locals)\b[^=\n]*\{", re.MULTILINE
)
_ROUGH_BACKEND = re.compile(r'^[ \t]*(?:backend[ \t]+"?([\w-]+)"?|(cloud))[ \t]*\{', re.MULTILINE)
_ROUGH_SOURCE = re.compile(r'^[ \t]*source[ \t]*=[ \t]*"(\.[^"\n]*)"', re.MULTILINE)
_COMPUTED = re.compile(r"(?<![\w.\"])(?:var|local|data|module)\.\w|\$\{")
_ALIASES = re.compile(r"\bconfiguration_aliases\s*=")


def facts_of(text: str, evaluate: Evaluate) -> FileFacts:
    """The facts of an HCL text. Raises OutlineError, and whatever `evaluate` raises."""
    blocks = outline(text)
    settings = [block for block in blocks if block.kind == "terraform"]
    backend = next((found for block in settings for found in _backends(block)), None)
    calls = tuple(_call(block) for block in blocks if block.kind == "module" and block.labels)
    states = tuple(_state(block, evaluate) for block in blocks if _reads_state(block))
    return FileFacts(
        kinds=tuple(sorted({block.kind for block in blocks})),
        backend=backend,
        provider=any(block.kind == "provider" for block in blocks),
        aliases=any(_has_aliases(block) for block in settings),
        placeholders=_has_placeholders(blocks, backend, calls),
        calls=calls,
        variables=tuple(_variable(block) for block in blocks if block.kind == "variable" and block.labels),
        states=states,
        required_version=", ".join(filter(None, (_text(block, "required_version") for block in settings))),
        reads_workspace="terraform.workspace" in text,
        workspaces=workspaces_of(text, blocks),
    )


def rough_facts(text: str, problem: Problem) -> FileFacts:
    """What can be told of a text that could not be read properly: its directory stays what it is."""
    kinds = {match[1] for match in _ROUGH_KIND.finditer(text)}
    backend = _ROUGH_BACKEND.search(text)
    return FileFacts(
        kinds=tuple(sorted(kinds)),
        backend=Backend(backend[1] or backend[2], line=text.count("\n", 0, backend.start()) + 1) if backend else None,
        provider="provider" in kinds,
        aliases=bool(_ALIASES.search(text)),
        placeholders=bool(_PLACEHOLDER.search(text)),
        calls=tuple(Call("", match[1]) for match in _ROUGH_SOURCE.finditer(text)),
        problem=problem,
    )


def _reads_state(block: OutlineBlock) -> bool:
    return block.kind == "data" and len(block.labels) == 2 and block.labels[0] == "terraform_remote_state"


def _backends(settings: OutlineBlock) -> Iterator[Backend]:
    for block in settings.blocks:
        if block.kind == "backend" and block.labels:
            yield Backend(block.labels[0], _literals(block), block.line, _computed(block))
        elif block.kind == "cloud":
            yield Backend("cloud", _literals(block), block.line, _computed(block))


def _literals(block: OutlineBlock) -> dict[str, str]:
    """Its literal arguments, and those of its nested blocks and objects (`workspaces.name`, `assume_role.role_arn`)."""
    found = {name: value for name in block.arguments if (value := _text(block, name))}
    for name, raw in block.arguments.items():
        inside = _plain_object(raw) if raw.startswith("{") else None
        found.update({f"{name}.{key}": value for key, value in (inside or {}).items()})
    for inner in block.blocks:
        found.update({f"{inner.kind}.{name}": value for name, value in _literals(inner).items()})
    return found


def _computed(block: OutlineBlock) -> tuple[str, ...]:
    """The arguments that are not known before terraform runs."""
    return tuple(name for name, value in block.arguments.items() if _COMPUTED.search(value))


def _text(block: OutlineBlock, name: str) -> str:
    """A plain argument's text; "" where it is absent or not plain."""
    plain = _PLAIN.fullmatch(block.arguments.get(name, ""))
    if plain:
        return plain["text"] if plain["text"] is not None else plain["word"]
    quoted = _STRING.fullmatch(block.arguments.get(name, ""))
    return quoted[1] if quoted else ""


def _call(block: OutlineBlock) -> Call:
    return Call(block.labels[0], _text(block, "source"), block.line)


def _variable(block: OutlineBlock) -> DeclaredVariable:
    description = block.arguments.get("description", "")
    if description.startswith('"'):
        with suppress(ValueError):
            description = str(json.loads(description))
    elif description.startswith("<<"):
        description = "\n".join(line.strip() for line in description.splitlines()[1:-1])
    kind = " ".join(block.arguments.get("type", "").split())
    return DeclaredVariable(
        block.labels[0],
        "default" not in block.arguments,
        kind.strip('"'),
        description,
        block.arguments.get("sensitive") == "true",
        block.line,
    )


def _state(block: OutlineBlock, evaluate: Evaluate) -> StateRead:
    raw = block.arguments.get("config", "")
    config = _plain_object(raw)
    if config is None:
        value = evaluate(raw)
        config = {str(key).strip('"'): _shown(item) for key, item in value.items()} if isinstance(value, dict) else {}
    for inner in block.inside("config"):
        config |= _literals(inner)
    return StateRead(block.labels[1], _text(block, "backend"), config, block.line)


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _plain_object(raw: str) -> dict[str, str] | None:
    """An object whose values are all strings, words or references, without python-hcl2; None for any other."""
    if not raw:
        return {}
    if not (raw.startswith("{") and raw.endswith("}")):
        return None
    found: dict[str, str] = {}
    at, end = 1, len(raw) - 1
    while raw[at:end].strip():
        item = _PLAIN_ITEM.match(raw, at)
        if item is None:
            return None
        found[item["key"]] = item["text"] if item["text"] is not None else _reference(item["other"])
        at = item.end()
    return found


def _reference(text: str) -> str:
    return text if re.fullmatch(r"-?\d[\d.]*|true|false|null", text) else f"${{{text}}}"


def _has_aliases(settings: OutlineBlock) -> bool:
    raw = (value for block in settings.inside("required_providers") for value in block.arguments.values())
    return any(_ALIASES.search(value) for value in raw)


def _has_placeholders(blocks: tuple[OutlineBlock, ...], backend: Backend | None, calls: tuple[Call, ...]) -> bool:
    literal = [label for block in blocks for label in block.labels]
    literal += [call.source for call in calls]
    literal += backend.config.values() if backend else ()
    return any(_PLACEHOLDER.search(text) for text in literal)
