"""What is shown before an approval: enough for a colleague who was not there to decide in a minute. Pure.

The worst comes first, nothing is hidden without its number, and no value of any resource is shown. Every text from
outside is escaped and kept to one line, so that no name can pass for a line of this report.
"""

from __future__ import annotations

import shlex
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pytest_tfpipeline.gate.approval import SIGNED, Request
from pytest_tfpipeline.gate.parity import ByRoot, Parity, Seen, in_order, seen
from pytest_tfpipeline.gate.result import EnvironmentResult
from pytest_tfpipeline.gate.review import Dropped, Review
from pytest_tfpipeline.proof.approval import sign_command
from pytest_tfpipeline.redact import clean
from pytest_tfpipeline.reports.text import align, changes_table
from pytest_tfpipeline.terraform.bound import KEY_COMMAND, KEY_VARIABLE

#: Lines of what destroys, replaces or forgets; of any other list; and up to how many changes the rest is listed.
WORST_SHOWN = 60
SHOWN = 15
LISTED = 10
#: Arguments of a change that are named.
NAMED = 6

_NO_KEY = (
    f"This digest is good for this run alone, since {KEY_VARIABLE} is not set. To approve in another run, keep a "
    "key as a secret of the environment, give it to both runs, and run again. To make a key:"
)


@dataclass(frozen=True, slots=True)
class Showing:
    """Everything that is shown.

    `result` has the environment, its plans and whose the credentials are; `changes` those of all roots. `earlier` is
    the environment that `parity` compares with. The three that end in `_signed` are False where nobody vouches for what
    is compared with. `command` is the one to go on with, but for the approval; `statement`
    the file to sign. `holds` is False where the digest is good for this run alone; `asked` is True where the question
    follows on the terminal, `asks` where the command would ask there, and `refused` where all of it was shown and the
    answer was a no.
    """

    request: Request
    result: EnvironmentResult
    changes: ByRoot = field(default_factory=dict)
    ref: str | None = None
    earlier: str | None = None
    parity: Parity | None = None
    parity_signed: bool = True
    review: Review | None = None
    review_signed: bool = True
    dropped: tuple[Dropped, ...] = ()
    dropped_signed: bool = True
    notes: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    statement: str | None = None
    holds: bool = True
    asked: bool = False
    asks: bool = True
    refused: bool = False
    #: What was given already, and why it is not enough.
    so_far: tuple[str, ...] = ()


def approval_text(showing: Showing, width: int = 100) -> str:
    """The report for a terminal of that width. Commands, addresses and digests are never broken."""
    if showing.refused:
        return _after_a_no(showing, width)
    sections = (
        [_head(showing), *_facts(showing)],
        ["So far:", *(f"  {_inline(text)}" for text in showing.so_far)] if showing.so_far else [],
        [f"  {_inline(line)}" for line in changes_table([showing.result])],
        *_changes(showing),
        _not_seen(showing.request),
        _review(showing.review, _unsigned(showing.review_signed)),
        _dropped(showing.dropped, _unsigned(showing.dropped_signed)),
        [f"note: {_inline(note)}" for note in showing.notes],
        _totals(showing),
        ["The digest over all of these plans:", f"  {_inline(showing.request.digest)}"],
        [] if showing.asked else _how(showing),
    )
    return _joined(sections, width)


def _after_a_no(showing: Showing, width: int) -> str:
    """Everything else stands above the question."""
    head = f"{_inline(showing.request.environment)} still waits for an approval: the answer was a no."
    return _joined(([head, f"  {_inline(showing.request.digest)}"], _how(showing)), width)


def _joined(sections: Iterable[Sequence[str]], width: int) -> str:
    lines = [line for section in sections if section for line in ("", *section)]
    return clean("\n".join(_fitted(lines[1:], width)))


def approval_markdown(showing: Showing) -> str:
    """The same for `summary.md`: a block whose fence nothing in it can end."""
    text = approval_text(showing)
    longest = max((len(run) for run in "".join(c if c == "`" else " " for c in text).split()), default=0)
    fence = "`" * max(3, longest + 1)
    return f"### Approval\n\n{fence}text\n{text}\n{fence}\n"


def parity_line(parity: Parity, earlier: str) -> str:
    """`38 changes and 4 outputs as in staging, 2 not seen there`."""
    counts = [(parity.same - parity.same_outputs, "change"), (parity.same_outputs, "output")]
    same = " and ".join(_count(count, word) for count, word in counts if count) or "0 changes"
    news = f"{len(parity.only_here)} not seen there" if parity.only_here else "and no others"
    return f"{same} as in {_inline(earlier)}, {news}"


