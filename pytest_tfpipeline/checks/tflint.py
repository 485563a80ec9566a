"""tflint: how it is called, and what its answer means.

Exit codes (terraform-linters/tflint, README "Exit Statuses"): 0 no issues, 2 issues found, 1 an error. It runs at the
top of the private copy with `--chdir`, so that the file names of its answer are relative to the repository.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_tfpipeline.checks.records import source_line
from pytest_tfpipeline.model import Finding, Severity
from pytest_tfpipeline.process import Outcome, Request

CONFIGURATION = ".tflint.hcl"
#: The rule of what it could not read.
UNREAD = "tflint-error"
#: tflint's severities (`docs/developer-guide`) are ours by name.
_SEVERITIES = {"error": Severity.ERROR, "warning": Severity.WARNING, "notice": Severity.NOTICE, "info": Severity.NOTICE}
_PLUGIN_SOURCE = re.compile(r'^\s*plugin\s+"[^"]*"\s*\{[^}]*?^\s*source\s*=\s*"', re.MULTILINE)
#: It asks for a newer release otherwise.
_QUIET = {"TFLINT_DISABLE_VERSION_CHECK": "1"}
_COMMENT = re.compile(r"^\s*(#|//).*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What tflint said. `problem` is why there is no answer about the whole directory, "" where there is one."""

    findings: tuple[Finding, ...] = ()
    problem: str = ""


def configuration(tree: Path, directory: Path) -> Path | None:
    """The nearest `.tflint.hcl` from the directory up to the repository's top; None where there is none."""
    for place in (directory, *directory.parents):
        if (place / CONFIGURATION).is_file():
            return place / CONFIGURATION
        if place == tree:
            break
    return None


def needs_init(text: str) -> bool:
    """Whether a configuration names a plugin by its source, so that `tflint --init` has something to download."""
    return _PLUGIN_SOURCE.search(_COMMENT.sub("", text)) is not None


def init_argv(program: str, config: Path) -> tuple[str, ...]:
    """`tflint --init` for one configuration."""
    return (program, "--init", "--config", str(config), "--no-color")


def lint_argv(program: str, directory: str, config: Path | None) -> tuple[str, ...]:
    """tflint over one directory. Without a configuration in the repository an empty one is named, so that a file in
    the user's home cannot change what the repository's checks say."""
    named = str(config) if config else "/dev/null"
    return (program, "--chdir", directory, "--config", named, "--format=json", "--no-color")


def request(argv: tuple[str, ...], tree: Path, timeout: float) -> Request:
    """The process: it inherits the environment (it may need a token for `--init`), but for what changes its answer."""
    return Request(argv, cwd=tree, timeout=timeout, env=_QUIET, unset=("TFLINT_LOG", "TFLINT_CONFIG_FILE"))


def read(outcome: Outcome, tree: Path, directory: str) -> Answer:
    """tflint's answer. What it could not read (`errors`) is a finding where it has a place in the repository."""
    if outcome.timed_out:
        return Answer(problem=f"tflint did not end within {outcome.seconds:.0f} s")
    if outcome.code not in (0, 1, 2):
        ending = outcome.error or (f"was ended by signal {-(outcome.code or 0)}" if (outcome.code or 0) < 0 else "")
        return Answer(problem=f"tflint {ending or f'ended with an unknown exit code, {outcome.code}'}")
    try:
        answer = json.loads(outcome.stdout)
        issues = [_issue(entry, tree, directory) for entry in answer["issues"]]
        errors = [_error(entry, tree, directory) for entry in answer["errors"]]
    except (ValueError, TypeError, KeyError, AttributeError):
        said = (outcome.stderr or outcome.stdout).strip()[-2000:]
        return Answer(problem=f"tflint ended with {outcome.code} and an answer that is not its JSON:\n{said}")
    findings = (*issues, *(each for each in errors if each.file))
    general = [each.text for each in errors if not each.file]
    if outcome.code == 1 and not errors:
        general.append("it ended with an error and named none")
    return Answer(findings, "\n".join(general) and "tflint cannot judge this directory: " + "\n".join(general))


def _issue(entry: dict[str, Any], tree: Path, directory: str) -> Finding:
    rule = entry["rule"]
    file, line = _place(entry, tree, directory)
    link = f"\n-> {rule['link']}" if rule.get("link") else ""
    return Finding(
        str(rule["name"]),
        _SEVERITIES.get(rule["severity"], Severity.ERROR),
        f"{entry['message']}{link}",
        file=file,
        line=line,
        excerpt=source_line(tree / file, line) if file else "",
    )


def _error(entry: dict[str, Any], tree: Path, directory: str) -> Finding:
    file, line = _place(entry, tree, directory)
    text = ": ".join(part for part in (entry.get("summary"), entry.get("message")) if part)
    return Finding(
        UNREAD,
        Severity.ERROR,
        text,
        file=file,
        line=line,
        excerpt=source_line(tree / file, line) if file else "",
    )


def _place(entry: dict[str, Any], tree: Path, directory: str) -> tuple[str | None, int | None]:
    """The file relative to the repository. tflint gives it relative to where it was started, or absolute."""
    where = entry.get("range") or {}
    name = where.get("filename") or ""
    if not name:
        return None, None
    for path in (tree / name, tree / directory / name):
        if path.is_file() and path.is_relative_to(tree):
            return path.relative_to(tree).as_posix(), int(where["start"]["line"]) or None
    return None, None
