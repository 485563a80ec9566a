"""checkov: how it is called, and what its answer means.

It is never imported: it runs from an environment of its own, with next to nothing in its environment variables, so
that neither a key of its vendor's platform nor a file in the user's home changes the result, and it stays off the
network. Its skip comments and the repository's `.checkov.yaml` count.

Exit codes (bridgecrewio/checkov, `docs/2.Basics/CLI Command Reference`, and measured): 0 nothing that fails the
run, 1 failed checks, 2 an error. A file that does not parse leaves the exit code at 0: it is read from the summary.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from pytest_tfpipeline.checks.records import source_line
from pytest_tfpipeline.model import Finding, Severity
from pytest_tfpipeline.process import Outcome, Request, Runner
from pytest_tfpipeline.warm.client import Call

#: Always walked past by checkov itself; setting `CKV_IGNORED_DIRECTORIES` replaces its own list.
_NEVER_WALKED = ("node_modules", ".terraform", ".serverless")
#: No vendor's platform, no question to PyPI for a newer version (asked at import unless its cache says not to), and
#: time enough for a long file on a busy machine (10 s otherwise, after which the file is left out).
_FIXED = {
    "BC_SKIP_MAPPING": "TRUE",
    "CKV_SKIP_PACKAGE_UPDATE_CHECK": "TRUE",
    "HCL_PARSE_TIMEOUT_SEC": "120",
    "LANG": "C.UTF-8",
    "LOG_LEVEL": "ERROR",
}
#: The rule of what it could not parse.
UNREAD = "checkov-parse"
CONFIGURATIONS = (".checkov.yaml", ".checkov.yml")
_COMMON = ("--output", "json", "--compact", "--skip-download", "--download-external-modules", "false")

#: Maps a path of checkov's answer to (path relative to the repository, path on disk); None where there is no file.
Locate = Callable[[str], "tuple[str, Path] | None"]


@dataclass(frozen=True, slots=True)
class Scan:
    """What checkov said. `problem` is why there is no answer, "" where there is one. `failed` is how many failed checks
    it counts, which can be more than there are findings."""

    findings: tuple[Finding, ...] = ()
    failed: int = 0
    passed: int = 0
    skipped: int = 0
    resources: int = 0
    unparsed: int = 0
    problem: str = ""


def directory_request(
    program: str, tree: Path, directory: Path, home: Path, environ: Mapping[str, str], *, quiet: bool = True
) -> Request:
    """checkov over one directory's own files and the local modules that they call.

    `home` is an empty directory. Directories below are kept out of the walk: each is judged by a check of its own,
    and a caller found below (an example) would otherwise take the directory's findings away from it.
    """
    frameworks = ["terraform"]
    if any(directory.glob("*.tf.json")):
        frameworks.append("terraform_json")
    below = sorted(child.name for child in directory.iterdir() if child.is_dir())
    argv = [program, "-d", str(directory), "--framework", *frameworks, *_COMMON, *(["--quiet"] if quiet else [])]
    env = {**_environment(environ, home), "CKV_IGNORED_DIRECTORIES": ",".join((*_NEVER_WALKED, *below))}
    return _request(argv, tree, directory, env)


def plan_request(
    program: str, tree: Path, directory: Path, plan: Path, home: Path, environ: Mapping[str, str]
) -> Request:
    """checkov over a plan's JSON; `directory` lets it find skip comments and real lines in the source."""
    argv = [program, "-f", str(plan), "--framework", "terraform_plan"]
    argv += ["--repo-root-for-plan-enrichment", str(directory), *_COMMON, "--quiet"]
    return _request(argv, tree, directory, _environment(environ, home))


