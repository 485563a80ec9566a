"""Calls that are begun before their turn, so that one process that makes them one after the other uses all processors.

Only what follows at once is begun: nothing stands between that could change what a call reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from pytest_tfpipeline.warm.client import Call


class Ahead:
    """Begun calls by name. Without names, or asked for one that it does not have, each call is begun in its turn."""

    def __init__(self) -> None:
        self._following: dict[str, tuple[str, ...]] = {}
        self._begun: dict[str, Call | None] = {}

    def expect(self, names: Sequence[str], width: int) -> None:
        """These come in this order, one right after the other; so many are to be under way."""
        for index, name in enumerate(names):
            self._following[name] = tuple(names[index + 1 : index + width])

    def take(self, name: str, begin: Callable[[str], Call | None]) -> Call | None:
        """The call of that name, by which those that follow are begun too. `begin` may raise OSError for one that
        follows: it will be asked for again in its turn."""
        found = self._begun.pop(name) if name in self._begun else begin(name)
        for later in self._following.pop(name, ()):
            if later not in self._begun:
                with suppress(OSError):
                    self._begun[later] = begin(later)
        return found

    def close(self) -> None:
        """Nobody comes for the rest."""
        for call in self._begun.values():
            if call is not None:
                call.close()
        self._begun.clear()
