"""Take results of earlier runs, and keep those of this one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import ValidationError

from pytest_tfpipeline import codec
from pytest_tfpipeline.checks.baseline import compared_key
from pytest_tfpipeline.context import Context
from pytest_tfpipeline.model import Check, CheckKind, Compared, Finding, Outcome, Record, Severity
from pytest_tfpipeline.reuse import STATIC
from pytest_tfpipeline.reuse.entries import Entries
from pytest_tfpipeline.reuse.inputs import Inputs, shares_tree
from pytest_tfpipeline.reuse.place import Place
from pytest_tfpipeline.reuse.programs import recollect, remember
from pytest_tfpipeline.reuse.tree import Tree, Unknowable
from pytest_tfpipeline.workspace.tree import matching

#: What stands in a text that is shorter because another check of the same run has said the rest.
_SHORTENED = ": shown in full by `"
_OF_VALIDATE = "terraform-validate"


@dataclass(frozen=True, slots=True)
class Kept:
    """A result, and what the check held against the baseline."""

    record: Record
    compared: Compared | None = None


class Memory:
    """On the controller: `reused` are the results that stand, and `unknowable` says why there can be none, by check."""

    def __init__(self, place: Place) -> None:
        self._entries = Entries(place.results, place.secret)
        self._programs = Entries(place.own, place.secret)
        self._names: dict[str, str] = {}
        self._copies: dict[Path, Inputs] = {}
        self._written = False
        self.reused: dict[str, Record] = {}
        self.unknowable: dict[str, str] = {}
        recollect(self._programs)

    def look_up(self, ctx: Context, checks: Iterable[Check]) -> None:
        """Find the results that can be taken for these checks; the others are to be made."""
        top = Path(ctx.run.repository.path)
        inputs = Inputs(ctx, Tree(top, _files(ctx, top)))
        for check in checks:
            if check.kind in STATIC and check.environment is None:
                self._look_up(inputs, check)

    def keep(self, ctx: Context, check: Check, record: Record) -> None:
        """Keep a result that this run has made, if what it was made from is what it was looked up by."""
        name = self._names.get(check.id)
        if name is None or check.id in self.reused or not is_lasting(record):
            return
        text = codec.dumps(Kept(record, ctx.workspace.get(compared_key(check.id), Compared)))
        places = (json.dumps(path)[1:-1] for path in (ctx.run.repository.path, ctx.run.work_path))
        if not any(place in text for place in places) and self._made_from(ctx, check) == name:
            self._entries.put(name, text)
            self._written = True

    def end(self) -> None:
        """Remember what programs are, and leave room for the next run."""
        remember(self._programs)
        if self._written:
            self._entries.shrink()

    def _look_up(self, inputs: Inputs, check: Check) -> None:
        try:
            name = self._names[check.id] = self._entries.name(inputs.describe(check))
        except Unknowable as why:
            self.unknowable[check.id] = str(why)
            return
        kept = self._kept(name)
        if kept is None or not _is_about(kept.record, check):
            return
        if kept.compared is not None:
            inputs.ctx.workspace.put(compared_key(check.id), kept.compared)
        self.reused[check.id] = replace(kept.record, reused=True)

    def _kept(self, name: str) -> Kept | None:
        text = self._entries.get(name)
        try:
            return None if text is None else codec.loads(Kept, text)
        except ValidationError:
            return None

    def _made_from(self, ctx: Context, check: Check) -> str | None:
        """The name under which the result belongs by what is in the private copy; None where nobody can say."""
        copy = ctx.workspace.tree(shares_tree(ctx, check))
        if copy not in self._copies:
            self._copies[copy] = Inputs(ctx, Tree(copy, _files(ctx, copy)))
        inputs = self._copies[copy]
        try:
            return None if inputs.has_strays(check) else self._entries.name(inputs.describe(check))
        except (Unknowable, OSError):
            return None


def _files(ctx: Context, top: Path) -> tuple[str, ...]:
    listed: dict[str, str] = json.loads(Path(ctx.run.files_path).read_bytes())
    patterns = ctx.run.settings.get("copy_in", ())
    return (*listed, *(name for pattern in patterns for name in matching(top, pattern)))


def is_lasting(record: Record) -> bool:
    """Whether the answer is the tool's own, about what is in the tree: no error, no timeout, nothing that a network or
    an account had a part in, and nothing that only this run can understand."""
    if record.outcome not in (Outcome.PASSED, Outcome.FAILED) or _SHORTENED in record.text:
        return False
    if record.kind in (CheckKind.FMT, CheckKind.VALIDATE):
        return all(_has_place(record.kind, one) for one in record.findings if one.severity is Severity.ERROR)
    return True


def _has_place(kind: CheckKind, finding: Finding) -> bool:
    """What terraform says of the configuration names a line; what kept it from saying anything does not."""
    own = kind is CheckKind.FMT or finding.rule == _OF_VALIDATE
    return own and finding.file is not None and finding.line is not None


def _is_about(record: Record, check: Check) -> bool:
    same = (record.check, record.kind, record.dir, record.environment)
    return same == (check.id, check.kind, check.dir, check.environment) and is_lasting(record)
