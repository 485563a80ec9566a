"""What a person reads, as plain lines: the table of changes, the verdict, what was applied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_tfpipeline.gate.reasons import Reason, Verdict
from pytest_tfpipeline.gate.result import EnvironmentResult
from pytest_tfpipeline.model import Changes, PlanResult, PlanStatus

#: Reasons that are shown one by one; the rest is counted, and stands in the evidence.
SHOWN_REASONS = 10

_COLUMNS = ("add", "change", "replace", "destroy", "import", "forget")


def verdict_text(verdict: Verdict) -> str:
    """`open`, or why not: most important reasons first."""
    if verdict.open:
        return f"the gate to {verdict.environment} is open"
    count = len(verdict.reasons)
    head = f"the gate to {verdict.environment} is closed, nothing was applied: {_plural(count, 'reason')}"
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
    """A row per root and environment: what its plan would do."""
    rows = [(plan.root, one.environment.name, *_cells(plan)) for one in environments for plan in one.plans]
    if not rows:
        return []
    shown = [
        index for index, name in enumerate(_COLUMNS) if index < 4 or any(row[2 + index] not in "-." for row in rows)
    ]
    head = ("root", "environment", *(_COLUMNS[index] for index in shown), "")
    body = [(row[0], row[1], *(row[2 + index] for index in shown), row[-1]) for row in rows]
    return align([head, *body], left=(0, 1, len(head) - 1))


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
    """What was applied, in which wave and how long it took, and what is left."""
    if one.result is None:
        return []
    rows = [
        (applied.root, f"wave {applied.wave}", applied.outcome, duration(applied.seconds))
        for applied in one.result.applied
    ]
    lines = align(rows, left=(0, 1, 2)) if rows else []
    return lines + [f"{left.root}  left: {left.why}" for left in one.result.left]


def summary_line(changes: Changes) -> str:
    """`+3 ~1 -0`, and what else there is."""
    parts = [f"+{changes.add}", f"~{changes.change}", f"-{changes.destroy}"]
    parts += [f"{word} {count}" for word, count in _rare(changes) if count]
    return " ".join(parts)


def duration(seconds: float) -> str:
    """`4.2 s`, `3 min 05 s`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)} min {int(seconds % 60):02d} s"


def closing_line(one: EnvironmentResult, can_apply: bool) -> str:
    """One sentence about an environment."""
    name = one.environment.name + (" (emulated)" if one.environment.emulator else "")
    if one.verdict is not None and not one.verdict.open:
        return f"{name}: closed, nothing was applied"
    if one.result is None:
        return f"{name}: judged, but not applied" if can_apply else f"{name}: planned, nothing was applied"
    if one.result.interrupted:
        return f"{name}: interrupted, applied in part"
    if not one.result.complete:
        return f"{name}: applied in part"
    done = [applied for applied in one.result.applied if applied.outcome == "applied"]
    if not one.result.applied:
        return f"{name}: nothing here is to be applied"
    return f"{name}: applied, {_plural(len(done), 'root')} changed" if done else f"{name}: nothing to change"


def _cells(plan: PlanResult) -> tuple[str, ...]:
    if plan.status is PlanStatus.DEFERRED:
        return (*["."] * len(_COLUMNS), f"waits for {', '.join(plan.behind)}")
    if plan.status is PlanStatus.FAILED:
        return (*["."] * len(_COLUMNS), "could not be planned")
    found = plan.changes
    counts = (found.add, found.change, found.replace, found.destroy, found.import_, found.forget)
    outputs = f"outputs: {', '.join(found.outputs)}" if found.outputs and not any(counts) else ""
    later = f"planned when {', '.join(plan.behind)} was applied" if plan.behind else ""
    said = "; ".join(filter(None, (outputs if found.any else "no changes", later)))
    return (*[str(count) if count else "-" for count in counts], said)


def _rare(changes: Changes) -> tuple[tuple[str, int], ...]:
    return ("replace", changes.replace), ("import", changes.import_), ("forget", changes.forget)


def _reason_line(code: str, text: str, group: Sequence[Reason]) -> str:
    checks = [reason.check for reason in group if reason.check]
    if not checks:
        return f"  {code}: {text}"
    more = f" and {_plural(len(checks) - 1, 'other')}" if len(checks) > 1 else ""
    return f"  {code}: {checks[0]}{more}: {text}"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
