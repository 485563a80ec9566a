"""`fmt`: a directory's files are as `terraform fmt` writes them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from pytest_tfpipeline.checks.baseline import mark_known, of_diff
from pytest_tfpipeline.checks.formatted import is_formatted
from pytest_tfpipeline.checks.records import counted_known, source_line
from pytest_tfpipeline.checks.repeats import first_error, shorten
from pytest_tfpipeline.context import Context
from pytest_tfpipeline.model import Check, Finding, Outcome, Record, Severity
from pytest_tfpipeline.redact import clean
from pytest_tfpipeline.terraform import command
from pytest_tfpipeline.terraform.call import Directory
from pytest_tfpipeline.terraform.diagnostics import pointers_named, render_findings

_FILE = re.compile(r"^--- old/(.+)$", re.MULTILINE)
_HUNK = re.compile(r"^@@ -(\d+)", re.MULTILINE)
_SYNTAX = re.compile(
    r"^Error: (?P<summary>.+)\n\n\s+on (?P<file>.+) line (?P<line>\d+).*\n(?:[ \t]+\S.*\n)*\n?"
    r"(?P<detail>(?:(?!Error: )\S.*\n?)*)",
    re.MULTILINE,
)


def check(ctx: Context, check: Check) -> Record:
    """Passed, or failed with one finding for each file that is formatted otherwise, and the diffs of those that the
    baseline does not know as text."""
    directory = Directory(ctx, check.dir, None, ctx.workspace.tree(None))
    if is_formatted(directory):
        return _record(ctx, check, mark_known(ctx, check, "fmt", (), of_diff, Severity.ERROR))
    outcome = directory.run(command.fmt(directory.terraform.path), "fmt")
    said = command.meaning("fmt", None if outcome.timed_out else outcome.code)
    program, unformatted = directory.terraform.name, said is command.Meaning.UNFORMATTED
    found = tuple(_unformatted(check.dir, outcome.stdout, program)) if unformatted else ()
    if found or said is command.Meaning.DONE:
        marked = mark_known(ctx, check, "fmt", found, of_diff, Severity.ERROR)
        return _record(ctx, check, marked, _named(check.dir, marked))
    broken = pointers_named(tuple(_syntax(directory, outcome.stderr)), directory.copy) or (
        directory.broken(outcome, "fmt", f"{program} fmt"),
    )
    return _record(ctx, check, broken)


def _named(directory: str, findings: tuple[Finding, ...]) -> str:
    """All files in one line: of a text with several diffs, only the beginning is shown."""
    files = [posixpath.relpath(one.file, directory) for one in findings if one.file and not one.known]
    return f"{len(files)} files in {directory}: {', '.join(files)}\n\n" if len(files) > 1 else ""


def _record(ctx: Context, check: Check, findings: tuple[Finding, ...], named: str = "") -> Record:
    failing = [finding for finding in findings if not finding.known]
    text = named + render_findings(shorten(ctx, check, failing))
    summary = first_error(failing) or counted_known(len(findings))
    outcome = Outcome.FAILED if failing else Outcome.PASSED
    return Record(check.id, check.kind, outcome, check.dir, findings=findings, summary=summary, text=text)


def _unformatted(directory: str, stdout: str, program: str) -> Iterator[Finding]:
    starts = [*_FILE.finditer(stdout)]
    for index, start in enumerate(starts):
        end = starts[index + 1].start() if index + 1 < len(starts) else len(stdout)
        # terraform prints the next file's name before its diff.
        diff = stdout[start.start() : end].rstrip("\n")
        if index + 1 < len(starts):
            diff = diff.rpartition("\n")[0]
        name = posixpath.normpath(posixpath.join(directory, start[1]))
        hunk = _HUNK.search(diff)
        yield Finding(
            "terraform-fmt",
            Severity.ERROR,
            clean(f"Not formatted as {program} fmt does.\n-> {program} fmt '{name}'"),
            file=clean(name),
            line=int(hunk[1]) if hunk else None,
            excerpt=clean(diff),
        )


def _syntax(directory: Directory, stderr: str) -> Iterator[Finding]:
    """terraform's errors, as plain text: summary, place, source line, and a paragraph of its own."""
    for found in _SYNTAX.finditer(stderr):
        name = posixpath.normpath(posixpath.join(directory.dir, found["file"]))
        detail = " ".join(found["detail"].split())
        text = f"{found['summary']}\n{detail}\n-> It cannot be formatted until its syntax is right."
        line = int(found["line"])
        excerpt = clean(source_line(directory.copy / name, line))
        yield directory.with_what_is_lacking(
            Finding("terraform-fmt", Severity.ERROR, clean(text), file=clean(name), line=line, excerpt=excerpt)
        )
