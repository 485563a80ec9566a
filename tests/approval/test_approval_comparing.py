"""What is new: against the earlier environment, the reviewed plan, and the checks of the last apply."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.gate.digest import AddressChange
from pytest_tfpipeline.gate.parity import Parity, Seen, to_parity
from pytest_tfpipeline.gate.review import Dropped, Review, to_dropped, to_review


def change(address: str, *actions: str, digest: str = "1", **more: object) -> AddressChange:
    kind = "output" if address.startswith("output.") else address.split(".")[0]
    return AddressChange(address, kind, actions or ("create",), digest, **more)  # type: ignore[arg-type]


def seen(root: str, address: str, *actions: str) -> Seen:
    return Seen(root, address, address.split(".")[0], actions or ("create",))


def test_the_same_changes_are_only_counted() -> None:
    here = {"core": (change("a.x", digest="1"), change("b.y", "update", digest="2")), "etl": ()}
    there = {"core": (change("b.y", "update", digest="9"), change("a.x", digest="8"))}
    assert to_parity(here, there) == Parity(2)


@pytest.mark.parametrize(
    "other",
    [
        {"etl": (change("a.x"),)},
        {"core": (change("a.z"),)},
        {"core": (AddressChange("a.x", "b", ("create",), "1"),)},
        {"core": (change("a.x", "update"),)},
        {"core": (change("a.x", "create", importing=True),)},
        {"core": (change("a.x", "create", previous_address="a.w"),)},
        {},
    ],
    ids=["root", "address", "type", "actions", "import", "move", "nothing"],
)
def test_each_part_of_a_change_counts(other: Mapping[str, tuple[AddressChange, ...]]) -> None:
    parity = to_parity({"core": (change("a.x"),)}, other)
    assert parity.same == 0
    assert parity.only_here == (seen("core", "a.x"),)
    assert len(parity.only_there) == len(other)


def test_what_destroys_is_named_first() -> None:
    found = (
        change("a.a"),
        change("b.b", "forget"),
        change("c.c", "delete", "create"),
        change("d.d", "delete"),
        change("output.o", "delete"),
    )
    order = [one.address for one in to_parity({"core": found}, {}).only_here]
    assert order == ["c.c", "d.d", "b.b", "a.a", "output.o"]


def test_two_at_one_address_have_to_be_seen_twice() -> None:
    parity = to_parity({"core": (change("a.x", "delete"),) * 2}, {"core": (change("a.x", "delete"),)})
    assert (parity.same, len(parity.only_here)) == (1, 1)


def test_a_move_and_an_import_are_what_is_done() -> None:
    moved = change("a.x", "no-op", previous_address="a.w", importing=True)
    assert to_parity({"core": (moved,)}, {}).only_here == (seen("core", "a.x", "move", "import"),)


_changes = st.dictionaries(
    st.sampled_from(["core", "etl"]),
    st.lists(st.builds(change, st.sampled_from(["a.x", "b.y"]), st.sampled_from(["create", "delete"])), max_size=4).map(
        tuple
    ),
)


@given(_changes, _changes)
@settings(deadline=None)
def test_nothing_is_lost_between_the_two(
    here: dict[str, tuple[AddressChange, ...]], there: dict[str, tuple[AddressChange, ...]]
) -> None:
    parity = to_parity(here, there)
    assert parity.same + len(parity.only_here) == sum(map(len, here.values()))
    assert parity.same + len(parity.only_there) == sum(map(len, there.values()))
    assert to_parity(there, here) == Parity(parity.same, parity.only_there, parity.only_here)


@dataclass(frozen=True)
class Plans:
    """As much of a proposal as is compared."""

    plans: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, tuple[AddressChange, ...]] = field(default_factory=dict)


BASE = Plans({"core": "p1", "etl": "p2"}, {"core": (change("a.x"), change("b.y", "update")), "etl": ()})


def test_the_same_plans_are_identical() -> None:
    again = Plans(dict(reversed([*BASE.plans.items()])), {"core": tuple(reversed(BASE.changes["core"]))})
    assert to_review(BASE, again) == Review()
    assert Review().identical


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ((change("a.x"), change("b.y", "update"), change("c.z")), Review(new=(seen("core", "c.z"),))),
        ((change("a.x"),), Review(gone=(seen("core", "b.y", "update"),))),
        ((change("a.x", digest="2"), change("b.y", "update")), Review(changed=(seen("core", "a.x"),))),
        (
            (change("a.x"), change("b.y", "delete", "create")),
            Review(changed=(seen("core", "b.y", "delete", "create"),)),
        ),
        (
            (change("a.x"), change("a.x", digest="2"), change("b.y", "update")),
            Review(changed=(seen("core", "a.x"), seen("core", "a.x"))),
        ),
    ],
    ids=["new", "gone", "values", "actions", "twice"],
)
def test_a_difference_is_named_by_address(now: tuple[AddressChange, ...], expected: Review) -> None:
    found = to_review(BASE, Plans({"core": "p9", "etl": "p2"}, {"core": now}))
    assert found == expected
    assert not found.identical


def test_another_plan_with_the_same_changes_is_not_identical() -> None:
    found = to_review(BASE, Plans({"core": "p9", "etl": "p2"}, BASE.changes))
    assert found == Review(otherwise=("core",))
    assert not found.identical


def test_a_root_that_nobody_reviewed_is_named() -> None:
    found = to_review(Plans({"core": "p1"}, BASE.changes), BASE)
    assert found == Review(unreviewed=("etl",))
    assert not found.identical
    deferred = to_review(Plans({}, {"core": ()}), Plans({"core": "p1"}, BASE.changes))
    assert deferred == Review(unreviewed=("core",)), "its changes are not twice new"


def test_with_another_key_actions_are_compared_and_nothing_is_identical() -> None:
    other = Plans({"core": "x", "etl": "y"}, {"core": (change("a.x", digest="9"), change("b.y", "delete", digest="8"))})
    found = to_review(BASE, other, same_key=False)
    assert found == Review(changed=(seen("core", "b.y", "delete"),), values_compared=False)
    assert not to_review(BASE, BASE, same_key=False).identical


def test_checks_that_are_gone_are_named_by_kind() -> None:
    last = {"core::validate": "validate", "core::policy": "policy", "test_b": "policy_test", "test_a": "policy_test"}
    assert to_dropped(last, ["core::validate", "new"]) == (
        Dropped("policy", ("core::policy",)),
        Dropped("policy_test", ("test_a", "test_b")),
    )
    assert to_dropped(last, last) == ()
