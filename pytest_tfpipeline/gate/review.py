"""What is new since somebody looked: against the reviewed plan, and against the checks of the last apply. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from pytest_tfpipeline.gate.digest import AddressChange
from pytest_tfpipeline.gate.parity import Seen, in_order, to_seen


class Proposed(Protocol):
    """What would be applied: by root, the digest of its plan and those of its changes."""

    @property
    def plans(self) -> Mapping[str, str]: ...

    @property
    def changes(self) -> Mapping[str, tuple[AddressChange, ...]]: ...


@dataclass(frozen=True, slots=True)
class Review:
    """The plans of this run against the reviewed ones.

    `new`, `gone` and `changed` are changes by address: not reviewed, reviewed and not there any more, there with other
    actions or values. `otherwise` are roots whose changes are the reviewed ones and whose plan still is another one: an
    output, a file, a provider or the state's serial differs. `unreviewed` are roots the review had no plan of (it may
    have been deferred): all their changes are new, and none is counted as such.
    `values_compared` is False where the digests of the two runs were made with different keys.
    """

    new: tuple[Seen, ...] = ()
    gone: tuple[Seen, ...] = ()
    changed: tuple[Seen, ...] = ()
    otherwise: tuple[str, ...] = ()
    unreviewed: tuple[str, ...] = ()
    values_compared: bool = True

    @property
    def identical(self) -> bool:
        """Whether what would be applied is exactly what was reviewed."""
        differing = (self.new, self.gone, self.changed, self.otherwise, self.unreviewed)
        return self.values_compared and not any(differing)


def to_review(reviewed: Proposed, now: Proposed, *, same_key: bool = True) -> Review:
    """Compare by root and address. Without `same_key` the digests say nothing: only actions are compared."""
    before, after = _by_address(reviewed, same_key), _by_address(now, same_key)
    both = before.keys() & after.keys()
    changed = {key for key in both if before[key] != after[key]}
    differing = {root for root, _ in changed | (before.keys() ^ after.keys())}
    common = reviewed.plans.keys() & now.plans.keys() if same_key else set()
    return Review(
        new=_seen(now, (key for key in after.keys() - before.keys() if key[0] in reviewed.plans)),
        gone=_seen(reviewed, before.keys() - after.keys()),
        changed=_seen(now, changed),
        otherwise=tuple(sorted(root for root in common - differing if reviewed.plans[root] != now.plans[root])),
        unreviewed=tuple(sorted(now.plans.keys() - reviewed.plans.keys())),
        values_compared=same_key,
    )


_Key = tuple[str, str]


def _by_address(proposed: Proposed, with_digest: bool) -> dict[_Key, list[tuple[str, ...]]]:
    """By root and address what happens there, in no order."""
    found: dict[_Key, list[tuple[str, ...]]] = defaultdict(list)
    for root, changes in proposed.changes.items():
        for one in changes:
            what = to_seen(root, one)
            found[root, one.address].append((one.digest if with_digest else "", what.type, *what.actions))
    return {key: sorted(value) for key, value in found.items()}


def _seen(proposed: Proposed, keys: Iterable[_Key]) -> tuple[Seen, ...]:
    wanted = set(keys)
    return in_order(
        to_seen(root, one)
        for root, changes in proposed.changes.items()
        for one in changes
        if (root, one.address) in wanted
    )


@dataclass(frozen=True, slots=True)
class Dropped:
    """Checks of one kind that the last applied run passed and this run does not have; `ids` in order."""

    kind: str
    ids: tuple[str, ...]


def to_dropped(last: Mapping[str, str], now: Iterable[str]) -> tuple[Dropped, ...]:
    """The checks in `last` (kind by id) that are not in `now` (ids), by kind.

    A check that both runs have and that did not pass now is no matter of this: the gate is closed by it.
    """
    gone: dict[str, list[str]] = defaultdict(list)
    for check in last.keys() - set(now):
        gone[last[check]].append(check)
    return tuple(Dropped(kind, tuple(sorted(ids))) for kind, ids in sorted(gone.items()))
