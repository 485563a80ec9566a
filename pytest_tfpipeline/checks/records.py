"""What every check does with its findings: make a record, and say it in a text that can be read.

The text of a failing record is whole: sentence, findings with file and line, what to do. Nothing else is printed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_tfpipeline.given import said
from pytest_tfpipeline.model import Check, Finding, Outcome, Record, Severity
from pytest_tfpipeline.redact import clean
from pytest_tfpipeline.terraform.diagnostics import render_findings

#: Findings shown in a text; a root with 1,255 of them stays readable, and all are in the evidence.
SHOWN = 40

_RANK = {Severity.NOTICE: 0, Severity.WARNING: 1, Severity.ERROR: 2}


def at_least(finding: Finding, threshold: Severity) -> bool:
    """Whether the finding is as bad as `threshold` or worse."""
    return _RANK[finding.severity] >= _RANK[threshold]


def from_findings(
    check: Check,
    findings: Sequence[Finding],
    *,
    what: str,
    threshold: Severity = Severity.ERROR,
    seconds: float = 0.0,
    summary: str = "",
    aside: str = "",
) -> Record:
    """A record that fails where a finding reaches `threshold` that the baseline does not know. `what` names who found
    them: `tflint`, `checkov`; `aside` is said after their number."""
    findings = [_clean(finding) for finding in findings]
    failing = [finding for finding in findings if at_least(finding, threshold) and not finding.known]
    known = sum(finding.known for finding in findings)
    beside = f", and {counted_known(known)}" if known else ""
    whole = f"{what}: {_counted(len(failing))} in {said(check.dir)}{beside}{aside}\n\n{render(failing)}"
    below = len(findings) - known
    passing = [summary or (f"{_counted(below)} below {threshold}" if below else ""), counted_known(known)]
    brief = _summary(failing, what) or ", ".join(filter(None, passing))
    return Record(
        check=check.id,
        kind=check.kind,
        outcome=Outcome.FAILED if failing else Outcome.PASSED,
        dir=check.dir,
        environment=check.environment,
        seconds=seconds,
        findings=tuple(findings),
        summary=brief,
        text=whole if failing else "",
    )


def _summary(failing: Sequence[Finding], what: str) -> str:
    """The first of them, for the gate's reasons; "" where there is none."""
    if not failing:
        return ""
    more = f" (and {len(failing) - 1} more)" if len(failing) > 1 else ""
    return f"{what}: {failing[0].rule}: {failing[0].text.splitlines()[0]}{more}"


def counted_known(count: int) -> str:
    """How many findings of the baseline were let through; "" for none."""
    return f"{count:,} known" if count else ""


def error(check: Check, what: str, *, mend: str = "", findings: Sequence[Finding] = (), seconds: float = 0.0) -> Record:
    """A record of a check that could not be made: neither passed nor failed, and the gate stays closed. Findings that
    the baseline knows are in it, and only counted in its text."""
    findings = [_clean(finding) for finding in findings]
    shown = [finding for finding in findings if not finding.known]
    beside = f"; {counted_known(len(findings) - len(shown))}" if len(shown) < len(findings) else ""
    parts = [clean(what) + beside, render(shown) if shown else "", f"  -> {mend}" if mend else ""]
    return Record(
        check=check.id,
        kind=check.kind,
        outcome=Outcome.ERROR,
        dir=check.dir,
        environment=check.environment,
        seconds=seconds,
        findings=tuple(findings),
        text="\n".join(part for part in parts if part),
    )


def render(findings: Sequence[Finding], shown: int = SHOWN) -> str:
    """The findings by place, then what was left out, by rule."""
    ordered = sorted(findings, key=lambda each: (each.file or "", each.line or 0, each.rule))
    text = render_findings(ordered[:shown])
    left = Counter(finding.rule for finding in ordered[shown:])
    if not left:
        return text
    rules = ", ".join(f"{rule} ({count})" for rule, count in left.most_common(10))
    return f"{text}\n\n... and {sum(left.values())} more, all of them in evidence.json: {rules}"


def source_line(path: Path, line: int | None) -> str:
    """The source at `line`, numbered, ready to print; "" where the file has no such line or cannot be read."""
    if not line:
        return ""
    try:
        text = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    return f"  {line} | {text[line - 1].expandtabs(4).rstrip()}" if line <= len(text) else ""


def tail(text: str, lines: int = 15) -> str:
    """The last lines of a tool's message, indented."""
    kept = [line.rstrip() for line in text.splitlines() if line.strip()][-lines:]
    return "\n".join(f"    {line}" for line in kept)


def below(inner: str, outer: str) -> bool:
    """Whether the directory `inner` lies inside `outer`, both relative to the repository."""
    return inner != outer and (outer == "." or inner.startswith(f"{outer}/"))


def _clean(finding: Finding) -> Finding:
    """What tools and repositories say may hold control sequences; nothing of a record does."""
    address, file = (value and clean(value) for value in (finding.address, finding.file))
    return replace(finding, text=clean(finding.text), excerpt=clean(finding.excerpt), address=address, file=file)


def _counted(count: int) -> str:
    return f"{count} finding" if count == 1 else f"{count} findings"
