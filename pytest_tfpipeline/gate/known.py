"""How many findings were let through because the baseline knows them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_tfpipeline.model import Record


def let_through(records: Iterable[Record]) -> int:
    """The known findings of these records; of a check that was performed more than once, the most that were found."""
    most: dict[str, int] = {}
    for record in records:
        count = sum(finding.known for finding in record.findings)
        most[record.check] = max(count, most.get(record.check, 0))
    return sum(most.values())


def known_note(count: int) -> str:
    """What a verdict says of them."""
    return f"{count:,} known finding{' was' if count == 1 else 's were'} let through: the baseline has them"
