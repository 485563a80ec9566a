"""The order of roots: who comes after whom, in which waves, and the cycle that there must not be. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

from pytest_tfpipeline.errors import DiscoveryError

#: Directory of a root to the directories of the roots that come before it.
After = Mapping[str, Collection[str]]


@dataclass(frozen=True, slots=True)
class Order:
    """The roots in order, what each comes after, and the cycles of inferred dependencies that were left out."""

    roots: tuple[str, ...]
    after: Mapping[str, frozenset[str]]
    cycles: tuple[tuple[str, ...], ...] = ()


def order(declared: After, inferred: After) -> Order:
    """The order by what is declared and what was inferred; each has every root as a key.

    Roots that read each other's state are real and work, so a cycle is an error only where every part of it was
    declared (DiscoveryError); of another one the inferred parts do not count, and it is named in `cycles`.
    """
    reads = {root: set(before) - set(declared[root]) for root, before in inferred.items()}
    cycles: list[tuple[str, ...]] = []
    while True:
        after = {root: frozenset({*declared[root], *reads[root]}) for root in declared}
        cycle = find_cycle(after)
        if cycle is None:
            return Order(topological(after), after, tuple(cycles))
        steps = [(root, before) for root, before in pairwise(cycle) if before in reads[root]]
        if not steps:
            raise _cycle_error(cycle)
        for root, before in steps:
            reads[root].discard(before)
        cycles.append(cycle)


def topological(after: After) -> tuple[str, ...]:
    """All roots, each behind those it comes after; among equals by name. Raises DiscoveryError on a cycle."""
    return tuple(root for wave in waves(after) for root in wave)


def waves(after: After) -> tuple[tuple[str, ...], ...]:
    """The roots that can be applied together, in order. Raises DiscoveryError on a cycle.

    A root that is named but is no key of `after` counts as done.
    """
    found, left = _peeled(after)
    if left:
        raise _cycle_error(_cycle_in(left))
    return found


def find_cycle(after: After) -> tuple[str, ...] | None:
    """A cycle in full, its first root also as its last, or None: `(a, b, a)` where a comes after b, and b after a."""
    _, left = _peeled(after)
    return _cycle_in(left) if left else None


def _peeled(after: After) -> tuple[tuple[tuple[str, ...], ...], dict[str, set[str]]]:
    """The waves, and what is left because it waits for itself."""
    left = {root: {other for other in before if other in after} for root, before in after.items()}
    behind: dict[str, list[str]] = {root: [] for root in left}
    for root, before in left.items():
        for other in before:
            behind[other].append(root)
    found: list[tuple[str, ...]] = []
    wave = tuple(sorted(root for root, before in left.items() if not before))
    while wave:
        found.append(wave)
        for done in wave:
            del left[done]
            for root in behind[done]:
                left[root].discard(done)
        ready = {root for done in wave for root in behind[done] if not left[root]}
        wave = tuple(sorted(ready))
    return tuple(found), left


def _cycle_in(left: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    """Every root in `left` waits for another one in it, so following any of them leads into a cycle."""
    path = [min(left)]
    while path.count(path[-1]) == 1:
        path.append(min(left[path[-1]]))
    cycle = path[path.index(path[-1]) : -1]
    first = cycle.index(min(cycle))
    return (*cycle[first:], *cycle[: first + 1])


def _cycle_error(cycle: tuple[str, ...]) -> DiscoveryError:
    return DiscoveryError(
        f"the roots come after each other in a circle: {' -> '.join(cycle)} (each after the next one)",
        mend="take one of their `after` out of the configuration",
    )
