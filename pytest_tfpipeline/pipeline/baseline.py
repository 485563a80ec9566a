"""The baseline of a run: what counts of its file, what became of it in the run, and the file made anew."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_tfpipeline.checks.baseline import compared_key, entries_key
from pytest_tfpipeline.config.baseline import read_baseline, render_baseline
from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.context import Context
from pytest_tfpipeline.errors import ConfigurationError, UsageError
from pytest_tfpipeline.gate.known import let_through
from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.gate.result import BaselineResult, Recorded
from pytest_tfpipeline.model import (
    Baseline,
    Compared,
    KnownFinding,
    KnownFindings,
    Outcome,
    Record,
    Run,
)
from pytest_tfpipeline.policies.baseline import (
    KINDS,
    Scope,
    difference,
    in_both,
    in_order,
    merged,
    moved,
    scope_of,
    total,
)
from pytest_tfpipeline.workspace import Workspace
from pytest_tfpipeline.workspace.write import write_shared

#: After these nobody knows what a run has not found.
_CUT_SHORT = (Code.WORKER_CRASHED, Code.COLLECTION_ERROR, Code.INTERNAL_ERROR, Code.INTERRUPTED)
_GONE, _FILE = "baseline-gone", "baseline-file"


@dataclass(frozen=True, slots=True)
class Known:
    """`use` is what the run is told, None without a baseline; `entries` are those that count, and `file` all of the
    repository's own file."""

    use: Baseline | None = None
    entries: tuple[KnownFinding, ...] = ()
    file: tuple[KnownFinding, ...] = ()
    notes: tuple[str, ...] = ()


def read_known(top: Path, config: Config, limit: Path | None, *, recording: bool) -> Known:
    """What the repository's baseline lets through, as far as the operator's `limit` has it too.

    Raises ConfigurationError for what is wrong with either file, and UsageError where none may be made.
    """
    name = config.baseline
    if name is None:
        if recording:
            what = "the operator file lets no baseline count"
            raise UsageError(what, where="--tf-baseline", mend="mend what is found, or have the operator allow one")
        return Known()
    path = top / name
    _refuse_outside(path, top, name)
    at_most = None if limit is None else read_baseline(limit, str(limit))
    there = path.exists() or path.is_symlink()
    if not there and not recording and "baseline" not in config.model_fields_set:
        return Known()
    file = read_baseline(path, name) if there or not recording else ()
    entries = file if at_most is None else in_both(file, at_most)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest() if there else ""
    use = Baseline(name, sha256, _digest(entries), total(entries), recording)
    return Known(use, entries, file, tuple(_limited(name, file, entries)))


def keep_known(run: Run, known: Known) -> None:
    """Put the entries into the run's store, by check, for whichever process needs them."""
    if known.use is None:
        return
    workspace, by_scope = Workspace(run), defaultdict(list)
    for entry in known.entries:
        by_scope[scope_of(entry)].append(entry)
    for scope, entries in by_scope.items():
        workspace.put(entries_key(scope), KnownFindings(tuple(entries)))
    places = _places(run)
    workspace.put(_GONE, KnownFindings(tuple(one for one in known.entries if scope_of(one) not in places)))
    if known.use.recording:
        workspace.put(_FILE, KnownFindings(known.file))


def baseline_result(ctx: Context, records: Sequence[Record]) -> BaselineResult | None:
    """What the baseline did in this run; None without one."""
    baseline = ctx.run.baseline
    if baseline is None:
        return None
    compared = _compared(ctx, records)
    gone = ctx.workspace.get(_GONE, KnownFindings) or KnownFindings()
    left = in_order((*gone.entries, *(entry for one in compared.values() for entry in one.left)))
    new = [entry for one in compared.values() for entry in one.new]
    return BaselineResult(baseline.file, baseline.digest, let_through(records), left, moved(new, left))


