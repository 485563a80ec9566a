"""Patterns over directories: `*`, `?` and `[...]` stay within one component, `**` spans any number of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache


def matches(pattern: str, path: str) -> bool:
    """Whether the POSIX path, relative to the repository's top (`.` is the top itself), is what the pattern means."""
    return _compiled(pattern).fullmatch(path) is not None


def matches_any(patterns: Iterable[str], path: str) -> bool:
    """The same for several patterns."""
    return any(matches(pattern, path) for pattern in patterns)


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    trimmed = pattern.removeprefix("./").rstrip("/")
    if trimmed in ("", "."):
        return re.compile(r"\.")
    components = trimmed.split("/")
    text = "".join(_component(part, last=index == len(components) - 1) for index, part in enumerate(components))
    return re.compile(text, re.DOTALL)


def _component(part: str, *, last: bool) -> str:
    if part == "**":
        return ".+" if last else "(?:[^/]+/)*"
    return _within(part) + ("" if last else "/")


def _within(part: str) -> str:
    tokens = re.findall(r"\*+|\?|\[!?\]?[^\]]*\]|.", part, re.DOTALL)
    return "".join(_translated(token) for token in tokens)


def _translated(text: str) -> str:
    if text.startswith("*"):
        return "[^/]*"
    if text == "?":
        return "[^/]"
    if len(text) > 2 and text.startswith("["):
        inside = text[1:-1].replace("\\", r"\\").replace("[", r"\[")
        negated = inside.startswith("!")
        inside = inside[1:] if negated else inside
        return f"(?!/)[{'^' if negated else ''}{_escape_class(inside)}]"
    return re.escape(text)


def _escape_class(inside: str) -> str:
    return (
        inside.replace("]", r"\]").replace("^", r"\^").replace("&&", r"&\&").replace("||", r"|\|").replace("~~", r"~\~")
    )
