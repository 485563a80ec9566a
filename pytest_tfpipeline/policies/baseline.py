"""Which findings the baseline knows: what makes two of them the same, and what differs between two baselines. Pure.

A finding is known by rule, file, address and content, never by its line: what stands above it may grow. Each entry lets
through as many findings as it counts. An unformatted file is known as long as each of its unformatted lines is.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from pytest_tfpipeline.model import CheckKind, Finding, KnownFinding

#: The check, the directory, and the environment of a plan.
Scope = tuple[str, str, str | None]

#: The checks whose findings can be in a baseline.
KINDS = (CheckKind.FMT, CheckKind.LINT, CheckKind.POLICY)
#: Characters of a text that is kept for people.
_TEXT = 160
#: Hexadecimal digits of a digest.
_DIGITS = 16
_WHERE = re.compile(r"(\.(?:tf|tofu|tfvars|hcl|json|py)):\d+[\d,:-]*|(\blines?) \d+")
#: The check whose entries are about a file, line by line.
_BY_LINE = "fmt"
_MODULES = re.compile(r'^(?:module\.[^.\["]+(?:\[(?:\d+|"(?:[^"\\]|\\.)*")\])?\.)+')


@dataclass(frozen=True, slots=True)
class Difference:
    """From one baseline to the next, in findings. `moved` counts those of `added` that are among `removed` under
    another file or directory."""

    added: tuple[KnownFinding, ...]
    kept: int
    removed: tuple[KnownFinding, ...]
    moved: int


def digest_of(text: str) -> str:
    """A short digest of a text in which white space does not count."""
    return raw_digest(" ".join(text.split()))


def raw_digest(text: str) -> str:
    """A short digest of a text as it is."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]


def without_place(text: str) -> str:
    """A tool's message without the numbers of lines in it."""
    return _WHERE.sub(r"\1\2", text)


def entry_of(scope: Scope, finding: Finding, content: Sequence[str]) -> KnownFinding:
    """The entry that knows that finding. In code, a resource of a module is the same by whichever call it was found."""
    check, directory, environment = scope
    address = finding.address
    if address is not None and environment is None:
        address = _MODULES.sub("", address)
    return KnownFinding(
        check,
        directory,
        finding.rule,
        tuple(sorted(content)),
        environment,
        finding.file,
        address,
        text=" ".join(finding.text.partition("\n-> ")[0].split())[:_TEXT],
    )


def scope_of(entry: KnownFinding) -> Scope:
    """The check that it is about."""
    return entry.check, entry.dir, entry.environment


def known_among(
    found: Sequence[KnownFinding], entries: Iterable[KnownFinding]
) -> tuple[list[bool], tuple[KnownFinding, ...]]:
    """Which of the findings the entries know, in their order; and what is left of the entries.

    Where more are found than an entry counts, the last ones are not known.
    """
    left = Counter[KnownFinding]()
    for entry in entries:
        left[_bare(entry)] += entry.count
    known = [_take(left, _bare(one)) for one in found]
    lines = defaultdict(list)
    for entry in left:
        if left[entry] > 0 and entry.check == _BY_LINE:
            lines[replace(entry, content=())].append(entry)
    for index, one in enumerate(found):
        if not known[index]:
            among = lines[replace(_bare(one), content=())]
            known[index] = any(_take(left, entry) for entry in among if Counter(one.content) <= Counter(entry.content))
    return known, in_order(replace(entry, count=count) for entry, count in left.items() if count > 0)


def gone(left: Iterable[KnownFinding], found: Iterable[KnownFinding]) -> tuple[KnownFinding, ...]:
    """What is left of the entries and found no more: not a file that has become unformatted in more lines."""
    there = {replace(_bare(one), content=()) for one in found if one.check == _BY_LINE}
    return tuple(entry for entry in left if replace(_bare(entry), content=()) not in there)


def merged(entries: Iterable[KnownFinding]) -> tuple[KnownFinding, ...]:
    """Entries that say the same as one, in order."""
    counts: dict[KnownFinding, list[KnownFinding]] = defaultdict(list)
    for entry in entries:
        counts[_bare(entry)].append(entry)
    return in_order(replace(same[0], count=sum(one.count for one in same)) for same in counts.values())


def difference(before: Sequence[KnownFinding], after: Sequence[KnownFinding]) -> Difference:
    """What a new baseline has that the old one had not, and the other way round."""
    each = [replace(entry, count=1) for entry in after for _ in range(entry.count)]
    known, left = known_among(each, before)
    added = merged(entry for entry, is_known in zip(each, known, strict=True) if not is_known)
    return Difference(added, sum(known), left, moved(added, left))


def moved(new: Iterable[KnownFinding], left: Iterable[KnownFinding]) -> int:
    """How many of the new ones stood in another file or directory before."""
    gone = Counter[KnownFinding]()
    for entry in left:
        gone[_nowhere(entry)] += entry.count
    come = Counter[KnownFinding]()
    for entry in new:
        come[_nowhere(entry)] += entry.count
    return (gone & come).total()


def in_both(entries: Iterable[KnownFinding], limit: Iterable[KnownFinding]) -> tuple[KnownFinding, ...]:
    """The entries as far as the other list allows them: as often as both have them, and the lines that both have."""
    allowed = {_bare(entry): entry.count for entry in merged(limit)}
    lines = {replace(entry, content=()): Counter(entry.content) for entry in allowed if entry.check == _BY_LINE}
    kept = []
    for entry in merged(entries):
        bare = _bare(entry)
        both = Counter(bare.content) & lines.get(replace(bare, content=()), Counter())
        if bare in allowed:
            kept.append(replace(entry, count=min(entry.count, allowed[bare])))
        elif both:
            kept.append(replace(entry, content=tuple(sorted(both.elements()))))
    return tuple(kept)


def total(entries: Iterable[KnownFinding]) -> int:
    """How many findings they are."""
    return sum(entry.count for entry in entries)


def in_order(entries: Iterable[KnownFinding]) -> tuple[KnownFinding, ...]:
    """By directory, check and environment, then by place."""
    return tuple(sorted(entries, key=_order))


def _order(entry: KnownFinding) -> tuple[object, ...]:
    where = (entry.dir, entry.check, entry.environment or "", entry.file or "", entry.address or "")
    return (*where, entry.rule, entry.content, entry.text)


def _take(left: Counter[KnownFinding], entry: KnownFinding) -> bool:
    if left[entry] <= 0:
        return False
    left[entry] -= 1
    return True


def _bare(entry: KnownFinding) -> KnownFinding:
    """What is compared: all but the count, and the text, which another version of a tool words otherwise."""
    return replace(entry, count=1, text="")


def _nowhere(entry: KnownFinding) -> KnownFinding:
    return replace(_bare(entry), dir="", file=None)
