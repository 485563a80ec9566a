"""What a file of evidence proves and what it does not, as a few lines. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_tfpipeline.proof.complete import shortcomings, uncommitted
from pytest_tfpipeline.proof.document import EnvironmentPart, Evidence
from pytest_tfpipeline.proof.verify import Proof
from pytest_tfpipeline.redact import clean

#: Exit code of a usage error.
_USAGE = 4
_EMULATED = "in an emulated cloud: it counts for no real one"


def not_proved(proof: Proof, environment: str | None) -> tuple[str, ...]:
    """Why this does not prove that the environment (None: every one that it names) was applied completely, each a
    clause; empty if it does."""
    names = [environment] if environment is not None else [one.name for one in proof.evidence.environments]
    found = [*proof.problems]
    if not proof.signed_by and not proof.problems:
        found.append("it is not signed")
    found += uncommitted(proof.evidence)
    if not names and proof.evidence.run.exit_code == _USAGE:
        found.append("it is of a run that was asked for something that cannot be done, and ended before any check")
    elif not names:
        found.append("it is of a run without an environment, which applies nothing")
    return (*found, *(f"{name}: {why}" for name in names for why in shortcomings(proof.evidence, name)))


def proof_text(proof: Proof, environment: str | None) -> str:
    """What the evidence says, who vouches for it, and the conclusion. One line for each, whatever is in it."""
    rows = [*_rows(proof.evidence), ("signed by", ", ".join(map(str, proof.signed_by)) or "nobody that is known")]
    width = max(len(name) for name, _ in rows)
    lines = [proof.file, *(f"  {_line(name):{width}}  {value}" for name, value in rows)]
    against = not_proved(proof, environment)
    if against:
        lines += ["This does not prove a complete apply:", *(f"- {why}" for why in against)]
    else:
        names = environment or ", ".join(one.name for one in proof.evidence.environments)
        lines.append(f"Proved: {names} was applied completely from this commit.")
    return clean("".join(f"{_line(line)}\n" for line in lines))


def _rows(evidence: Evidence) -> Iterator[tuple[str, str]]:
    run = evidence.run
    tree = {True: "", False: ", with uncommitted changes", None: ", nobody knows whether unchanged"}[run.tree_clean]
    yield "repository", run.repository
    yield "commit", f"{run.commit or 'none'}{f' ({run.ref})' if run.ref else ''}{tree}"
    yield "run", f"{run.id}, {run.started.isoformat(' ', 'seconds')}, exit code {run.exit_code}"
    for part in evidence.environments:
        yield part.name, _environment(part)


def _environment(part: EnvironmentPart) -> str:
    verdict = "not judged" if part.verdict is None else "gate open" if part.verdict.open else "gate closed"
    said = [verdict, *_outcomes(part)]
    if part.left:
        said.append(f"left: {', '.join(one.root for one in part.left)}")
    if part.approval is not None:
        said.append(f"approved by {', '.join(part.approval.by) or part.approval.kind}")
    return "; ".join([*said, *([_EMULATED] if part.emulated else [])])


def _outcomes(part: EnvironmentPart) -> Iterator[str]:
    for outcome in ("applied", "unchanged", "failed"):
        if roots := [one.root for one in part.applied if one.outcome == outcome]:
            yield f"{outcome}: {', '.join(roots)}"


def _line(text: str) -> str:
    """On one line, but for the indentation that it may begin with."""
    indent = "  " if text.startswith("  ") else ""
    return indent + " ".join(text.split("\n")).replace("\t", " ").strip()
