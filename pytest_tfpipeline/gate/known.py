"""How many findings were let through because the baseline knows them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_tfpipeline.model import Record


def let_through(records: Iterable[Record]) -> int:
    """The known findings of these records; of a check that was performed again, those of the last time."""
    last = {record.check: record for record in records}
    return sum(finding.known for record in last.values() for finding in record.findings)


def known_note(count: int) -> str:
    """What a verdict says of them."""
    return f"{count:,} known finding{' was' if count == 1 else 's were'} let through: the baseline has them"
