"""What a person reads, as plain lines: the table of changes, the verdict, what was applied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_tfpipeline.gate.approval import Approval
from pytest_tfpipeline.gate.known import known_note
from pytest_tfpipeline.gate.reasons import Reason, Verdict
from pytest_tfpipeline.gate.result import EnvironmentResult
from pytest_tfpipeline.given import said
from pytest_tfpipeline.model import PlanResult, PlanStatus

#: Reasons that are shown one by one; the rest is counted, and stands in the evidence.
SHOWN_REASONS = 10

_COLUMNS = ("add", "change", "replace", "destroy", "import", "forget")


def verdict_text(verdict: Verdict) -> str:
    """`open`, or why not: most important reasons first."""
    known = f" ({known_note(verdict.known)})" if verdict.known else ""
    if verdict.open:
        return f"the gate to {verdict.environment} is open{known}"
    count = len(verdict.reasons)
    head = f"the gate to {verdict.environment} is closed, nothing was applied: {_plural(count, 'reason')}{known}"
    return "\n".join([head, *reason_lines(verdict.reasons)])


def reason_lines(reasons: Sequence[Reason]) -> list[str]:
    """A line for each reason, the code first; those that say the same of several checks share one."""
    groups: dict[tuple[str, str], list[Reason]] = {}
    for reason in reasons:
        groups.setdefault((reason.code.value, reason.text), []).append(reason)
    lines = [_reason_line(code, text, group) for (code, text), group in groups.items()]
    if len(lines) > SHOWN_REASONS:
        lines[SHOWN_REASONS:] = [f"  and {len(lines) - SHOWN_REASONS} more, in evidence.json"]
    return lines


def changes_table(environments: Iterable[EnvironmentResult]) -> list[str]:
    """A row per root and environment: what its plan would do, or why there is nothing to count."""
    rows = [(plan.root, one.environment.name, _counts(plan), _note(plan)) for one in environments for plan in one.plans]
    if not rows:
        return []
    shown = [index for index in range(len(_COLUMNS)) if index < 4 or any(row[2][index] for row in rows)]
    names = align([("root", "environment"), *(row[:2] for row in rows)], left=(0, 1))
    numbers = [_COLUMNS, *(tuple(str(count) if count else "-" for count in row[2]) for row in rows)]
    counted = align([[row[index] for index in shown] for row in numbers], left=())
    # A row without changes says why in their place: that keeps the table narrow.
    said = [counted[0], *(_said(*row[2:], line) for row, line in zip(rows, counted[1:], strict=True))]
    width = max(map(len, names))
    return [f"{name:<{width}}  {rest}".rstrip() for name, rest in zip(names, said, strict=True)]


def align(rows: Sequence[Sequence[str]], left: Sequence[int]) -> list[str]:
    """Rows as columns of equal width; those not in `left` to the right."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def applied_lines(one: EnvironmentResult) -> list[str]:
    """Who approved, what was applied, in which wave and how long it took, and what is left."""
    if one.result is None:
        return []
    rows = [
        (applied.root, f"wave {applied.wave}", applied.outcome, duration(applied.seconds))
        for applied in one.result.applied
    ]
    lines = align(rows, left=(0, 1, 2)) if rows else []
    approvals = filter(None, (one.approval, *one.later_approvals))
    return [*map(_approved, approvals), *lines, *(f"{left.root}  left: {left.why}" for left in one.result.left)]


def _approved(approval: Approval) -> str:
    """Names without their keys, which are in the evidence."""
    names = ", ".join(by.partition(" (SHA256:")[0] for by in approval.by)
    how = "with" if names.startswith("--") else "by"
    return f"approved {how} {names} ({approval.kind}), digest {approval.digest}"


def duration(seconds: float) -> str:
    """`4.2 s`, `3 min 05 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"


def closing_line(one: EnvironmentResult, can_apply: bool, *, interrupted: bool = False) -> str:
    """One sentence about an environment; `interrupted` says that the run was ended before its time."""
    name = one.environment.name + (" (emulated)" if one.environment.emulator else "")
    if one.result is None and interrupted and not can_apply:
        return f"{name}: interrupted, nothing was applied"
    if one.result is None:
        return f"{name}: {_not_applied(one, can_apply)}"
    if one.result.interrupted:
        return f"{name}: interrupted, applied in part"
    if one.waits is not None and one.result.ended:
        return f"{name}: applied in part, the rest waits for an approval"
    if not one.result.complete:
        return f"{name}: applied in part"
    if one.broken_outputs:
        return f"{name}: applied, but its outputs were found wrong"
    if not one.result.applied:
        return f"{name}: nothing here is to be applied"
    done = {applied.root for applied in one.result.applied if applied.outcome == "applied"}
    changed = [plan for plan in one.plans if plan.root in done and plan.changes.any]
    if changed:
        return f"{name}: applied, {_plural(len(changed), 'root')} changed"
    return f"{name}: applied, nothing to change" if done else f"{name}: nothing to change"


def _not_applied(one: EnvironmentResult, can_apply: bool) -> str:
    if one.waits is not None:
        return "waits for an approval, nothing was applied"
    if one.elsewhere:
        return "left to a job that has its credentials, nothing was applied"
    if one.verdict is not None and not one.verdict.open:
        return "closed, nothing was applied"
    return "judged, but not applied" if can_apply else _planned(one)


def _planned(one: EnvironmentResult) -> str:
    """Whether the plans were made, and whose were not."""
    failed = [plan.root for plan in one.plans if plan.status is PlanStatus.FAILED]
    if failed:
        more = f" and {_plural(len(failed) - 3, 'other')}" if len(failed) > 3 else ""
        return f"{', '.join(map(said, failed[:3]))}{more} could not be planned, nothing was applied"
    return "planned, nothing was applied" if one.plans else "nothing was planned or applied"


def _counts(plan: PlanResult) -> tuple[int, ...]:
    found = plan.changes
    if plan.status is not PlanStatus.PLANNED:
        return (0,) * len(_COLUMNS)
    return (found.add, found.change, found.replace, found.destroy, found.import_, found.forget)


def _note(plan: PlanResult) -> str:
    if plan.status is PlanStatus.DEFERRED:
        return f"waits for {', '.join(plan.behind)}"
    if plan.status is PlanStatus.FAILED:
        return "could not be planned" if plan.findings else "not planned"
    found = plan.changes
    outputs = f"outputs: {', '.join(found.outputs)}" if found.outputs and not any(_counts(plan)) else ""
    later = f"planned after {', '.join(plan.behind)}" if plan.behind else ""
    return "; ".join(filter(None, (outputs if found.any else "no changes", later)))


def _said(counts: Sequence[int], note: str, line: str) -> str:
    if not any(counts):
        return note
    return f"{line}  {note}" if note else line


def _reason_line(code: str, text: str, group: Sequence[Reason]) -> str:
    checks = [reason.check for reason in group if reason.check]
    if not checks:
        return f"  {code}: {text}"
    more = f" and {_plural(len(checks) - 1, 'other')}" if len(checks) > 1 else ""
    return f"  {code}: {checks[0]}{more}: {text}"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
