"""terraform's JSON diagnostics as findings: what, where, the source line, and what to do."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_tfpipeline.discover.files import is_pointer
from pytest_tfpipeline.model import Finding, Severity, Variable
from pytest_tfpipeline.redact import clean
from pytest_tfpipeline.terraform.mends import describe_lock, describe_missing_variables, mend_for
from pytest_tfpipeline.terraform.together import providers_together

Diagnostic = Mapping[str, Any]

_MISSING_VARIABLE = re.compile(r'input variable "([^"]+)" is not set')
_NAMED_PLACE = re.compile(r"\bat (\S+\.(?:tf|tofu)(?:\.json)?):(\d+)")
#: Said after every other error of init; it adds nothing.
_NOISE = re.compile(r"encountered problems during initiali[sz]ation, including problems\s+with the configuration")
#: Said with every provider that cannot be had, before what to do about it.
_ASIDE = re.compile(
    r"\s*To see which modules are currently depending on .{1,300}?\b(terraform|tofu) providers\b", re.DOTALL
)
_EXCERPT_LINES = 6


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command ran: the root's directory, the user's repository, and the private copy it really ran in."""

    root_dir: str
    repository: Path
    copy: Path | None = None

    def file(self, name: str) -> str:
        """A file as terraform named it, relative to the repository."""
        top = self.copy or self.repository
        if posixpath.isabs(name):
            return Path(name).relative_to(top).as_posix() if Path(name).is_relative_to(top) else name
        return posixpath.normpath(posixpath.join(self.root_dir, name))

    def text(self, text: str) -> str:
        """A message, with the private copy's paths as the user's."""
        return text if self.copy is None else text.replace(str(self.copy), str(self.repository))


def diagnostics_of(stdout: str) -> tuple[Diagnostic, ...]:
    """The diagnostics in the JSON lines that `init`, `plan` and `apply` print with `-json`; other lines are passed."""
    found = []
    for line in stdout.splitlines():
        message = parse_line(line)
        if message is not None and isinstance(message.get("diagnostic"), dict):
            found.append(message["diagnostic"])
    return tuple(found)


def parse_line(line: str) -> dict[str, Any] | None:
    """One JSON line of terraform's output, or None if it is not one."""
    try:
        message = json.loads(line)
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def findings_from_diagnostics(
    diagnostics: Iterable[Diagnostic],
    root_dir: str,
    repository: str | Path,
    *,
    copy: Path | None = None,
    rule: str = "terraform",
    variables: Sequence[Variable] = (),
) -> tuple[Finding, ...]:
    """One finding for each diagnostic, errors first, but a single one for all required variables without a value.

    `rule` names those that are no well-known error; `variables` are the root's, to describe the missing ones.
    """
    place = Place(root_dir, Path(repository), copy)
    known = [diagnostic for diagnostic in diagnostics if not _NOISE.search(str(diagnostic.get("summary", "")))]
    # terraform names them in an order that differs from run to run.
    missing = sorted((one for one in known if _missing_variable(one)), key=_position)
    findings = [_finding(diagnostic, place, rule) for diagnostic in known if diagnostic not in missing]
    if missing:
        findings.insert(0, _missing_variables(missing, place, variables))
    found = pointers_named(dict.fromkeys(findings), copy or Path(repository))
    return tuple(sorted(found, key=lambda finding: finding.severity is not Severity.ERROR))


def pointers_named(findings: Iterable[Finding], top: Path) -> tuple[Finding, ...]:
    """The same, but of a file below `top` that is a Git LFS pointer only that: no parser's word about it helps."""
    told: dict[str, Finding | None] = {}
    for finding in findings:
        if finding.file and finding.severity is Severity.ERROR and finding.file not in told:
            told[finding.file] = _pointer(finding.file) if is_pointer(top / finding.file) else None
    return tuple(dict.fromkeys(told.get(finding.file or "") or finding for finding in findings))


def _pointer(file: str) -> Finding:
    text = "The file itself is not here, only what Git LFS keeps in its place.\n-> git lfs pull"
    return Finding("git-lfs-pointer", Severity.ERROR, text, file=file, line=1)


def failure(rule: str, text: str, *, file: str | None = None) -> Finding:
    """A finding of the pipeline's own, for a command that failed without a diagnostic."""
    return Finding(rule, Severity.ERROR, clean(text), file=file)


