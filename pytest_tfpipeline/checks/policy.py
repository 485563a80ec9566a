"""The `policy` checks: checkov on the configuration, and on a plan together with the shipped pack and destroy
protection."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

from pytest_tfpipeline.checks import baseline, checkov, records
from pytest_tfpipeline.checks.tofu import as_written, readable_tree
from pytest_tfpipeline.context import Context
from pytest_tfpipeline.errors import PlanReadError
from pytest_tfpipeline.given import said
from pytest_tfpipeline.model import Check, Finding, Outcome, PlanResult, PlanStatus, Record, Severity
from pytest_tfpipeline.policies.pack import PROTECTED_DESTROY, protected_destroys, review
from pytest_tfpipeline.policies.waivers import waive
from pytest_tfpipeline.process import Outcome as ProcessOutcome
from pytest_tfpipeline.process import Request
from pytest_tfpipeline.terraform.plan import Plan, read_plan
from pytest_tfpipeline.terraform.planning import ensure_plan
from pytest_tfpipeline.warm.client import Call, begin

_TIMEOUT = 1200.0
_MEND = "run `checkov --version` by hand; TFPIPELINE_CHECKOV names another one"


def check(ctx: Context, check: Check) -> Record:
    """Police a directory's configuration or, in an environment, its plan."""
    if check.environment is None:
        return _configuration(ctx, check)
    plan = ensure_plan(ctx, ctx.run.target(check.dir, check.environment))
    if plan.status is PlanStatus.DEFERRED:
        return _deferred(check, plan)
    if plan.status is PlanStatus.FAILED or plan.json_path is None:
        return _unplanned(check)
    return police_plan(ctx, check, Path(plan.json_path))


def police_plan(ctx: Context, check: Check, plan_json: Path) -> Record:
    """checkov, the shipped pack and destroy protection on one plan: for the item, and again for a wave's new plan."""
    try:
        plan = read_plan(plan_json)
    except PlanReadError as error:
        return records.error(check, str(error))
    ours = (*review(plan), *protection(plan, check.dir, *_destroy_rules(ctx, check)))
    if ctx.run.settings.get("shipped_only"):  # an apply in a job of its own runs no tool that the tree configures
        return _record(ctx, check, ours, "policy", 0.0, "the shipped rules agree")
    tree = readable_tree(ctx, check.environment)
    directory = tree / check.dir
    request = checkov.plan_request(
        ctx.tool("checkov").path, tree, directory, plan_json, home_of(ctx), ctx.runner.environ
    )
    outcome = _run(ctx, _limited(request))
    scan = checkov.read(outcome, locator(tree, directory), per_address=True)
    if scan.problem or scan.unparsed:
        problem = scan.problem or "checkov cannot read the plan's JSON"
        return records.error(check, problem, mend=_MEND, findings=ours, seconds=outcome.seconds)
    found = (*ours, *as_written(ctx, scan.findings))
    return _record(ctx, check, found, "policy", outcome.seconds, _summary(scan))


def protection(plan: Plan, root: str, protect: Iterable[str], allowed: Iterable[str]) -> tuple[Finding, ...]:
    """A finding for each protected resource that the plan destroys; a notice where `root//address` was allowed."""
    granted = set(allowed)
    return tuple(
        _protected(address, f"{root}//{address}" in granted, root) for address in protected_destroys(plan, protect)
    )


def locator(tree: Path, directory: Path) -> checkov.Locate:
    """Maps the paths in checkov's answers: absolute, relative to the directory, or relative to the tree."""

    def locate(path: str) -> tuple[str, Path] | None:
        for base in (None, directory, tree):
            found = (Path(path) if base is None else base / path.lstrip("/")).resolve()
            if found.is_relative_to(tree.resolve()) and found.is_file():
                return found.relative_to(tree.resolve()).as_posix(), found
        return None

    return locate


def _configuration(ctx: Context, check: Check) -> Record:
    tree = readable_tree(ctx, None)
    program, home = ctx.tool("checkov").path, home_of(ctx)
    locate = locator(tree, tree / check.dir)

    def request(name: str, *, quiet: bool = True) -> Request:
        asked = checkov.directory_request(program, tree, tree / name, home, ctx.runner.environ, quiet=quiet)
        return _limited(asked)

    begun = ctx.ahead.take(check.dir, lambda name: _begin(ctx, request(name)))
    outcome = checkov.carry_out(ctx.runner, request(check.dir), begun)
    scan = checkov.read(outcome, locate)
    if scan.problem:
        return records.error(check, scan.problem, mend=_MEND, seconds=outcome.seconds)
    if scan.unparsed:
        again = _run(ctx, request(check.dir, quiet=False))
        return _unparsed(ctx, check, scan, as_written(ctx, checkov.unparsed_files(again, locate)))
    found = as_written(ctx, scan.findings)
    return _record(ctx, check, found, "checkov", outcome.seconds, _summary(scan), _repeated(scan))


