"""The `lint` check: tflint over roots and modules, ruff over Python suites."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from pytest_tfpipeline.checks import baseline, records, ruff, tflint
from pytest_tfpipeline.checks.repeats import first_error, shorten
from pytest_tfpipeline.checks.tofu import as_written, readable_tree
from pytest_tfpipeline.context import Context
from pytest_tfpipeline.model import Check, Record, Repository, Severity
from pytest_tfpipeline.process import Request

_TIMEOUT = 300.0
_INIT_TIMEOUT = 300.0


def check(ctx: Context, check: Check) -> Record:
    """Lint one directory. A tool that is missing is a ToolError; one that cannot judge is a record with an error."""
    return _python(ctx, check) if is_suite(ctx.run.repository, check) else _terraform(ctx, check)


def is_suite(repository: Repository, check: Check) -> bool:
    """A directory may be both a root and a suite: the file that the id starts with then says which is meant."""
    suite = next((each for each in repository.suites if each.dir == check.dir), None)
    terraform = {each.dir for each in repository.roots} | {each.dir for each in repository.modules}
    return suite is not None and (check.dir not in terraform or check.id.split("::", 1)[0] == suite.anchor)


def _terraform(ctx: Context, check: Check) -> Record:
    tree = readable_tree(ctx, None)
    program = ctx.tool("tflint").path
    config = tflint.configuration(tree, tree / check.dir)
    problem = _init_once(ctx, program, tree, config) if config else ""
    if problem:
        return records.error(check, problem, mend=_init_mend(tree, config))
    argv = tflint.lint_argv(program, check.dir, config)
    outcome = ctx.runner.run(tflint.request(argv, tree, _TIMEOUT))
    answer = tflint.read(outcome, tree, check.dir)
    answer = replace(answer, findings=as_written(ctx, answer.findings))
    if answer.problem:
        return records.error(check, answer.problem, findings=answer.findings, seconds=outcome.seconds)
    threshold = Severity(ctx.run.settings.get("lint_severity", "warning"))
    marked = baseline.mark_known(ctx, check, "lint", answer.findings, baseline.of_message, threshold)
    record, shown = (
        records.from_findings(check, findings, what="tflint", threshold=threshold, seconds=outcome.seconds)
        for findings in (marked, shorten(ctx, check, marked))
    )
    unread = first_error([finding for finding in answer.findings if finding.rule == tflint.UNREAD])
    return replace(record, text=shown.text, summary=unread or record.summary)


def _init_once(ctx: Context, program: str, tree: Path, config: Path) -> str:
    """Download the configuration's plugins, once per content whoever comes first; what went wrong, or ""."""
    text = config.read_text(encoding="utf-8", errors="replace")
    if not tflint.needs_init(text):
        return ""

    def init() -> str:
        outcome = ctx.runner.run(tflint.request(tflint.init_argv(program, config), tree, _INIT_TIMEOUT))
        if outcome.ok:
            return ""
        said = outcome.error or records.tail(outcome.stderr or outcome.stdout)
        return f"tflint could not install the plugins of {config.relative_to(tree).as_posix()}:\n{said}"

    key = hashlib.sha256(text.encode()).hexdigest()[:24]
    return ctx.workspace.once(f"tflint-init-{key}", str, init)


def _init_mend(tree: Path, config: Path | None) -> str:
    file = config.relative_to(tree).as_posix() if config else tflint.CONFIGURATION
    return (
        f"run `tflint --init --config {file}` where the plugins' releases can be reached (GITHUB_TOKEN lifts the "
        "rate limit), or put them into TFLINT_PLUGIN_DIR"
    )


def _python(ctx: Context, check: Check) -> Record:
    tree = ctx.workspace.tree(None)
    directory = tree / check.dir
    inner = [tree / each.dir for each in ctx.run.repository.suites if records.below(each.dir, check.dir)]
    argv = ruff.lint_argv(
        ctx.tool("ruff").path,
        directory,
        configured=ruff.has_configuration(tree, directory),
        leave_out=inner,
    )
    outcome = ctx.runner.run(Request(argv, cwd=tree, timeout=_TIMEOUT, unset=("RUFF_OUTPUT_FILE", "RUFF_CONFIG")))
    answer = ruff.read(outcome, tree)
    if answer.problem:
        return records.error(check, answer.problem, mend="correct ruff's configuration", seconds=outcome.seconds)
    found = baseline.mark_known(ctx, check, "ruff", answer.findings, baseline.of_message, Severity.ERROR)
    return records.from_findings(check, found, what="ruff", seconds=outcome.seconds)
