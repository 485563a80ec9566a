"""The names that a text holds `terraform.workspace` against: one root for all environments says them there. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pytest_tfpipeline.discover.outline import OutlineBlock

_READ = "terraform.workspace"
_COMPARED = re.compile(r'terraform\.workspace\s*[!=]=\s*"([^"$\n]+)"|"([^"$\n]+)"\s*[!=]=\s*terraform\.workspace')
_CONTAINED = re.compile(r"contains\(\s*\[([^\]]*)\]\s*,\s*terraform\.workspace\s*\)")
_STRING = re.compile(r'"([^"$\n]+)"')
_LOOKED_UP = re.compile(
    r"\b(local|var)\.([\w-]+)\s*\[\s*terraform\.workspace\s*\]"
    r"|\blookup\(\s*(local|var)\.([\w-]+)\s*,\s*terraform\.workspace\b"
)
_LOOKED_UP_IN_PLACE = re.compile(r"\blookup\(\s*(?=\{)")
_KEY = re.compile(r'[,{\n]\s*(?:"([^"$\n]+)"|([A-Za-z_][\w-]*))\s*[=:](?!=)')
_LONGEST = 100_000


def workspaces_of(text: str, blocks: Sequence[OutlineBlock]) -> tuple[str, ...]:
    """The names, sorted: compared with it, in a list that may contain it, or keys of a map that it is looked up in, if
    that map is in the same text."""
    if _READ not in text:
        return ()
    found = {one or other for one, other in _COMPARED.findall(text)}
    found |= {name for items in _CONTAINED.findall(text) for name in _STRING.findall(items)}
    for raw in _maps(text, blocks):
        found.update(_keys(raw))
    return tuple(sorted(found))


def _maps(text: str, blocks: Sequence[OutlineBlock]) -> Iterator[str]:
    """The texts of the maps that it is looked up in."""
    wanted = {(one[0] or one[2], one[1] or one[3]) for one in _LOOKED_UP.findall(text)}
    for block in blocks:
        if block.kind == "locals":
            yield from (raw for name, raw in block.arguments.items() if ("local", name) in wanted)
        elif block.kind == "variable" and block.labels and ("var", block.labels[0]) in wanted:
            yield block.arguments.get("default", "")
    for each in _LOOKED_UP_IN_PLACE.finditer(text):
        end = _closing(text, each.end())
        if text[end : end + 40].lstrip(" \n\t,").startswith(_READ):
            yield text[each.end() : end]


def _keys(raw: str) -> Iterator[str]:
    """The keys of an object's text, those of the objects in it left out."""
    if raw.startswith("{"):
        top = "".join(_outermost(raw[: min(_closing(raw, 0), _LONGEST)]))
        yield from (quoted or plain for quoted, plain in _KEY.findall("{" + top))


def _outermost(raw: str) -> Iterator[str]:
    depth = 0
    for mark in raw:
        if mark in "{[(":
            depth += 1
        elif mark in "}])":
            depth -= 1
        elif depth == 1:
            yield mark


def _closing(text: str, at: int) -> int:
    """The offset behind the bracket that closes the one at `at`; the text's end where none does."""
    depth = 0
    for index in range(at, min(len(text), at + _LONGEST)):
        if text[index] in "{[(":
            depth += 1
        elif text[index] in "}])":
            depth -= 1
            if depth == 0:
                return index + 1
    return len(text)
