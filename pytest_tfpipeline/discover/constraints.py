"""Terraform's version constraints: `>= 1.2, < 2.0`, `~> 1.11.0`, `!= 1.5.0`, `1.5.7`."""

from __future__ import annotations

import re
from collections.abc import Callable

_VERSION = re.compile(r"v?(\d+(?:\.\d+)*)(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?")
_CONDITION = re.compile(r"\s*(=|!=|>=|<=|>|<|~>)?\s*(\S+)\s*")

#: Numbers (at least three), then how a pre-release sorts: before its release, by its parts.
Key = tuple[tuple[int, ...], int, tuple[tuple[int, int, str], ...]]

_COMPARE: dict[str, Callable[[Key, Key], bool]] = {
    "=": lambda version, bound: version == bound,
    "!=": lambda version, bound: version != bound,
    ">": lambda version, bound: version > bound,
    ">=": lambda version, bound: version >= bound,
    "<": lambda version, bound: version < bound,
    "<=": lambda version, bound: version <= bound,
}


def version_key(version: str) -> Key:
    """A version as something that can be compared. ValueError where it is not a version."""
    found = _VERSION.fullmatch(version.strip())
    if found is None:
        raise ValueError(f"not a version: {version!r}")
    numbers = tuple(map(int, found[1].split(".")))
    padded = numbers + (0,) * (3 - len(numbers))
    if found[2] is None:
        return padded, 1, ()
    parts = (((0, int(part), "") if part.isdigit() else (1, 0, part)) for part in found[2].split("."))
    return padded, 0, tuple(parts)


def satisfies(version: str, constraints: str) -> bool:
    """Whether the version fulfils every comma-separated condition; an empty text has none.

    As in terraform, a pre-release fulfils only a condition that names a pre-release of the same numbers.
    ValueError where either text cannot be read.
    """
    key = version_key(version)
    answers = [_fulfils(key, condition) for condition in constraints.split(",") if condition.strip()]
    return all(answers)


def exact_version(constraints: str) -> str | None:
    """The one version that the constraints name (`1.5.7` or `= 1.5.7`), if they do."""
    found = re.fullmatch(r"\s*=?\s*v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)\s*", constraints)
    return found[1] if found else None


def _fulfils(key: Key, condition: str) -> bool:
    found = _CONDITION.fullmatch(condition)
    if found is None:
        raise ValueError(f"not a version constraint: {condition.strip()!r}")
    operator, bound = found[1] or "=", version_key(found[2])
    if key[1] == 0 and operator not in {"=", "!="} and (bound[1] == 1 or bound[0] != key[0]):
        return False
    if operator == "~>":
        return key >= bound and _same_line(key, found[2])
    return _COMPARE[operator](key, bound)


def _same_line(key: Key, bound: str) -> bool:
    """For `~>`: only the last of the numbers that the bound gives may be larger."""
    found = _VERSION.fullmatch(bound)
    given = tuple(map(int, found[1].split("."))) if found else ()
    fixed = given[: max(1, len(given) - 1)]
    return key[0][: len(fixed)] == fixed