def record_baseline(
    ctx: Context, records: Sequence[Record], objections: Iterable[Reason], say: Callable[[str], str]
) -> Recorded:
    """Write the baseline's file anew: what this run has found, and the entries of what it has not judged.

    Nothing is written where the run broke off, or no check could judge. `say` masks secrets.
    """
    run = ctx.run
    partly = tuple(_partly(ctx, records))
    path, refused = Path(run.repository.path, _use(run).file), [*_refusals(ctx, records, objections, partly)]
    if refused or _sha256(path) != _use(run).sha256:
        return Recorded(refused=tuple(refused) or ("it was changed while the run was going on",))
    before = (ctx.workspace.get(_FILE, KnownFindings) or KnownFindings()).entries
    judged = _compared(ctx, records)
    found = [entry for one in judged.values() for entry in one.found]
    shown = [entry for entry in found if _plain(entry, say)]
    kept = [*_unjudged(before, judged, _places(run))]
    after = merged(replace(entry, text=say(entry.text)) for entry in (*shown, *kept))
    if after or path.exists():
        write_shared(path, render_baseline(after))
    change = difference(before, after)
    return Recorded(change, total(after), total(kept), total(found) - total(shown), partly)


def _unjudged(
    before: Sequence[KnownFinding], judged: Mapping[Scope, Compared], places: Collection[Scope]
) -> Iterator[KnownFinding]:
    """Entries of checks that were not run, and of those that judged only in part what they have not found."""
    yield from (entry for entry in before if scope_of(entry) in places and scope_of(entry) not in judged)
    for scope, one in judged.items():
        if one.partial:
            yield from difference(one.found, [entry for entry in before if scope_of(entry) == scope]).added


def _refusals(
    ctx: Context, records: Sequence[Record], objections: Iterable[Reason], partly: Iterable[tuple[str, str]]
) -> Iterator[str]:
    yield from (reason.text for reason in objections if reason.code in _CUT_SHORT)
    if not _compared(ctx, records):
        yield "no fmt, lint or policy check was run, or none could judge"
        yield from (f"{check}: {why}" for check, why in partly)


def _partly(ctx: Context, records: Iterable[Record]) -> Iterator[tuple[str, str]]:
    """The checks that were run and could not judge everything, and why."""
    for record in records:
        if record.kind in KINDS and record.outcome is not Outcome.DEFERRED:
            compared = ctx.workspace.get(compared_key(record.check), Compared)
            if compared is None or compared.partial:
                why = (record.summary or record.text).splitlines() or [record.outcome.value]
                yield record.check, why[0].rstrip(":")


def _compared(ctx: Context, records: Iterable[Record]) -> dict[Scope, Compared]:
    """What the checks compared, by what they are called in the baseline. Environments that borrow from one are one."""
    found: dict[Scope, Compared] = {}
    own = (record for record in records if not (record.reused and ctx.run.can_apply))  # else it is another job's word
    for name in dict.fromkeys(record.check for record in own if record.kind in KINDS):
        one = ctx.workspace.get(compared_key(name), Compared)
        if one is not None:
            scope = (one.check, one.dir, one.environment)
            found[scope] = one if scope not in found else _both(found[scope], one)
    return found


def _both(one: Compared, other: Compared) -> Compared:
    found = merged((*one.found, *difference(one.found, other.found).added))
    left, partial = in_both(one.left, other.left), one.partial or other.partial
    return replace(one, found=found, new=merged((*one.new, *other.new)), left=left, partial=partial)


def _places(run: Run) -> frozenset[Scope]:
    """Every check that there could be in this repository, as the baseline calls it."""
    repository = run.repository
    directories = [*(root.dir for root in repository.roots), *(module.dir for module in repository.modules)]
    static = ((name, directory, None) for name in ("fmt", "lint") for directory in directories)
    suites = (("ruff", suite.dir, None) for suite in repository.suites)
    return frozenset((*static, *suites, *(("policy", *place) for place in run.policed)))


def _plain(entry: KnownFinding, say: Callable[[str], str]) -> bool:
    """Whether nothing that it is known by is a secret."""
    texts = (entry.dir, entry.rule, entry.file or "", entry.address or "")
    return all(say(text) == text for text in texts)


def _use(run: Run) -> Baseline:
    if run.baseline is None:
        raise UsageError("this run has no baseline", where="--tf-baseline")
    return run.baseline


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def _digest(entries: Iterable[KnownFinding]) -> str:
    text = render_baseline(replace(entry, text="") for entry in merged(entries))
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _limited(name: str, file: Sequence[KnownFinding], entries: Sequence[KnownFinding]) -> Iterator[str]:
    if total(entries) < total(file):
        count = f"{total(entries):,} of the {total(file):,}"
        yield f"the operator file lets {count} known findings of {name} count"


def _refuse_outside(path: Path, top: Path, name: str) -> None:
    if not path.parent.resolve().is_relative_to(top.resolve()):
        raise ConfigurationError("leads out of the repository", where=name, mend="name a file of the repository")