def review_line(review: Review) -> str:
    """`identical to the reviewed plan`, or how much is not."""
    if review.identical:
        return "identical to the reviewed plan"
    counts = ((len(review.new), "new"), (len(review.changed), "changed"), (len(review.gone), "gone"))
    said = [f"{count} {word}" for count, word in counts if count]
    if said:
        return f"not the reviewed plan: {', '.join(said)}"
    if review.otherwise or review.unreviewed:
        return "not the reviewed plan"
    return "the changes of the reviewed plan, their values not compared: the digests were made with different keys"


def _unsigned(signed: bool) -> str:
    return "" if signed else " (unsigned)"


def _head(showing: Showing) -> str:
    emulated = " (emulated: nothing real is changed)" if showing.result.environment.emulator else ""
    against = ": what was given does not suffice" if showing.so_far else ""
    return f"{_inline(showing.request.environment)} waits for an approval{emulated}{against}"


def _facts(showing: Showing) -> list[str]:
    request = showing.request
    commit = request.commit or "none"
    rows = [
        ("repository", request.repository),
        ("commit", f"{commit} ({showing.ref})" if showing.ref else commit),
        ("account", showing.result.identity or "not asked for: `identity` is not configured"),
        ("wave", str(request.wave)) if request.wave > 1 else ("", ""),
    ]
    return align([(f"  {name}", _inline(value)) for name, value in rows if name], left=(0, 1))


def _changes(showing: Showing) -> Iterator[list[str]]:
    """What destroys, what the earlier environment has not seen, and the rest."""
    everything = in_order(seen(showing.changes))
    unseen = Counter(showing.parity.only_here if showing.parity else ())
    worst = [one for one in everything if one.rank < 2]
    yield _worst(worst, unseen, showing.earlier)
    new = [one for one in unseen.elements() if one.rank == 2]
    if showing.parity is not None:
        earlier = (showing.earlier or "the earlier environment") + _unsigned(showing.parity_signed)
        yield _parity(showing.parity, new, earlier)
    rest = in_order(Counter(everything) - Counter(worst) - Counter(new))
    yield _rest([one for one in rest if not one.is_output], "The rest" if worst or new else "Changes")
    yield _rest([one for one in rest if one.is_output], "Outputs")


def _worst(worst: Sequence[Seen], unseen: Counter[Seen], earlier: str | None) -> list[str]:
    if not worst:
        return ["Nothing is destroyed, replaced or forgotten."]
    forgotten = " (what is forgotten stays as it is)" if any(one.rank for one in worst) else ""
    lines = [f"Destroyed, replaced or forgotten: {len(worst)}{forgotten}"]
    notes = [f"  (not seen in {_inline(earlier or '')})" if one in unseen else "" for one in worst]
    lines += _capped([f"{line}{note}" for line, note in zip(map(_line, worst), notes, strict=True)], WORST_SHOWN)
    return lines


def _parity(parity: Parity, new: Sequence[Seen], earlier: str) -> list[str]:
    lines = [parity_line(parity, earlier), *_capped(map(_line, new), SHOWN)]
    if (above := len(parity.only_here) - len(new)) > 0:
        lines.append(f"  {'and ' if new else ''}{above} of those above")
    if parity.only_there:
        lines += [f"{_count(len(parity.only_there), 'change')} of {_inline(earlier)} not made here"]
        lines += _capped(map(_line, parity.only_there), SHOWN)
    return lines


def _rest(rest: Sequence[Seen], title: str) -> list[str]:
    if not rest:
        return []
    head = f"{title}: {len(rest)}"
    if len(rest) <= LISTED:
        return [head, *map(_line, rest)]
    kinds = Counter((_verb(one.actions), one.type) for one in rest)
    rows = sorted(kinds.items(), key=lambda row: (-row[1], row[0]))
    lines = [f"  {verb:<8} {count} x {_inline(kind)}" for (verb, kind), count in rows[:SHOWN]]
    left = sum(count for _, count in rows[SHOWN:])
    return [head, *lines, *([f"  and {left} more of other types, in evidence.json"] if left else [])]


def _totals(showing: Showing) -> list[str]:
    """Everything in one line, where the lists above are long: the question stands right below it, and they may have
    left the screen."""
    found = in_order(seen(showing.changes))
    if len(found) <= LISTED:
        return []
    verbs = Counter(_verb(one.actions) for one in found if not one.is_output)
    outputs = sum(one.is_output for one in found)
    said = [f"{count} {verb}" for verb, count in verbs.items()] + ([_count(outputs, "output")] if outputs else [])
    worst = "" if any(one.rank < 2 for one in found) else "; nothing is destroyed, replaced or forgotten"
    return [f"In all, {_inline(_whereabouts(showing))}: {', '.join(said)}{worst}"]


