"""Terraform files as facts and as parsed blocks; the only module that imports python-hcl2.

python-hcl2 costs 0.2 s to import, up to 1.5 s for its grammar and some 12 ms a file, so it is imported only when an
expression that matters is not plain, when a file is not HCL as far as its outline goes, or for `parse_blocks`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pytest_tfpipeline.discover.facts import FileFacts, Problem
from pytest_tfpipeline.discover.files import LFS_POINTER
from pytest_tfpipeline.discover.jsonsyntax import json_blocks, json_facts
from pytest_tfpipeline.discover.outline import OutlineError, outline
from pytest_tfpipeline.discover.reading import facts_of, rough_facts


@dataclass(frozen=True, slots=True)
class Block:
    """A top-level block as parsed: strings unquoted, nested blocks as lists of dicts, by block type.

    An expression that is not a literal is a string `${...}`.
    """

    kind: str
    labels: tuple[str, ...]
    body: dict[str, Any]
    file: str
    line: int


class HclError(ValueError):
    """python-hcl2 could not read a text; `line` counts from 1 and is None where it did not say."""

    def __init__(self, text: str, line: int | None) -> None:
        super().__init__(text)
        self.line = line


def parse_file(path: Path) -> FileFacts:
    """The facts of a `.tf`, `.tofu` or JSON file; never raises: what is wrong with it is its `problem`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        return unreadable(error)
    return parse_bytes(data, is_json=path.name.endswith(".json"))


def unreadable(error: OSError) -> FileFacts:
    """The facts of a file that could not be opened: a loop of links, a dangling link, no permission."""
    reason = error.strerror or str(error)
    return FileFacts(problem=Problem("unreadable-file", f"The file cannot be read: {reason}. Mend or remove it."))


def parse_bytes(data: bytes, *, is_json: bool) -> FileFacts:
    """The same for a file's bytes."""
    if data.startswith(LFS_POINTER):
        text = "The file is a Git LFS pointer, not Terraform: run `git lfs pull`."
        return FileFacts(problem=Problem("git-lfs-pointer", text, 1))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"Byte 0x{data[error.start]:02x} is not UTF-8. Terraform reads UTF-8 only: save the file as such."
        return rough_facts(data.decode("latin-1"), Problem("not-utf-8", what, line))
    return json_facts(text) if is_json else _native_facts(text)


def parse_blocks(path: Path, file: str) -> tuple[Block, ...]:
    """Every top-level block of a file, parsed. `file` is the path that the blocks say they are from.

    Raises HclError, or OSError and UnicodeDecodeError where the file cannot be read.
    """
    text = path.read_text(encoding="utf-8-sig")
    if path.name.endswith(".json"):
        try:
            found = json_blocks(json.loads(text))
        except json.JSONDecodeError as error:
            raise HclError(f"not valid JSON: {error.msg}", error.lineno) from None
        return tuple(Block(kind, labels, body, file, 1) for kind, labels, body in found)
    try:
        parts = outline(text)
    except OutlineError as error:
        raise HclError(str(error), error.line) from None
    return tuple(
        Block(part.kind, part.labels, _body(text[part.start : part.end], part.line), file, part.line) for part in parts
    )


def _native_facts(text: str) -> FileFacts:
    try:
        return facts_of(text, _value)
    except OutlineError as error:
        return rough_facts(text, _judged(text, error))
    except HclError as error:
        what = f"python-hcl2 could not read a part of the file ({error}); terraform is the judge of it."
        return rough_facts(text, Problem("hcl-not-read", what, error.line, serious=False))


def _judged(text: str, error: OutlineError) -> Problem:
    """The outline found an error: a syntax error where python-hcl2 thinks so too."""
    try:
        _loads(text)
    except HclError:
        return Problem("syntax-error", f"The file is not valid HCL: {error}.", error.line)
    return Problem("hcl-not-read", f"The file could be read only in part: {error}.", error.line, serious=False)


def _value(expression: str) -> object:
    """The value of an expression's text, parsed. Raises HclError."""
    return _loads(f"value = {expression}\n")["value"]


def _body(text: str, line: int) -> dict[str, Any]:
    """The body of the one block in `text`, which starts in that line of its file."""
    try:
        value: Any = next(iter(_loads(text + "\n").values()))[0]
    except HclError as error:
        raise HclError(str(error), line + (error.line or 1) - 1) from None
    while isinstance(value, dict) and not value.get("__is_block__"):
        value = next(iter(value.values()))
    body: dict[str, Any] = _normalised(value)
    return body


def _normalised(value: Any) -> Any:
    """Without python-hcl2's own markers; labels of nested blocks without their quotes."""
    if isinstance(value, Mapping):
        return {_unquoted(key): _normalised(item) for key, item in value.items() if key != "__is_block__"}
    if isinstance(value, list):
        return [_normalised(item) for item in value]
    return value


def _unquoted(key: str) -> str:
    return key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key


def _loads(text: str) -> dict[str, Any]:
    import hcl2
    from lark.exceptions import LarkError

    try:
        parsed: dict[str, Any] = hcl2.loads(text, serialization_options=_options())
    except LarkError as error:
        line = getattr(error, "line", None)
        raise HclError(str(error).partition("\n")[0], line if isinstance(line, int) and line > 0 else None) from None
    except (RecursionError, RuntimeError, ValueError, TypeError) as error:
        raise HclError(f"{type(error).__name__}: {error}", None) from None
    return parsed


@cache
def _options() -> Any:
    from hcl2.utils import SerializationOptions

    return SerializationOptions(with_comments=False, preserve_heredocs=False, strip_string_quotes=True)
