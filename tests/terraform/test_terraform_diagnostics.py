"""Diagnostics as text that teaches."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.model import Changes, Finding, PlanResult, PlanStatus, Severity
from pytest_tfpipeline.terraform.diagnostics import diagnostics_of, findings_from_diagnostics, render_findings
from pytest_tfpipeline.terraform.mends import describe_lock, mend_for, with_seed_named
from pytest_tfpipeline.terraform.upstream import waits_behind, waits_for_outputs

REPOSITORY = Path("/srv/me/repo")
COPY = Path("/srv/me/repo/.tfpipeline/runs/r/tree/staging")


def _diagnostic(code: str, begin: int, end: int, **more: Any) -> dict[str, Any]:
    return {
        "severity": "error",
        "summary": "Unsupported attribute",
        "detail": "No such thing.",
        "range": {"filename": "main.tf", "start": {"line": 7, "column": 1}},
        "snippet": {"code": code, "start_line": 7, "highlight_start_offset": begin, "highlight_end_offset": end},
        **more,
    }


def test_the_source_line_is_marked_by_characters_not_bytes() -> None:
    code = '\tname = "ä${local.none}"'
    begin = len('\tname = "ä${local'.encode())
    (finding,) = findings_from_diagnostics([_diagnostic(code, begin, begin + 5)], "terraform/core", REPOSITORY)
    line, marker = finding.excerpt.splitlines()
    assert line == '  7 |     name = "ä${local.none}"'
    assert marker.index("^") == line.index(".none")
    assert marker.count("^") == len(".none")
    assert (finding.file, finding.line) == ("terraform/core/main.tf", 7)


def test_the_values_that_took_part_are_shown() -> None:
    diagnostic = _diagnostic("x = var.a", 4, 9)
    diagnostic["snippet"]["values"] = [{"traversal": "var.a", "statement": 'is "b"'}]
    (finding,) = findings_from_diagnostics([diagnostic], ".", REPOSITORY)
    assert finding.excerpt.splitlines()[-1] == '    = var.a is "b"'


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("../../modules/m/main.tf", "modules/m/main.tf"),
        (f"{COPY}/config/staging.tfvars", "config/staging.tfvars"),
        ("/elsewhere/x.tf", "/elsewhere/x.tf"),
    ],
)
def test_files_are_the_users(name: str, expected: str) -> None:
    diagnostic = _diagnostic("x", 0, 1, detail=f"see {COPY}/terraform/core")
    diagnostic["range"]["filename"] = name
    (finding,) = findings_from_diagnostics([diagnostic], "terraform/core", REPOSITORY, copy=COPY)
    assert finding.file == expected
    assert finding.text.splitlines()[1] == "see /srv/me/repo/terraform/core"


@pytest.mark.parametrize("name", ["<empty>", "<value for var.a>"])
def test_what_is_in_no_file_names_none(name: str) -> None:
    diagnostic = _diagnostic("x", 0, 1)
    diagnostic["range"]["filename"] = name
    (finding,) = findings_from_diagnostics([diagnostic], "terraform/core", REPOSITORY)
    assert (finding.file, finding.line) == (None, None)


def test_the_noise_of_init_and_repetitions_are_left_out() -> None:
    said = "Terraform encountered problems during initialisation, including problems\nwith the configuration, described"
    noise = {"severity": "error", "summary": said}
    same = _diagnostic("x", 0, 1)
    assert len(findings_from_diagnostics([same, same, noise], ".", REPOSITORY)) == 1


def test_lines_that_are_no_json_are_passed() -> None:
    assert diagnostics_of('not json\n[1]\n{"diagnostic": {"summary": "s"}}\n{"type": "log"}') == ({"summary": "s"},)


def test_escapes_in_what_terraform_says_do_not_reach_the_terminal() -> None:
    diagnostic = _diagnostic("x\x1b[31m", 0, 1, summary="s\x1b]0;t\x07\u202e")
    told = render_findings(findings_from_diagnostics([diagnostic], ".", REPOSITORY))
    assert not {"\x1b", "\x07", "\u202e"} & set(told)


def test_a_finding_is_rendered_with_place_source_and_mend() -> None:
    finding = Finding("r", Severity.ERROR, "What\nwhy\n-> mend", "a.b", "x/main.tf", 3, "  3 | a\n    | ^")
    assert render_findings([finding]) == ("x/main.tf:3: error [r] What\n  in a.b\n  3 | a\n    | ^\n  why\n  -> mend")
    assert render_findings([Finding("r", Severity.WARNING, "W")]) == "warning [r] W"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ('Error: S3 bucket "x" does not exist.', "no-bucket"),
        ("api error NoSuchBucket: The specified bucket does not exist", "no-bucket"),
        ("Saved plan is stale", "stale-plan"),
        ("Inconsistent dependency lock file", "lock-file"),
        ("Provider dependency changes detected", "lock-file"),
        ("Failed to query available provider packages", "no-provider"),
        ("Module not installed", "no-module"),
        ("No valid credential sources found", "no-credentials"),
        ("api error ExpiredToken: expired", "no-credentials"),
        ("Unsupported Terraform Core version", "terraform-version"),
        ("AccessDenied: User is not authorized to perform: s3:GetObject", "access-denied"),
        ("write /x/p: no space left on device", "disk-full"),
        ("api error NotImplemented: the emulated cloud cannot do ec2 CreateIpam: not implemented", "not-emulated"),
        ("Unsupported attribute", None),
    ],
)
def test_well_known_errors_have_a_mend(text: str, rule: str | None) -> None:
    found = mend_for(text)
    assert (found.rule if found else None) == rule


def test_a_lock_says_who_what_and_how_long() -> None:
    detail = (
        "Error message: x\nLock Info:\n  ID:        97b9\n  Path:      b/k\n  Operation: OperationTypePlan\n"
        "  Who:       bob@ci\n  Version:   1.11.4\n  Created:   2026-01-02 03:04:05.123 +0000 UTC\n  Info:      \n"
    )
    told = str(describe_lock(detail, datetime(2026, 1, 4, 3, 4, 6, tzinfo=UTC)))
    assert "locked by bob@ci, for plan, since 2026-01-02 03:04:05.123 +0000 UTC (2 days ago)" in told
    assert "terraform force-unlock 97b9" in told
    assert describe_lock("nothing of the kind") is None


READS = "input = data.terraform_remote_state.up.outputs.lake"
INDEX = 'input = data.terraform_remote_state.up[0].outputs["lake"]'


def _result(root: str, *outputs: str, status: PlanStatus = PlanStatus.PLANNED, exists: bool = True) -> PlanResult:
    return PlanResult(root, "staging", status, changes=Changes(outputs=outputs), state_exists=exists)


@pytest.mark.parametrize(
    ("diagnostics", "upstream", "behind"),
    [
        ([_diagnostic(READS, 46, len(READS))], [_result("up", "lake")], ("up",)),
        ([_diagnostic(INDEX, 49, len(INDEX) - 1, summary="Invalid index")], [_result("up", "lake")], ("up",)),
        ([_diagnostic(READS, 46, len(READS))], [_result("up", "sea")], ()),
        ([_diagnostic(READS, 46, len(READS))], [_result("up", "lake", status=PlanStatus.FAILED)], ()),
        ([_diagnostic("x = var.lake", 7, 12)], [_result("up", "lake")], ()),
        ([_diagnostic("x = local.up.lake", 12, 17)], [_result("up", "lake")], ("up",)),
        ([_diagnostic("x = local.up.lake", 12, 17)], [_result("up", "sea")], ()),
        ([_diagnostic(READS, 46, len(READS)), _diagnostic("x = a.b", 5, 7)], [_result("up", "lake")], ()),
        ([_diagnostic(READS, 46, len(READS), summary="Invalid value")], [_result("up", "lake")], ()),
        ([], [_result("up", "lake")], ()),
    ],
)
def test_a_plan_waits_for_outputs_only_if_nothing_else_is_wrong(
    diagnostics: list[dict[str, Any]], upstream: list[PlanResult], behind: tuple[str, ...]
) -> None:
    assert waits_for_outputs(diagnostics, upstream) == behind


def test_a_plan_waits_behind_what_has_no_state_and_what_waits_itself() -> None:
    upstream = [
        _result("new", "o", exists=False),
        _result("there", "o"),
        _result("empty for good", exists=False),
        _result("broken", status=PlanStatus.FAILED, exists=False),
        _result("waiting", status=PlanStatus.DEFERRED, exists=False),
    ]
    assert waits_behind(upstream) == ("new", "waiting")


def test_what_an_empty_emulated_cloud_lacks_is_made_by_its_seed() -> None:
    def error(text: str, address: str) -> Finding:
        return Finding("terraform-plan", Severity.ERROR, text, address)

    found = [
        error("a bad value", "aws_x.y"),
        error("not found", 'module.m["x"].data.aws_vpc.it'),
        error("none", "data.a.b"),
    ]
    plain, first, second = with_seed_named(found)
    assert (plain, second) == (found[0], found[2])
    assert first.text.startswith("not found\n-> The emulated cloud starts empty. `seed` of the environment")
    mended = error("denied\n-> Give these credentials the right", "data.a.b")
    assert with_seed_named([mended]) == (mended,)