def _whereabouts(showing: Showing) -> str:
    commit = showing.request.commit
    return f"in {showing.request.environment}" + (f" from commit {commit[:12]}" if commit else "")


def _not_seen(request: Request) -> list[str]:
    if not request.not_seen:
        return []
    count = _count(len(request.not_seen), "root")
    head = f"Not seen yet: {count}, planned only after an earlier wave, and asked about then"
    return [head, *_capped([f"  {_inline(root)}" for root in request.not_seen], SHOWN)]


def _review(review: Review | None, unsigned: str) -> list[str]:
    if review is None:
        return []
    lines = [f"Review{unsigned}: {review_line(review)}"]
    for word, found in (("new", review.new), ("changed", review.changed), ("gone", review.gone)):
        lines += _capped([f"  {word:<8}{_line(one)[1:]}" for one in found], SHOWN)
    lines += _capped([f"  no plan of it was reviewed: {_inline(root)}" for root in review.unreviewed], SHOWN)
    other = "the reviewed changes, but another plan (outputs, files, providers or state)"
    return lines + _capped([f"  {other}: {_inline(root)}" for root in review.otherwise], SHOWN)


def _dropped(dropped: Sequence[Dropped], unsigned: str) -> list[str]:
    if not dropped:
        return []
    count = sum(len(one.ids) for one in dropped)
    lines = [f"Checks that the last apply{unsigned} had and this run has not: {count}"]
    found = [f"  {_inline(one.kind):<12} {_inline(check)}" for one in dropped for check in one.ids]
    return lines + _capped(found, SHOWN)


def _how(showing: Showing) -> list[str]:
    """How to go on, each command on a line of its own, ready to be copied."""
    request, command = showing.request, _inline(shlex.join(showing.command))
    if not showing.holds:
        return [
            _NO_KEY,
            f"  {KEY_COMMAND}",
            *([] if request.kind == SIGNED or not showing.asks else ["Or answer on a terminal:", f"  {command}"]),
        ]
    if request.kind == SIGNED:
        file = _inline(showing.statement or "approval.json")
        who = (
            "somebody" if request.signatures == 1 else f"{request.signatures} different people, with keys of their own,"
        )
        return [
            f"To approve, {who} read and sign the statement, where their keys are:",
            f"  {sign_command(file)}",
            "Then, with the statement as it is and the signatures beside it:",
            f"  {command} {shlex.quote(f'--approval={file}')}",
        ]
    typed = ["To approve, type the name of the environment on a terminal:", f"  {command}"] if showing.asks else []
    return [
        *typed,
        f"{'or' if typed else 'To approve,'} in a CI job that only those who may approve can start:",
        f"  {command} --approve {_inline(request.digest)}",
    ]


def _verb(actions: Sequence[str]) -> str:
    if {"delete", "create"} <= set(actions):
        return "replace"
    return _inline("+".join(actions)).replace("delete", "destroy")


def _line(one: Seen) -> str:
    return f"  {_verb(one.actions):<8} {_inline(one.root)}//{_inline(one.address)}{_because(one)}"


def _because(one: Seen) -> str:
    """`: tags, timeout` of an update, `: forced by bucket` of a replacement."""
    if not one.because:
        return ""
    more = f" and {len(one.because) - NAMED} more" if len(one.because) > NAMED else ""
    names = f"{', '.join(map(_inline, one.because[:NAMED]))}{more}"
    return f": forced by {names}" if _verb(one.actions) == "replace" else f": {names}"


def _capped(lines: Iterable[str], most: int) -> list[str]:
    found = list(lines)
    if len(found) <= most:
        return found
    return [*found[:most], f"  and {len(found) - most} more, in evidence.json"]


def _count(count: int, word: str) -> str:
    return f"{count} {word}{'' if count == 1 else 's'}"


def _inline(text: str) -> str:
    return clean(text).replace("\n", "\\n").replace("\t", "\\t")


def _fitted(lines: Iterable[str], width: int) -> Iterator[str]:
    """Sentences broken to the width; what is indented is a table, an address or a command, and stays whole."""
    for line in lines:
        if line.startswith("  ") or not line:
            yield line
        else:
            yield from textwrap.wrap(line, width, break_long_words=False, break_on_hyphens=False)
