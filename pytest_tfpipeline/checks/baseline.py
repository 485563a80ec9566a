"""Which findings of a check the baseline knows, as marks on them; what was compared is kept for the run's end.

What cannot be in a baseline: a tool's word that it could not judge, and destroy protection. Checks whose failures are
no findings (validate, plan, tests) never ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from pytest_tfpipeline.checks import checkov, tflint
from pytest_tfpipeline.checks.records import at_least
from pytest_tfpipeline.context import Context
from pytest_tfpipeline.model import Check, Compared, Finding, KnownFinding, KnownFindings, Severity
from pytest_tfpipeline.policies.baseline import (
    Scope,
    digest_of,
    entry_of,
    gone,
    known_among,
    merged,
    raw_digest,
    without_place,
)
from pytest_tfpipeline.policies.pack import PROTECTED_DESTROY, RULES

#: Rules of findings that say that something was not judged: of tflint, of checkov, of ruff, and of a plan that is none.
UNJUDGED = frozenset({tflint.UNREAD, checkov.UNREAD, "invalid-syntax", "E902", "E999", "TFP001", "TFP002"})
#: tflint's rules about a module as a whole: of the places that they could point at, they choose another one each time.
_ANYWHERE = frozenset({"terraform_required_providers", "terraform_required_version"})
_SHIPPED = frozenset(rule.id for rule in RULES)

#: The digests of what a finding is about.
Content = Callable[[Finding], Sequence[str]]


def entries_key(scope: Scope) -> str:
    """Under what the run's store keeps the baseline's entries about a check."""
    return f"baseline/{scope[0]}/{scope[1]}/{scope[2] or ''}"


def compared_key(check_id: str) -> str:
    """Under what the run's store keeps what a check compared."""
    return f"compared/{check_id}"


def mark_known(
    ctx: Context, check: Check, name: str, findings: Sequence[Finding], content: Content, threshold: Severity
) -> tuple[Finding, ...]:
    """The same findings; those that reach `threshold` and that the baseline knows are marked.

    `name` is the check's in the baseline. In a run that makes one, every finding that can be in it is marked. Of a
    check that has not judged everything nobody can say what is gone: what it found is kept as only a part.
    """
    baseline = ctx.run.baseline
    if baseline is None:
        return tuple(findings)
    lent_by = {one.name: one.lent_by for one in ctx.run.environments}
    scope = (name, check.dir, lent_by.get(check.environment or "") or check.environment)
    places = [index for index, one in enumerate(findings) if at_least(one, threshold) and _can_be_known(one)]
    placed = [_placed(findings[index]) for index in places]
    found = [entry_of(scope, one, content(one)) for one in placed]
    entries = ctx.workspace.get(entries_key(scope), KnownFindings) or KnownFindings()
    known, left = known_among(found, entries.entries)
    new = [one for one, is_known in zip(found, known, strict=True) if not is_known]
    partial = any(one.rule in UNJUDGED and at_least(one, threshold) for one in findings)
    compared = _compared(ctx, scope, found, new, () if partial else left)
    ctx.workspace.put(compared_key(check.id), replace(compared, partial=partial))
    marked = {index for index, is_known in zip(places, known, strict=True) if is_known or baseline.recording}
    # What is not shown needs no excerpt: that of an unformatted file is its whole diff.
    return tuple(replace(one, known=True, excerpt="") if index in marked else one for index, one in enumerate(findings))


def of_message(finding: Finding) -> tuple[str, ...]:
    """A linter's finding: its message, and the line that it points at."""
    said = without_place(finding.text.partition("\n-> ")[0])
    return (digest_of(f"{said}\n{_line(finding)}"),)


def of_resource(finding: Finding) -> tuple[str, ...]:
    """A policy's finding: the line that it points at; of a shipped rule, what it says. Titles of checkov's rules change
    with its version."""
    return (digest_of(finding.text.partition("\n-> ")[0] if finding.rule in _SHIPPED else _line(finding)),)


def of_diff(finding: Finding) -> tuple[str, ...]:
    """An unformatted file: each line that is not as it should be; white space is what this is about."""
    return tuple(map(raw_digest, _unformatted(finding.excerpt.split("\n")))) or (raw_digest(""),)


def _unformatted(diff: Sequence[str]) -> Iterator[str]:
    """Lines of the file that the diff takes away; where it only adds some, those."""
    added: list[str] = []
    taken = False
    for line in (*diff, " "):
        if line.startswith("-") and not line.startswith("--- old/"):
            taken = True
            yield line
        elif line.startswith("+") and not line.startswith("+++ new/"):
            added.append(line)
        else:
            yield from () if taken else added
            added, taken = [], False


def _line(finding: Finding) -> str:
    """The source line of an excerpt, without its number."""
    return finding.excerpt.partition(" | ")[2]


def _placed(finding: Finding) -> Finding:
    return replace(finding, file=None, excerpt="") if finding.rule in _ANYWHERE else finding


def _can_be_known(finding: Finding) -> bool:
    return finding.rule not in UNJUDGED and finding.rule != PROTECTED_DESTROY


def _compared(
    ctx: Context, scope: Scope, found: Sequence[KnownFinding], new: Sequence[KnownFinding], left: Sequence[KnownFinding]
) -> Compared:
    baseline = ctx.run.baseline
    everything = merged(found) if baseline is not None and baseline.recording else ()
    # A job that applies runs the shipped rules alone, and does not know what checkov would find.
    left = () if ctx.run.settings.get("shipped_only") else gone(left, found)
    return Compared(*scope, everything, merged(new), left)