def server_environment(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    """What a checkov that is kept running is started with; each call brings its own."""
    return {**_environment(environ, home), "CKV_IGNORED_DIRECTORIES": ",".join(_NEVER_WALKED)}


def carry_out(runner: Runner, request: Request, begun: Call | None) -> Outcome:
    """As the checkov that is kept running answers, where it has `begun` with it, and plainly where it has no answer:
    what fails there with anything but failed checks is for the plain one to say."""
    outcome = None if begun is None else begun.answer()
    if outcome is not None and (outcome.timed_out or outcome.code in (0, 1)):
        return outcome
    return runner.run(request)


def configuration(tree: Path, directory: Path) -> Path | None:
    """The directory's `.checkov.yaml` (or `.yml`), else the one at the repository's top."""
    for place in (directory, tree):
        for name in CONFIGURATIONS:
            if (place / name).is_file():
                return place / name
    return None


def read(outcome: Outcome, locate: Locate, *, per_address: bool = False) -> Scan:
    """checkov's answer as findings: in code one per line, in a plan (`per_address`) one per resource.

    Where checkov itself was content (exit 0) although checks failed, its configuration says `soft-fail`: these are
    notices. Nothing of the raw output gets into a text: for a plan it holds the values of resources.
    """
    if outcome.timed_out:
        return Scan(problem=f"checkov did not end within {outcome.seconds:.0f} s")
    if outcome.code not in (0, 1):
        return Scan(problem=f"checkov {_ending(outcome)}")
    try:
        reports = list(_reports(json.loads(outcome.stdout)))
    except (ValueError, TypeError, KeyError, AttributeError):
        return Scan(problem=f"checkov ended with {outcome.code} and an answer that is not its JSON")
    severity = Severity.ERROR if outcome.code == 1 else Severity.NOTICE
    findings = [_finding(entry, severity, locate) for report in reports for entry in report.failed]
    if outcome.code == 1 and not findings:
        return Scan(problem="checkov ended with 1 and named no failed check")
    total = _sum(reports)
    kept = tuple(findings) if per_address else _once(findings)
    return replace(total, findings=kept, failed=len(findings))


def unparsed_files(outcome: Outcome, locate: Locate) -> tuple[Finding, ...]:
    """Findings for the files that checkov could not parse, from an answer asked for without `--quiet`."""
    try:
        reports = list(_reports(json.loads(outcome.stdout)))
    except (ValueError, TypeError, KeyError, AttributeError):
        return ()
    text = (
        "checkov cannot parse this file, so nothing in it was policed\n"
        "-> Correct the syntax. Where terraform reads it (`terraform fmt`), put what checkov does not know into a\n"
        "   file of its own, and name that one in `skip-path` of .checkov.yaml."
    )
    return tuple(
        Finding(UNREAD, Severity.ERROR, text, file=_place(path, locate)[0])
        for report in reports
        for path in report.unparsed
    )


@dataclass(frozen=True, slots=True)
class _Report:
    failed: tuple[dict[str, Any], ...]
    unparsed: tuple[str, ...]
    summary: dict[str, int]


def _reports(data: object) -> Iterator[_Report]:
    """One per framework; where there was nothing to check, checkov prints the bare summary."""
    for each in cast("list[dict[str, Any]]", data if isinstance(data, list) else [data]):
        results = each.get("results", {})
        summary = each["summary"] if "results" in each else each
        counts = {key: int(summary[key]) for key in ("passed", "skipped", "parsing_errors", "resource_count")}
        yield _Report(tuple(results.get("failed_checks", ())), tuple(results.get("parsing_errors", ())), counts)


def _sum(reports: list[_Report]) -> Scan:
    def total(key: str) -> int:
        return sum(report.summary[key] for report in reports)

    return Scan(
        passed=total("passed"),
        skipped=total("skipped"),
        resources=total("resource_count"),
        unparsed=total("parsing_errors"),
    )


def _finding(entry: dict[str, Any], severity: Severity, locate: Locate) -> Finding:
    rule = str(entry["check_id"])
    file, path = _place(str(entry.get("file_abs_path") or ""), locate)
    if file is None:
        file, path = _place(str(entry.get("file_path") or ""), locate)
    first = (entry.get("file_line_range") or [0])[0]
    line = int(first) if file and first else None
    mend = entry.get("guideline") or f"mend it, or say why not beside it: #checkov:skip={rule}:REASON"
    return Finding(
        rule,
        severity,
        f"{entry.get('check_name') or rule}\n-> {mend}",
        address=str(entry.get("resource_address") or entry.get("resource") or "") or None,
        file=file,
        line=line,
        excerpt=source_line(path, line) if path else "",
    )


def _place(path: str, locate: Locate) -> tuple[str | None, Path | None]:
    return (path and locate(path)) or (None, None)


def _once(findings: list[Finding]) -> tuple[Finding, ...]:
    """In code, a line of a module that is called several times is one finding, with the first address to it."""
    kept: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        kept.setdefault((finding.rule, finding.file, finding.line or finding.address), finding)
    return tuple(kept.values())


def _request(argv: list[str], tree: Path, directory: Path, env: dict[str, str]) -> Request:
    found = configuration(tree, directory)
    if found is not None:
        argv = [*argv, "--config-file", str(found)]
    return Request(tuple(argv), cwd=tree, env=env, only_env=True)


def _environment(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    kept = {name: environ[name] for name in ("PATH", "TMPDIR") if name in environ}
    return {**kept, **_FIXED, "HOME": str(home)}


def _ending(outcome: Outcome) -> str:
    if outcome.code is None:
        return f"could not be started: {outcome.error}"
    if outcome.code < 0:
        return f"was ended by signal {-outcome.code}"
    return f"ended with an error (exit code {outcome.code})"
