"""Patterns over directories: `*`, `?` and `[...]` stay within one component, `**` spans any number of them."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase


def matches(pattern: str, path: str) -> bool:
    """Whether the POSIX path, relative to the repository's top (`.` is the top itself), is what the pattern means.

    `**` also stands for no component at all: `terraform/**` matches `terraform` and everything below it.
    """
    return _matches(_components(pattern), _components(path))


def matches_any(patterns: Iterable[str], path: str) -> bool:
    """The same for several patterns."""
    return any(matches(pattern, path) for pattern in patterns)


def _components(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.split("/") if part not in ("", "."))


def _matches(patterns: tuple[str, ...], parts: tuple[str, ...]) -> bool:
    if not patterns:
        return not parts
    if patterns[0] == "**":
        rest = patterns[1:]
        if rest[:1] == ("**",):
            return _matches(rest, parts)
        return any(_matches(rest, parts[start:]) for start in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], patterns[0]) and _matches(patterns[1:], parts[1:])
