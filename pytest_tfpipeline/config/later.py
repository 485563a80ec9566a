"""Keys that are known and whose behaviour is not there yet: refused by name, never accepted and ignored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pytest_tfpipeline import __version__

#: Stands for any key of a table, in `Later.path` and in the documentation.
ANY = "NAME"


@dataclass(frozen=True, slots=True)
class Later:
    """A key that this version refuses."""

    path: tuple[str, ...]
    mend: str


LATER: tuple[Later, ...] = ()

Location = tuple[str | int, ...]


def later(path: tuple[str, ...]) -> Later | None:
    """What is refused of that key (`("environment", "NAME", "protect")`), or None where it is fully supported."""
    return next((entry for entry in LATER if entry.path == path), None)


def refusals(table: dict[str, Any]) -> Iterator[tuple[Location, str]]:
    """The location and the sentence of every refused key that the table has."""
    for entry in LATER:
        for location in _found(table, entry.path):
            yield location, f"`{location[-1]}` is not supported by this version ({__version__}); {entry.mend}"


def _found(table: object, path: tuple[str, ...], above: Location = ()) -> Iterator[Location]:
    if not path:
        yield above
    elif isinstance(table, dict):
        names = list(table) if path[0] == ANY else [path[0]]
        for name in names:
            if name in table:
                yield from _found(table[name], path[1:], (*above, name))
