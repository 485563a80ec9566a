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
    """A key that this version refuses; with `values`, only these values of it."""

    path: tuple[str, ...]
    mend: str
    values: tuple[str, ...] | None = None


LATER = (
    Later(("group",), "remove it; a run takes all roots of an environment"),
    Later(("isolation",), 'remove it, or say "process"', ("jobs",)),
    Later(("environment", ANY, "after"), "remove it; order the environments in the CI workflow"),
    Later(
        ("environment", ANY, "approval"),
        'remove it, or say "none"; let the CI\'s protected environment ask for the approval',
        ("manual", "signed"),
    ),
    Later(("environment", ANY, "seed"), "remove it"),
)

Location = tuple[str | int, ...]


def later(path: tuple[str, ...]) -> Later | None:
    """What is refused of that key (`("environment", "NAME", "seed")`), or None where it is fully supported."""
    return next((entry for entry in LATER if entry.path == path), None)


def refusals(table: dict[str, Any]) -> Iterator[tuple[Location, str]]:
    """The location and the sentence of every refused key that the table has."""
    for entry in LATER:
        for location, value in _found(table, entry.path):
            if entry.values is None:
                yield location, f"`{location[-1]}` is not supported by this version ({__version__}); {entry.mend}"
            elif isinstance(value, str) and value in entry.values:
                said = f'`{location[-1]} = "{value}"`'
                yield location, f"{said} is not supported by this version ({__version__}); {entry.mend}"


def _found(table: object, path: tuple[str, ...], above: Location = ()) -> Iterator[tuple[Location, object]]:
    if not path:
        yield above, table
    elif isinstance(table, dict):
        names = list(table) if path[0] == ANY else [path[0]]
        for name in names:
            if name in table:
                yield from _found(table[name], path[1:], (*above, name))
