"""Promotion parity: what an environment would change, held against what the earlier one was just changed by. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pytest_tfpipeline.gate.digest import AddressChange

#: The changes of an environment, by root.
ByRoot = Mapping[str, Iterable[AddressChange]]


@dataclass(frozen=True, slots=True)
class Seen:
    """A change as it can be recognised in another environment: values differ there, these do not.

    `actions` are terraform's, without no-op and with `move` and `import` where that is what happens. `because` is for
    whoever reads.
    """

    root: str
    address: str
    type: str
    actions: tuple[str, ...]
    because: tuple[str, ...] = field(default=(), compare=False)

    @property
    def is_output(self) -> bool:
        """Of the root itself, and not of a resource."""
        return self.type == "output"

    @property
    def rank(self) -> int:
        """0 for what destroys or replaces, 1 for what terraform would forget, 2 for all else."""
        if self.is_output:
            return 2
        return 0 if "delete" in self.actions else 1 if "forget" in self.actions else 2


@dataclass(frozen=True, slots=True)
class Parity:
    """`same` changes were seen in the earlier environment, `only_here` were not; `only_there` are not made here.

    `same_outputs` of `same` are changes of outputs.
    """

    same: int
    only_here: tuple[Seen, ...] = ()
    only_there: tuple[Seen, ...] = ()
    same_outputs: int = 0


def to_parity(here: ByRoot, there: ByRoot) -> Parity:
    """Compare by root, address, type and actions; the worst first in what differs.

    Things are counted, not only looked up: should two of a root have one address, both have to be seen.
    """
    ours, theirs = Counter(seen(here)), Counter(seen(there))
    both = ours & theirs
    outputs = sum(count for one, count in both.items() if one.is_output)
    return Parity(both.total(), in_order(ours - theirs), in_order(theirs - ours), outputs)


def seen(changes: ByRoot) -> list[Seen]:
    """Every change, root by root."""
    return [to_seen(root, one) for root, found in changes.items() for one in found]


def to_seen(root: str, change: AddressChange) -> Seen:
    """What of a change can be recognised elsewhere."""
    moved = ("move",) if change.previous_address is not None else ()
    imported = ("import",) if change.importing else ()
    actions = tuple(action for action in change.actions if action != "no-op")
    return Seen(root, change.address, change.type, (*actions, *moved, *imported), change.because)


def in_order(changes: Counter[Seen] | Iterable[Seen]) -> tuple[Seen, ...]:
    """What destroys first, then what is forgotten, then the rest; by root and address."""
    found = changes.elements() if isinstance(changes, Counter) else changes
    return tuple(sorted(found, key=lambda one: (one.rank, one.root, one.address, one.actions)))
