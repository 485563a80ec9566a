"""The baseline's file: JSON with a line for each finding, sorted, so that a change of it can be reviewed.

It is made by `pytest --tf-baseline` alone; whatever is edited by hand must still be read strictly, for it loosens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError

from pytest_tfpipeline.config.keys import Table
from pytest_tfpipeline.config.problems import Problem, from_error, raise_problems
from pytest_tfpipeline.config.types import EnvironmentName, Items
from pytest_tfpipeline.errors import ConfigurationError
from pytest_tfpipeline.model import KnownFinding

VERSION = 1
_ABOUT = "Findings that were there before: they are let through, others are not. Made by `pytest --tf-baseline`."
_DOCUMENTED = "docs/baseline.md describes it"
#: No repository has as many findings, by far.
_LIMIT = 64 * 1024 * 1024
_MEND = "undo the change, or merge both sides and run `pytest --tf-baseline`"

_DIGEST = re.compile(r"[0-9a-f]{16}")


def _said(value: str) -> str:
    if not value:
        raise ValueError("expected a text that says something")
    return value


def _digest(value: str) -> str:
    if not _DIGEST.fullmatch(value):
        raise ValueError("expected a digest of 16 hexadecimal digits")
    return value


def _some(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise ValueError("expected at least one digest")
    return tuple(sorted(value))


Text = Annotated[str, AfterValidator(_said)]
Digest = Annotated[str, AfterValidator(_digest)]


class Entry(Table):
    """A line of `findings`."""

    check: Literal["fmt", "lint", "ruff", "policy"]
    dir: Text
    environment: EnvironmentName | None = None
    file: Text | None = None
    rule: Text
    address: Text | None = None
    content: Annotated[Items[Digest], AfterValidator(_some)]
    count: Annotated[int, Field(ge=1)] = 1
    text: str = ""


class _Document(Table):
    version: Literal[1]
    about: str = ""
    findings: Items[Entry]


def read_baseline(path: Path, name: str) -> tuple[KnownFinding, ...]:
    """The entries of that file, which messages call `name`.

    Raises ConfigurationError (exit code 4) where it is missing, no plain file, not JSON, of a newer version, or has
    anything in it that is not understood.
    """
    values = _parse(path, name)
    if isinstance(values, dict) and type(values.get("version")) is int and values["version"] > VERSION:
        what = "was made by a newer pytest-tfpipeline"
        raise ConfigurationError(what, where=name, mend="update pytest-tfpipeline here")
    try:
        entries = _Document.model_validate(values).findings
    except ValidationError as error:
        details = error.errors(include_url=False)[:20]
        known = {0: tuple(_Document.model_fields)}
        problems = [
            from_error(each, lambda place: known.get(len(place), tuple(Entry.model_fields))) for each in details
        ]
        raise_problems(name, "", problems, values if isinstance(values, dict) else {}, _DOCUMENTED)
        raise
    found = tuple(KnownFinding(**entry.model_dump()) for entry in entries)
    _refuse_twice(name, found)
    return found


def render_baseline(entries: Iterable[KnownFinding]) -> str:
    """The text of the file with these entries, in their order."""
    lines = ",\n".join(f"  {json.dumps(_plain(entry), ensure_ascii=False)}" for entry in entries)
    findings = f"[\n{lines}\n ]" if lines else "[]"
    return f'{{\n "version": {VERSION},\n "about": {json.dumps(_ABOUT)},\n "findings": {findings}\n}}\n'


def _plain(entry: KnownFinding) -> dict[str, Any]:
    """What a reader asks first comes first; what says nothing is left out."""
    values = {
        "check": entry.check,
        "dir": entry.dir,
        "environment": entry.environment,
        "rule": entry.rule,
        "file": entry.file,
        "address": entry.address,
        "text": entry.text,
        "content": list(entry.content),
        "count": entry.count if entry.count > 1 else None,
    }
    return {name: value for name, value in values.items() if value not in (None, "")}


def _parse(path: Path, name: str) -> Any:
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise ConfigurationError("is not a plain file", where=name, mend="keep the baseline itself there")
    try:
        with path.open("rb") as file:
            data = file.read(_LIMIT + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        mend = "make it with `pytest --tf-baseline`, or do not name it"
        raise ConfigurationError(f"cannot be read: {reason}", where=name, mend=mend) from None
    if len(data) > _LIMIT:
        raise ConfigurationError("is larger than 64 MiB, which no baseline is", where=name, mend=_MEND)
    try:
        return json.loads(data, object_pairs_hook=_once)
    except RecursionError:
        raise ConfigurationError("is nested too deeply to be read", where=name, mend=_MEND) from None
    except json.JSONDecodeError as error:
        what = f"is not valid JSON: {error.msg[:1].lower()}{error.msg[1:]}"
        raise ConfigurationError(what, where=f"{name}:{error.lineno}", mend=_MEND) from None
    except ValueError as error:  # not UTF-8, a key that is there twice, a number of thousands of digits
        raise ConfigurationError(f"is not valid JSON: {error}", where=name, mend=_MEND) from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        twice = next(key for index, (key, _) in enumerate(pairs) if key in dict(pairs[:index]))
        raise ValueError(f"`{twice}` is there twice")
    return values


def _refuse_twice(name: str, entries: tuple[KnownFinding, ...]) -> None:
    """A second entry about the same would add up, and let more through than either says."""
    seen: dict[tuple[object, ...], int] = {}
    problems = []
    for index, one in enumerate(entries):
        same = (one.check, one.dir, one.environment, one.file, one.rule, one.address, one.content)
        if same in seen:
            problems.append(Problem(("findings", index), f"says the same as findings[{seen[same]}]; keep one of them"))
        seen.setdefault(same, index)
    raise_problems(name, "", problems[:20], {}, _DOCUMENTED)
