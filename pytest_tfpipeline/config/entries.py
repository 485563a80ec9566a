"""Configuration as text, ready to paste: values, entries of `[[root]]`, and the pattern that means some directories."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.patterns import matches

#: What stands for a value that nobody but the user knows.
UNKNOWN = "..."
_PREFIX = "tool.tfpipeline."
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDEST = 100


@dataclass(frozen=True, slots=True)
class Home:
    """Where a repository's configuration is, or would be: the file's name, and what its keys start with there."""

    file: str
    prefix: str

    def header(self, table: str, *, array: bool = False) -> str:
        """The line that starts a table: `[[tool.tfpipeline.root]]`."""
        name = f"{self.prefix}{table}".rstrip(".")
        return f"[[{name}]]" if array else f"[{name}]"


def home_of(top: Path, config: Config) -> Home:
    """The file that the configuration was read from, else pyproject.toml where there is one, else tfpipeline.toml."""
    return Home(config.source, config.prefix) if config.source else home_at(top)


def home_at(top: Path) -> Home:
    """The same by what files there are."""
    shared = (top / "pyproject.toml").is_file() and not (top / "tfpipeline.toml").is_file()
    return Home("pyproject.toml", _PREFIX) if shared else Home("tfpipeline.toml", "")


def root_entry(home: Home, match: str | Sequence[str], settings: Mapping[str, object]) -> tuple[str, ...]:
    """The lines of a `[[root]]`; many patterns are on several lines."""
    line = f"match = {value(match)}"
    narrow = isinstance(match, str) or len(line) <= _WIDEST
    lines = [line] if narrow else ["match = [", *_filled(f"{value(each)}," for each in match), "]"]
    return (home.header("root", array=True), *lines, *assignments(settings))


def _filled(items: Iterable[str]) -> list[str]:
    lines: list[str] = []
    for item in items:
        if lines and len(lines[-1]) + len(item) < _WIDEST:
            lines[-1] += f" {item}"
        else:
            lines.append(f"  {item}")
    return lines


def assignments(settings: Mapping[str, object]) -> Iterator[str]:
    """`key = value`, a line each."""
    return (f"{_key(name)} = {value(given)}" for name, given in settings.items())


def value(given: object) -> str:
    """A value as TOML on one line; raises TypeError for what TOML has no word for."""
    if isinstance(given, str):
        return json.dumps(given, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, int | float):
        return str(given)
    if isinstance(given, list | tuple):
        return f"[{', '.join(map(value, given))}]"
    if isinstance(given, Mapping):
        inside = ", ".join(f"{_key(str(name))} = {value(item)}" for name, item in given.items())
        return f"{{ {inside} }}" if inside else "{}"
    raise TypeError(type(given).__name__)


def pattern_for(wanted: Sequence[str], others: Collection[str]) -> str | None:
    """One pattern that matches all of these directories and none of the others; None where there is no simple one."""
    return next((each for each in _candidates(wanted) if _fits(each, wanted, others)), None)


def literal(directory: str) -> str:
    """The pattern that matches this directory alone."""
    return re.sub(r"([\[*?])", r"[\1]", directory)


def _candidates(wanted: Sequence[str]) -> Iterator[str]:
    if len(wanted) == 1:
        yield literal(wanted[0])
        return
    parts = [directory.split("/") for directory in wanted]
    if len({len(each) for each in parts}) == 1:
        yield "/".join(literal(column[0]) if len(set(column)) == 1 else "*" for column in zip(*parts, strict=True))
    shared = [column[0] for column in zip(*parts, strict=False) if len(set(column)) == 1]
    length = next((at for at, each in enumerate(zip(*parts, strict=False)) if len(set(each)) > 1), len(shared))
    yield "/".join([*map(literal, shared[:length]), "**"])


def _fits(pattern: str, wanted: Sequence[str], others: Collection[str]) -> bool:
    return all(matches(pattern, each) for each in wanted) and not any(matches(pattern, each) for each in others)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)
