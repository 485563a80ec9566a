"""ruff over a Python suite: how it is called, and what its answer means.

Exit codes (docs.astral.sh/ruff/linter, "Exit codes"): 0 no violations, 1 violations, 2 a wrong configuration or an
internal error. A syntax error is a violation named `invalid-syntax`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_tfpipeline.checks.records import source_line
from pytest_tfpipeline.model import Finding, Severity
from pytest_tfpipeline.process import Outcome


@dataclass(frozen=True, slots=True)
class Answer:
    """What ruff said. `problem` is why there is no answer, "" where there is one."""

    findings: tuple[Finding, ...] = ()
    problem: str = ""


def has_configuration(tree: Path, directory: Path) -> bool:
    """Whether ruff would find a configuration of the repository's own for this directory."""
    for place in (directory, *directory.parents):
        if any((place / name).is_file() for name in ("ruff.toml", ".ruff.toml")) or _configures(place):
            return True
        if place == tree:
            break
    return False


def lint_argv(program: str, directory: Path, *, configured: bool, leave_out: Iterable[Path] = ()) -> tuple[str, ...]:
    """ruff over one suite, but not over `leave_out`: the suites in it, which have checks of their own.

    The private copy lies in a directory that git ignores, and so would ruff, if it were not told otherwise.
    """
    argv = [program, "check", "--output-format", "json", "--no-cache", "--no-fix", "--no-respect-gitignore"]
    argv += [] if configured else ["--isolated"]
    for path in leave_out:
        argv += ["--extend-exclude", str(path)]
    return (*argv, str(directory))


def read(outcome: Outcome, tree: Path) -> Answer:
    """ruff's answer as findings; every violation that the suite's configuration selects is an error."""
    if outcome.timed_out:
        return Answer(problem=f"ruff did not end within {outcome.seconds:.0f} s")
    if outcome.code not in (0, 1):
        said = (outcome.stderr or outcome.error).strip()[-2000:]
        return Answer(problem=f"ruff ended with {outcome.code}:\n{said}")
    try:
        findings = tuple(_finding(entry, tree) for entry in json.loads(outcome.stdout))
    except (ValueError, TypeError, KeyError):
        return Answer(problem=f"ruff ended with {outcome.code} and an answer that is not its JSON")
    if outcome.code == 1 and not findings:
        return Answer(problem="ruff ended with 1 and named no violation")
    return Answer(findings)


def _configures(place: Path) -> bool:
    try:
        with (place / "pyproject.toml").open("rb") as file:
            return "ruff" in tomllib.load(file).get("tool", {})
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        # Let ruff say what is wrong with it.
        return True


def _finding(entry: dict[str, Any], tree: Path) -> Finding:
    path = Path(entry["filename"])
    line = int(entry["location"]["row"])
    link = f"\n-> {entry['url']}" if entry.get("url") else ""
    inside = path.is_relative_to(tree)
    return Finding(
        str(entry["code"] or entry.get("name") or "invalid-syntax"),
        Severity.ERROR,
        f"{entry['message']}{link}",
        file=path.relative_to(tree).as_posix() if inside else path.name,
        line=line,
        excerpt=source_line(path, line),
    )
