"""Which findings of `policy` checks a waiver is about, and what becomes of them. Pure.

A waiver's `address` is a pattern in which `*` stands for any text and `?` for one character; brackets stand for
themselves, as terraform's addresses have them. With `//` in it the part before is about the directory of the root or
module; without, the directory does not matter. A finding without an address has the empty one, which only `*` means.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase

from pytest_tfpipeline.model import Finding, Severity, Waiver

#: A `policy` check: the directory, and the environment of the plan or None for the configuration itself.
Place = tuple[str, str | None]


def covers(waiver: Waiver, place: Place, finding: Finding) -> bool:
    """Whether it is about that finding of that check, expired or not."""
    address = _parts(waiver)[1]
    return waiver.rule == finding.rule and in_scope(waiver, place) and _like(finding.address or "", address)


def in_scope(waiver: Waiver, place: Place) -> bool:
    """Whether it could be about a finding of that check; with an environment, only plans there are meant."""
    directory = _parts(waiver)[0]
    in_environment = waiver.environment is None or waiver.environment == place[1]
    return in_environment and (directory is None or _like(place[0], directory))


def expired(waiver: Waiver, today: date) -> bool:
    """Whether its last day is over."""
    return today > date.fromisoformat(waiver.expires)


def waive(findings: Iterable[Finding], waivers: Sequence[Waiver], place: Place, today: date) -> tuple[Finding, ...]:
    """The same findings; a waived one is a notice that says who answers for it and until when. One whose waiver has
    expired stays what it is, and says so."""
    return tuple(_waived(one, [each for each in waivers if covers(each, place, one)], today) for one in findings)


def _waived(finding: Finding, found: Sequence[Waiver], today: date) -> Finding:
    if not found:
        return finding
    valid = next((waiver for waiver in found if not expired(waiver, today)), None)
    if valid is None:
        gone = f"its waiver ({found[0].place}, {found[0].owner}) expired: the last day was {found[0].expires}"
        return replace(finding, text=f"{finding.text}\n-> {gone}. Mend it, or have the waiver renewed.")
    said = f"waived until {valid.expires} by {valid.owner} ({valid.reason}): {finding.text}"
    return replace(finding, severity=Severity.NOTICE, text=said)


def _parts(waiver: Waiver) -> tuple[str | None, str]:
    """The patterns of directory and address. A `//` behind a quote belongs to the key of an instance."""
    directory, found, address = waiver.address.partition("//")
    return (directory, address) if found and '"' not in directory else (None, waiver.address)


def _like(text: str, pattern: str) -> bool:
    return fnmatchcase(text, pattern.replace("[", "[[]"))
