"""What a run says of its baseline, a line each. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from pytest_tfpipeline.gate.result import BaselineResult, Recorded
from pytest_tfpipeline.given import said
from pytest_tfpipeline.model import KnownFinding

#: Entries that are named; the rest is counted.
_SHOWN = 3
#: Lines of what a new baseline has, and of why there is none.
_LINES = 10
_COMMAND = "`pytest --tf-baseline`"


def baseline_notes(result: BaselineResult | None, *, judged: bool) -> Iterator[str]:
    """What was let through (unless a verdict says that: `judged`), and what the file need not have any more."""
    if result is None:
        return
    if result.known and not judged:
        were = "was" if result.known == 1 else "were"
        yield f"{_counted(result.known)} {were} let through: {result.file} has them"
    if result.left:
        gone = sum(entry.count for entry in result.left)
        found, them = ("is found no more", "it") if gone == 1 else ("are found no more", "them")
        yield f"{_counted(gone)} of {result.file} {found}, {_COMMAND} takes {them} out: {_some(result.left)}"
    if result.moved:
        yield f"{result.moved:,} new where known ones are gone: if files were moved, {_COMMAND} takes that over"


def recorded_notes(recorded: Recorded, file: str) -> Iterator[str]:
    """What was added, kept and taken out; or why nothing was written."""
    if recorded.refused or recorded.change is None:
        yield f"{file} was not written: {len(recorded.refused)} in the way"
        yield from _capped([f"  {text}" for text in recorded.refused])
        return
    change = recorded.change
    added, removed = sum(one.count for one in change.added), sum(one.count for one in change.removed)
    moved = f", {change.moved:,} of them moved" if change.moved else ""
    yield f"{file}: {_counted(recorded.total)}; {added:,} added{moved}, {change.kept:,} kept, {removed:,} removed"
    yield from _capped([f"  added: {line}" for line in _by_check(change.added)])
    yield from _capped([f"  removed: {line}" for line in _by_check(change.removed)])
    if recorded.unjudged:
        yield f"{_counted(recorded.unjudged)} of checks that were not run, or could not judge, stay as they are"
    if recorded.secret:
        yield f"{_counted(recorded.secret, '')} left out: a secret stands in the address, and would in the file"
    if added:
        yield f"they are let through from now on: read {file}, and commit it"
    elif not recorded.total:
        yield f"nothing is let through any more: {file} can be deleted"
    if recorded.partly:
        yield "these could not judge everything: nothing of theirs was taken out, and they fail until they can"
        yield from _capped([f"  {line}" for line in _by_reason(recorded.partly)])


def _by_reason(partly: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The checks by what was in their way, the commonest first."""
    checks: dict[str, list[str]] = {}
    for check, why in partly:
        checks.setdefault(why, []).append(check)
    for why, some in sorted(checks.items(), key=lambda item: -len(item[1])):
        more = f" and {len(some) - 1} more" if len(some) > 1 else ""
        yield f"{some[0]}{more}: {why}"


def _by_check(entries: Sequence[KnownFinding]) -> list[str]:
    """`terraform/core policy: 1,255 (CKV_AWS_18 40, CKV_AWS_21 38, ...)`."""
    rules: dict[tuple[str, str], Counter[str]] = {}
    for entry in entries:
        environment = f"[{entry.environment}]" if entry.environment else ""
        rules.setdefault((entry.dir, f"{entry.check}{environment}"), Counter())[entry.rule] += entry.count
    ordered = sorted(rules.items(), key=lambda item: (-item[1].total(), item[0]))
    return [
        f"{said(directory)} {check}: {counts.total():,} ({_most(counts)})" for (directory, check), counts in ordered
    ]


def _most(counts: Counter[str]) -> str:
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    said = ", ".join(f"{rule} {count:,}" for rule, count in most[:_SHOWN])
    return f"{said}, ..." if len(most) > _SHOWN else said


def _some(entries: Sequence[KnownFinding]) -> str:
    said = ", ".join(f"{one.rule} {one.address or one.file or one.dir}" for one in entries[:_SHOWN])
    return f"{said} and {len(entries) - _SHOWN:,} more" if len(entries) > _SHOWN else said


def _capped(lines: Sequence[str]) -> list[str]:
    left = len(lines) - _LINES
    return [*lines[:_LINES], f"  and {left:,} more"] if left > 0 else [*lines]


def _counted(count: int, word: str = "known ") -> str:
    return f"{count:,} {word}finding{'' if count == 1 else 's'}"