def errors(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those that fail a check."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)


def render_findings(findings: Iterable[Finding]) -> str:
    """Text for a terminal or a report: nothing in it depends on the terminal's width."""
    return clean("\n\n".join(_render(finding) for finding in providers_together(findings)))


def _render(finding: Finding) -> str:
    where = finding.file or finding.address or ""
    if finding.file and finding.line:
        where = f"{finding.file}:{finding.line}"
    head = f"{finding.severity.value} [{finding.rule}]"
    first, *rest = finding.text.splitlines() or [""]
    lines = [f"{where}: {head} {first}" if where else f"{head} {first}"]
    if finding.address and finding.file:
        lines.append(f"  in {finding.address}")
    lines += finding.excerpt.splitlines()
    lines += [f"  {line}".rstrip() for line in rest]
    return "\n".join(lines)


def _finding(diagnostic: Diagnostic, place: Place, rule: str) -> Finding:
    summary, detail = (place.text(str(diagnostic.get(key) or "")).strip() for key in ("summary", "detail"))
    detail = _ASIDE.sub("", detail)
    severity = Severity.WARNING if diagnostic.get("severity") == "warning" else Severity.ERROR
    known = mend_for(f"{summary}\n{detail}") if severity is Severity.ERROR else None
    held = describe_lock(detail)
    if held is not None:
        text, rule = f"{summary}\n{held}", "state-locked"
    else:
        text = "\n".join(part for part in (summary, detail, f"-> {known.advice}" if known else "") if part)
        rule = known.rule if known else rule
    file, line = _where(diagnostic, place, detail)
    address = diagnostic.get("address")
    return Finding(
        rule, severity, clean(text), address and clean(str(address)), file, line, clean(_excerpt(diagnostic))
    )


def _position(diagnostic: Diagnostic) -> tuple[str, int]:
    span = diagnostic.get("range") or {"filename": "", "start": {"line": 0}}
    return str(span["filename"]), int(span["start"]["line"])


def _where(diagnostic: Diagnostic, place: Place, detail: str) -> tuple[str | None, int | None]:
    span = diagnostic.get("range")
    if span and not str(span["filename"]).startswith("<"):  # `<empty>`, `<value for var.x>`: no file
        return clean(place.file(span["filename"])), span["start"]["line"]
    named = _NAMED_PLACE.search(detail)
    return (clean(place.file(named[1])), int(named[2])) if named else (None, None)


def _missing_variable(diagnostic: Diagnostic) -> str | None:
    found = _MISSING_VARIABLE.search(str(diagnostic.get("detail", "")))
    return found[1] if found else None


def _missing_variables(missing: Sequence[Diagnostic], place: Place, variables: Sequence[Variable]) -> Finding:
    names = [name for diagnostic in missing if (name := _missing_variable(diagnostic))]
    file, line = _where(missing[0], place, "")
    known = {variable.name: variable for variable in variables}
    wanting = [known.get(name, Variable(name, required=True)) for name in names]
    text = clean(describe_missing_variables(wanting, place.repository, place.root_dir))
    excerpt = "\n".join(_excerpt(diagnostic) for diagnostic in missing)
    return Finding("missing-variable", Severity.ERROR, text, None, file, line, clean(excerpt))


def _excerpt(diagnostic: Diagnostic) -> str:
    """The source lines with a marker under what is meant, and the values that took part (never sensitive ones:
    terraform leaves those out)."""
    snippet = diagnostic.get("snippet")
    if not snippet:
        return ""
    start = int(snippet["start_line"])
    source = str(snippet["code"]).split("\n")
    width = len(str(start + len(source) - 1))
    marker = _marker(snippet, source)
    lines = []
    for index, text in enumerate(source[:_EXCERPT_LINES]):
        lines.append(f"  {start + index:>{width}} | {text.expandtabs(4)}".rstrip())
        if index == marker[0]:
            lines.append(f"  {'':>{width}} | {marker[1]}")
    lines += [f"  {'':>{width}} = {value['traversal']} {value['statement']}" for value in snippet.get("values") or ()]
    return "\n".join(lines)


def _marker(snippet: Mapping[str, Any], source: Sequence[str]) -> tuple[int, str]:
    """(index of the line, the marker's text); offsets are bytes into the snippet."""
    raw = "\n".join(source).encode()
    begin, end = int(snippet["highlight_start_offset"]), int(snippet["highlight_end_offset"])
    before = raw[:begin].decode("utf-8", "replace")
    marked = raw[begin:end].decode("utf-8", "replace").split("\n")[0]
    lead = before.rpartition("\n")[2].expandtabs(4)
    return before.count("\n"), " " * len(lead) + "^" * max(1, len(marked))
