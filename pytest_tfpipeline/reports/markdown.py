"""The summary as Markdown, for a pull request or a CI job's page."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_tfpipeline.gate.result import EnvironmentResult, RunResult
from pytest_tfpipeline.model import Outcome, Record
from pytest_tfpipeline.reports.text import applied_lines, changes_table, closing_line, duration, reason_lines

#: What GitHub takes as one comment.
LIMIT = 65_000
_BAD = (Outcome.FAILED, Outcome.ERROR)
_SHOWN_FAILURES = 50


def markdown(result: RunResult) -> str:
    """At most `LIMIT` characters; what does not fit is cut at a line, and that is said."""
    lines = [f"## {_title(result)}", ""]
    for one in result.environments:
        lines += [
            f"### {_text(closing_line(one, result.mode == 'apply', interrupted=result.interrupted))}",
            "",
            *_environment(one),
        ]
    lines += [result.waiting] if result.waiting else []
    lines += _failures(result.records)
    lines += _closing(result)
    return _cut("\n".join(lines))


def _title(result: RunResult) -> str:
    commit = (result.source.commit or "no commit")[:12]
    return f"{_text(result.source.repository)} at {commit}: exit code {result.exit_code}"


def _environment(one: EnvironmentResult) -> list[str]:
    lines = _block(changes_table([one]))
    if one.verdict is not None and not one.verdict.open:
        lines += ["The gate is closed:", "", *_block(reason_lines(one.verdict.reasons))]
    if one.verdict is not None:
        lines += [f"- {_text(note)}" for note in one.verdict.notes]
    return [*lines, *_block(applied_lines(one))]


def _failures(records: Iterable[Record]) -> list[str]:
    failed = [record for record in records if record.outcome in _BAD]
    if not failed:
        return []
    lines = [f"### {len(failed)} failed", ""]
    for record in failed[:_SHOWN_FAILURES]:
        lines += [f"<details><summary>{_text(record.check)}</summary>", ""]
        lines += [*_block((record.text or record.summary).splitlines()), "</details>", ""]
    return lines


def _closing(result: RunResult) -> list[str]:
    counts: dict[str, int] = {}
    for record in result.records:
        counts[record.outcome.value] = counts.get(record.outcome.value, 0) + 1
    said = ", ".join(f"{count} {word}" for word, count in sorted(counts.items()))
    return ["", f"{said or 'no checks'} in {duration(result.seconds)}", *(f"- {_text(note)}" for note in result.notes)]


def _block(lines: list[str]) -> list[str]:
    """A fence that is longer than any in the text, so that nothing in it can end it."""
    if not lines:
        return []
    longest = max((len(run) for line in lines for run in _runs(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *lines, fence, ""]


def _runs(line: str) -> list[str]:
    return [run for run in "".join(char if char == "`" else " " for char in line).split(" ") if run]


def _text(value: str) -> str:
    """Text outside of a block: Markdown and HTML in it mean nothing."""
    escaped = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{char}" if char in "\\`*_[]|#" else char for char in escaped).replace("\n", " ")


def _cut(text: str) -> str:
    if len(text) < LIMIT:
        return text + "\n"
    ending = "\n\nThe rest is in evidence.json: this summary was cut.\n"
    kept = text[: LIMIT - len(ending) - 10].rpartition("\n")[0]
    open_block = kept.count("\n```") % 2
    return kept + ("\n```" if open_block else "") + ending