def _repeated(scan: checkov.Scan) -> str:
    """Why checkov by hand names another number."""
    if scan.failed <= len(scan.findings):
        return ""
    return f" (checkov counts {scan.failed:,}: a module's line again for each call of the module)"


def _record(
    ctx: Context, check: Check, findings: Sequence[Finding], what: str, seconds: float, summary: str, aside: str = ""
) -> Record:
    """The record of what was found; a finding that is waived or known stays in it, and does not fail it."""
    waived = _waived(ctx, check, findings)
    count = sum(before.severity is not after.severity for before, after in zip(findings, waived, strict=True))
    summary = f"{summary}, {count} waived" if count else summary
    marked = _marked(ctx, check, waived)
    return records.from_findings(check, marked, what=what, seconds=seconds, summary=summary, aside=aside)


def _waived(ctx: Context, check: Check, findings: Sequence[Finding]) -> Sequence[Finding]:
    if not ctx.run.waivers:
        return findings
    today, place = date.fromisoformat(ctx.run.today), (check.dir, check.environment)
    return waive(findings, ctx.run.waivers, place, today)


def _marked(ctx: Context, check: Check, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    return baseline.mark_known(ctx, check, "policy", findings, baseline.of_resource, Severity.ERROR)


def _unparsed(ctx: Context, check: Check, scan: checkov.Scan, unread: Sequence[Finding]) -> Record:
    """checkov leaves a file that it cannot parse out, without a word: here that is an error, whatever the baseline and
    waivers say of what it found in the others."""
    unread = unread or (
        Finding(checkov.UNREAD, Severity.ERROR, f"checkov could not parse {scan.unparsed} file(s): correct the syntax"),
    )
    names = ", ".join(dict.fromkeys(each.file for each in unread if each.file))
    text = f"{said(check.dir)} is policed only in part" + (f": checkov cannot parse {names}" if names else "")
    found = _marked(ctx, check, (*unread, *_waived(ctx, check, as_written(ctx, scan.findings))))
    return records.error(check, text, findings=found)


def _deferred(check: Check, plan: PlanResult) -> Record:
    text = f"deferred: policed when {', '.join(plan.behind)} is applied"
    return replace(records.from_findings(check, (), what="policy"), outcome=Outcome.DEFERRED, summary=text, text=text)


def _unplanned(check: Check) -> Record:
    text = f"{said(check.dir)} could not be planned"
    return replace(records.from_findings(check, (), what="policy"), outcome=Outcome.SKIPPED, summary=text, text=text)


def _destroy_rules(ctx: Context, check: Check) -> tuple[tuple[str, ...], tuple[str, ...]]:
    protect = next((each.protect for each in ctx.run.environments if each.name == check.environment), ())
    reviewed = next((each.allowed_destroys for each in ctx.run.environments if each.name == check.environment), ())
    return protect, (*ctx.run.settings.get("allow_destroy", ()), *reviewed)


def _protected(address: str, allowed: bool, root: str) -> Finding:
    if allowed:
        return Finding(PROTECTED_DESTROY, Severity.NOTICE, "this protected resource is destroyed, as allowed", address)
    text = (
        "this plan destroys or replaces a protected resource\n"
        f"-> change the configuration so that it stays, or allow exactly this one: --allow-destroy '{root}//{address}'"
    )
    return Finding(PROTECTED_DESTROY, Severity.ERROR, text, address)


def home_of(ctx: Context) -> Path:
    """An empty home for checkov: it reads a configuration, and keys for its vendor's platform, from the user's."""
    home = ctx.workspace.path / "checkov-home"
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return home


def _limited(request: Request) -> Request:
    return replace(request, timeout=_TIMEOUT, grace=2.0)


def _begin(ctx: Context, request: Request) -> Call | None:
    address = ctx.run.settings.get("checkov_address", "")
    return begin(address, request) if address else None


def _run(ctx: Context, request: Request) -> ProcessOutcome:
    return checkov.carry_out(ctx.runner, request, _begin(ctx, request))


def _summary(scan: checkov.Scan) -> str:
    skipped = f", {scan.skipped} skipped with a reason in the code" if scan.skipped else ""
    return f"checkov: {scan.passed} checks on {scan.resources} resources passed{skipped}"
