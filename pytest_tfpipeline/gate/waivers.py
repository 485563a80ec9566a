"""Waivers as the gate sees them: which have expired, which waive nothing, which will expire soon. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date

from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.model import CheckKind, Outcome, Record, Waiver
from pytest_tfpipeline.policies.waivers import Place, covers, expired, in_scope

#: Days before its last one from which on a waiver is announced.
ANNOUNCED = 14
#: Outcomes after which a `policy` check has judged everything that it is about.
_JUDGED = (Outcome.PASSED, Outcome.FAILED)


def used(waivers: Iterable[Waiver], records: Iterable[Record]) -> frozenset[Waiver]:
    """The waivers that cover a finding of these records, expired ones too."""
    found = [record for record in records if record.kind is CheckKind.POLICY and record.dir is not None]
    return frozenset(
        waiver
        for waiver in waivers
        for record in found
        if any(covers(waiver, (record.dir or "", record.environment), finding) for finding in record.findings)
    )


def wholly_judged(waivers: Iterable[Waiver], policed: Iterable[Place], records: Iterable[Record]) -> frozenset[Waiver]:
    """The waivers of which every check that they could be about has judged. `policed` are all checks that there could
    be, in every environment, whether this run has them or not."""
    judged = {(one.dir, one.environment) for one in records if one.kind is CheckKind.POLICY and one.outcome in _JUDGED}
    left = [place for place in policed if place not in judged]
    return frozenset(waiver for waiver in waivers if not any(in_scope(waiver, place) for place in left))


def to_waivers(
    waivers: Iterable[Waiver], used: Collection[Waiver], judged_scope: Collection[Waiver], today: date
) -> Iterator[Reason]:
    """Waivers that have expired, and those that waive nothing although everything they could be about was judged."""
    for waiver in waivers:
        if expired(waiver, today):
            mend = "mend what it waives, or have it renewed" if waiver in used else "take it out"
            text = f"{_named(waiver)} expired: its last day was {waiver.expires}; {mend} (owner: {waiver.owner})"
            yield Reason(Code.WAIVER_EXPIRED, text)
        elif waiver in judged_scope and waiver not in used:
            yield Reason(Code.WAIVER_UNUSED, f"{_named(waiver)} waives nothing; take it out (owner: {waiver.owner})")


def to_notes(waivers: Iterable[Waiver], today: date) -> Iterator[str]:
    """Waivers that will expire within a fortnight, and those of expired ones that nothing has judged yet."""
    for waiver in waivers:
        left = (date.fromisoformat(waiver.expires) - today).days
        if 0 <= left <= ANNOUNCED:
            when = "today" if left == 0 else f"in {left} day{'' if left == 1 else 's'}, on {waiver.expires}"
            yield f"{_named(waiver)} expires {when} (owner: {waiver.owner}; {waiver.reason})"
        elif left < 0:
            yield f"{_named(waiver)} has expired: its last day was {waiver.expires} (owner: {waiver.owner})"


def _named(waiver: Waiver) -> str:
    where = f" in {waiver.environment}" if waiver.environment else ""
    return f"{waiver.place}: the waiver of {waiver.rule} for {waiver.address}{where}"
