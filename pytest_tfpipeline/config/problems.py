"""Problems of a configuration as a user reads them: file, key, what was expected, what was found."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from pytest_tfpipeline.config.describe import children, generic
from pytest_tfpipeline.config.location import Location
from pytest_tfpipeline.config.suggest import did_you_mean
from pytest_tfpipeline.errors import ConfigurationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_EXPECTED = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "int_type": "an integer",
    "model_type": "a table",
    "string_type": "a string",
    "tuple_type": "an array",
}
#: The arrays of tables, whose entries are known by one of their keys.
_ENTRIES = {"root": "match", "suite": "match", "test": "match", "group": "name", "waiver": "rule", "allow": "address"}
_REFERENCE = "`python -m pytest_tfpipeline.config.reference` prints every key"
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LONGEST = 60
#: The keys that a table may have, by its location.
Known = Callable[[Location], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where: the way from the configuration's top to the value."""

    location: Location
    text: str


def raise_problems(
    file: str, prefix: str, problems: Sequence[Problem], table: dict[str, Any], where_to_look: str = _REFERENCE
) -> None:
    """Raise one ConfigurationError that names every problem, each on a line of its own; nothing where there is none.

    `prefix` is what the keys start with in that file: `tool.tfpipeline.` or nothing.
    """
    if not problems:
        return
    mend = f"correct it; {where_to_look}"
    named = [(f"{file}: {prefix}{key(problem.location, table)}", problem.text) for problem in problems]
    if len(named) == 1:
        raise ConfigurationError(named[0][1], where=named[0][0], mend=mend)
    lines = "\n".join(f"  {where}: {text}" for where, text in named)
    mend = mend.replace("correct it", "correct them")
    raise ConfigurationError(f"{len(named)} problems in the configuration\n{lines}", mend=mend)


def from_error(error: ErrorDetails, known: Known | None = None) -> Problem:
    """The same error in the words of a TOML file. `known` gives the keys of a table by its location; without it, those
    of the configuration."""
    location = tuple(part for part in error["loc"] if part != "[key]")
    return Problem(location, _text(error, location, known or _configured))


def key(location: Location, table: dict[str, Any]) -> str:
    """`root[1] (match = "terraform/*").vars`: the dotted key, its array entries named."""
    text = ""
    value: object = table
    for index, part in enumerate(location):
        value = _step(value, part)
        if isinstance(part, int):
            text += f"[{part}]{_named(location[:index], value)}"
        else:
            text += ("." if text else "") + (part if _BARE.fullmatch(part) else json.dumps(part, ensure_ascii=False))
    return text


def found(value: object) -> str:
    """A value with its TOML type: `12 (an integer)`."""
    return f"{_shown(value)} ({_kind(value)})"


def _configured(location: Location) -> Sequence[str]:
    return children(generic(location))


def _text(error: ErrorDetails, location: Location, known: Known) -> str:
    kind = error["type"]
    if kind == "value_error":
        return f"{error['ctx']['error']}{_found_instead(error['input'])}"
    if kind == "extra_forbidden":
        return _unknown_key(location, known(location[:-1]))
    if kind == "missing":
        return "is required and not there"
    if kind == "literal_error":
        return _unknown_choice(error)
    if kind == "greater_than_equal":
        return f"expected at least {error['ctx']['ge']}, found {found(error['input'])}"
    if kind == "tuple_type" and isinstance(error["input"], dict) and location[0] in _ENTRIES:
        return f"expected an array of tables, `[[{location[0]}]]` with two brackets, found a table"
    expected = _EXPECTED.get(kind, "a string, number, boolean, array or table")
    return f"expected {expected}, found {found(error['input'])}{_quotes(kind, error['input'])}"


def _unknown_key(location: Location, known: Sequence[str]) -> str:
    hint = did_you_mean(str(location[-1]), known)
    return f"unknown key{hint} (known here: {', '.join(known)})"


def _unknown_choice(error: ErrorDetails) -> str:
    known = [choice.strip(" '") for choice in error["ctx"]["expected"].replace(" or ", ",").split(",")]
    value = error["input"]
    hint = did_you_mean(value, known) if isinstance(value, str) else ""
    return f"expected {' or '.join(json.dumps(choice) for choice in known)}, found {found(value)}{hint}"


def _quotes(kind: str, value: object) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f'; did you mean "{value}", in quotes?' if kind == "string_type" and number else ""


def _found_instead(value: object) -> str:
    return f", found {_shown(value)}" if isinstance(value, str | int | float) else ""


def _step(value: object, part: str | int) -> object:
    if isinstance(value, dict):
        return value.get(part)
    if isinstance(value, list | tuple) and isinstance(part, int) and part < len(value):
        return value[part]
    return None


def _named(array: Location, entry: object) -> str:
    name = _ENTRIES.get(str(array[0])) if len(array) == 1 else None
    value = entry.get(name) if name and isinstance(entry, dict) else None
    return f" ({name} = {_shown(value)})" if isinstance(value, str | list) else ""


def _shown(value: object) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except ValueError:  # a hexadecimal number of thousands of digits
        return "a number"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _kind(value: object) -> str:
    kinds: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (str, "a string"),
        (bool, "a boolean"),
        (int, "an integer"),
        (float, "a float"),
        ((list, tuple), "an array"),
        (dict, "a table"),
        ((datetime, date, time), "a date or time"),
    )
    return next((name for kind, name in kinds if isinstance(value, kind)), type(value).__name__)
