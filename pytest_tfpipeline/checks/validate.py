"""`validate`: terraform finds the root's configuration valid."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from pytest_tfpipeline.checks.repeats import first_error, shorten
from pytest_tfpipeline.context import Context
from pytest_tfpipeline.model import Check, Finding, Outcome, Record, Root, Severity
from pytest_tfpipeline.terraform import command
from pytest_tfpipeline.terraform.call import Directory
from pytest_tfpipeline.terraform.diagnostics import errors, failure, findings_from_diagnostics, render_findings
from pytest_tfpipeline.terraform.init import InitResult, directory_of, ensure_init
from pytest_tfpipeline.terraform.variables import early_var_files

#: What keeps init from working with and without a backend alike.
_ALSO_WITHOUT_BACKEND = {"no-module", "terraform-version"}
_CONFIGURATION = ("*.tf", "*.tf.json", "*.tofu", "*.tofu.json")


def check(ctx: Context, check: Check) -> Record:
    """Passed if terraform says valid; warnings are shown and do not fail it."""
    findings = _findings(ctx, check.dir)
    failed = bool(errors(findings))
    return Record(
        check.id,
        check.kind,
        Outcome.FAILED if failed else Outcome.PASSED,
        check.dir,
        findings=findings,
        summary=_summary(findings),
        text=render_findings(shorten(ctx, check, findings)),
    )


def _findings(ctx: Context, root_dir: str) -> tuple[Finding, ...]:
    static = directory_of(ctx, root_dir, None)
    if not any(path for pattern in _CONFIGURATION for path in static.cwd.glob(pattern)):
        # terraform itself calls an empty directory valid.
        return (failure("no-configuration", "There is no configuration here.\n-> Add it, or exclude the directory."),)
    directory, init = _initialised(ctx, root_dir)
    if not init.ok:
        return init.findings
    outcome = directory.run(
        command.validate(directory.terraform.path, var_files=early_var_files(directory)), "validate"
    )
    try:
        answer = json.loads(outcome.stdout)
        valid = bool(answer["valid"]) and outcome.ok
    except (ValueError, KeyError):
        return (directory.broken(outcome, "validate", f"{directory.terraform.name} validate"),)
    said = findings_from_diagnostics(
        answer.get("diagnostics", ()),
        root_dir,
        ctx.run.repository.path,
        copy=directory.copy,
        rule="terraform-validate",
    )
    findings = tuple(map(directory.with_what_is_lacking, said))
    if valid:
        return (*findings, *_unread(ctx.root(root_dir)))
    return (
        findings
        if errors(findings)
        else (*findings, directory.broken(outcome, "validate", f"{directory.terraform.name} validate"))
    )


def _initialised(ctx: Context, root_dir: str) -> tuple[Directory, InitResult]:
    """Where an environment is planned, its init is shared; a backend that is not there is no matter of validate."""
    planned = (target for target in ctx.run.targets if target.root == root_dir and not target.problems)
    environment = next((target.environment for target in planned), None)
    if environment is not None:
        init = ensure_init(ctx, root_dir, environment)
        if init.ok or any(finding.rule in _ALSO_WITHOUT_BACKEND for finding in init.findings):
            return directory_of(ctx, root_dir, environment), init
    return directory_of(ctx, root_dir, None), ensure_init(ctx, root_dir, None)


def _unread(root: Root | None) -> tuple[Finding, ...]:
    """Files that terraform takes and we could not parse: said, but no failure."""
    problems: Sequence[Finding] = root.problems if root else ()
    return tuple(replace(problem, severity=Severity.NOTICE) for problem in problems)


def _summary(findings: Sequence[Finding]) -> str:
    warnings = sum(finding.severity is Severity.WARNING for finding in findings)
    said = f"{warnings} warning{'s' if warnings > 1 else ''}" if warnings else ""
    return first_error(findings) or said
