"""An error that several checks meet, such as one of syntax, is shown in full by the first of them only.

Their records have the whole finding all the same: only the text that is printed is shorter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.model import Check, Finding, Severity

#: Findings that are looked at; where there are more, nobody reads them one by one.
_LOOKED_AT = 20


def shorten(ctx: Context, check: Check, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings as they are to be shown: an error that another check of this run showed before is one line."""
    looked_at, rest = findings[:_LOOKED_AT], findings[_LOOKED_AT:]
    return (*(_shorten(ctx, check, finding) for finding in looked_at), *rest)


def first_error(findings: Sequence[Finding]) -> str:
    """The first error in one line, `FILE:LINE: what`, the same in every check that meets it; "" where there is none."""
    found = [finding for finding in findings if finding.severity is Severity.ERROR]
    if not found:
        return ""
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    place = ":".join(str(part) for part in (found[0].file, found[0].line) if part)
    return f"{place}: {_headline(found[0])}{more}" if place else f"{_headline(found[0])}{more}"


def _shorten(ctx: Context, check: Check, finding: Finding) -> Finding:
    if finding.known or finding.severity is not Severity.ERROR or not finding.file or not finding.line:
        return finding
    headline = _headline(finding)
    key = f"shown/{finding.file}:{finding.line} {headline}"
    first = ctx.workspace.once(key, str, lambda: check.id)
    if first == check.id:
        return finding
    anchor, _, name = first.partition("::")
    by = name if check.id.startswith(f"{anchor}::") else first
    return replace(finding, text=f"{headline.removesuffix('.')}: shown in full by `{by}`", excerpt="")


def _headline(finding: Finding) -> str:
    """terraform's summary of an error; tflint puts the same before a colon."""
    first = next((line for line in finding.text.splitlines() if line.strip()), "")
    return first.partition(": ")[0]
