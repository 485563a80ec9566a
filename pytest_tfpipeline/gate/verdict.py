"""The decision: may this environment be applied?

`decide` is the whole gate. It is pure: it reads nothing but its arguments, and the same arguments in any order give the
same answer. It opens only when every expected check of the environment has a passing record and nobody objects;
whatever it does not understand closes it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

from pytest_tfpipeline.gate.known import known_note, let_through
from pytest_tfpipeline.gate.reasons import Code, Reason, Verdict
from pytest_tfpipeline.model import Check, CheckKind, Outcome, Record

_DEFERRABLE = {CheckKind.PLAN, CheckKind.POLICY, CheckKind.POLICY_TEST}

#: How the note about a root begins whose plan is yet to come.
NOT_SEEN = "not seen yet"

#: Kind, directory and environment.
_About = tuple[CheckKind, str | None, str | None]

#: What stands against a check that did not pass; `_objection` names the exceptions.
_AGAINST = {
    Outcome.FAILED: Code.CHECK_FAILED,
    Outcome.ERROR: Code.CHECK_ERROR,
    Outcome.SKIPPED: Code.CHECK_SKIPPED,
    Outcome.UNKNOWN: Code.CHECK_UNKNOWN,
    Outcome.MISSING: Code.CHECK_MISSING,
    Outcome.DEFERRED: Code.CHECK_UNEXPECTED,
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What the committed configuration says about the gate.

    `deferred` are the roots that the controller itself found to wait for an earlier wave: only their plan and policy
    records may say so. `skips_fail` closes the gate on a skip inside a suite or an ordinary test.
    """

    deferred: frozenset[str] = frozenset()
    skips_fail: bool = False


def decide(
    environment: str,
    expected: Iterable[Check],
    records: Iterable[Record],
    objections: Iterable[Reason] = (),
    rules: Rules | None = None,
) -> Verdict:
    """The verdict for `environment`; records and checks of other environments do not count, shared ones do."""
    rules = rules or Rules()
    checks: dict[str, set[_About]] = defaultdict(set)
    for check in expected:
        if check.environment in (None, environment):
            checks[check.id].add(_about(check))
    by_id: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.environment in (None, environment) or record.check in checks:
            by_id[record.check].append(record)

    reasons = set(objections)
    if not any(about[-1] == environment for abouts in checks.values() for about in abouts):
        reasons.add(Reason(Code.NOTHING_TO_CHECK, f"no root is planned in {environment}: nothing would be judged"))
    for check_id in checks.keys() - by_id.keys():
        reasons.add(Reason(Code.CHECK_MISSING, "no result: it was deselected, dropped or not run", check_id))
    for check_id, found in by_id.items():
        reasons.update(_judge(checks.get(check_id, set()), found, rules))
    notes = {note for found in by_id.values() for record in found for note in _notes(record, rules)}
    known = let_through(record for found in by_id.values() for record in found)
    notes |= {known_note(known)} if known else set()
    return Verdict(environment, tuple(sorted(reasons, key=_order)), tuple(sorted(notes)), known)


def missing(expected: Iterable[Check], records: Iterable[Record]) -> tuple[str, ...]:
    """Ids of expected checks without any record, in their order."""
    have = {record.check for record in records}
    return tuple(check.id for check in expected if check.id not in have)


def _judge(expected: Set[_About], found: Sequence[Record], rules: Rules) -> Iterator[Reason]:
    """What stands against the records of one id; `expected` is what the checks of that id are about, none or one."""
    name = found[0].check
    if len({(record.outcome, _about(record)) for record in found}) > 1:
        said = ", ".join(sorted({record.outcome.value for record in found}))
        yield Reason(Code.RECORDS_DISAGREE, f"records of one check say different things: {said}", name)
    if not expected and any(record.kind not in (CheckKind.TEST, CheckKind.POLICY_TEST) for record in found):
        yield Reason(Code.CHECK_UNEXPECTED, "a record of a check that this run does not expect", name)
    if any(expected - {_about(record)} for record in found):
        yield Reason(Code.CHECK_UNEXPECTED, "the record belongs to another check than its id says", name)
    for record in found:
        code = _objection(record, rules)
        if code is not None:
            yield Reason(code, _what(record), record.check)


def _objection(record: Record, rules: Rules) -> Code | None:
    """The code against one record; None lets it through."""
    ordinary = record.kind is CheckKind.TEST
    if record.outcome is Outcome.PASSED:
        return Code.SUITE_SKIPPED if rules.skips_fail and _skipped(record) else None
    if record.outcome is Outcome.SKIPPED and ordinary:
        return Code.SUITE_SKIPPED if rules.skips_fail else None
    if record.outcome is Outcome.UNKNOWN and record.kind is CheckKind.POLICY_TEST:
        return None
    if record.outcome is Outcome.DEFERRED and record.kind in _DEFERRABLE and record.dir in rules.deferred:
        return None
    return _AGAINST[record.outcome]


def _about(one: Check | Record) -> _About:
    return one.kind, one.dir, one.environment


def _what(record: Record) -> str:
    if record.outcome is Outcome.DEFERRED:
        return "deferred, but nothing that it waits for is left to apply"
    told = (record.summary, *(finding.text for finding in record.findings), record.text)
    return next((line for text in told for line in text.splitlines() if line.strip()), "see the check's own output")


def _skipped(record: Record) -> int:
    return sum(case.outcome is Outcome.SKIPPED for case in record.cases)


def _notes(record: Record, rules: Rules) -> Iterator[str]:
    if record.outcome is Outcome.DEFERRED and record.kind is CheckKind.PLAN and record.dir in rules.deferred:
        yield f"{NOT_SEEN}: {record.dir} ({record.summary})"
    if record.outcome is Outcome.UNKNOWN:
        yield f"not known before apply: {record.check}"
    if _skipped(record):
        yield f"{_skipped(record)} skipped inside {record.check}"
    if record.outcome is Outcome.SKIPPED and record.kind is CheckKind.TEST and not rules.skips_fail:
        yield f"skipped: {record.check}"


def _order(reason: Reason) -> tuple[int, str, str]:
    return list(Code).index(reason.code), reason.check or "", reason.text
