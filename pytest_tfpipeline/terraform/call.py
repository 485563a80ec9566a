"""Run terraform for one root, in a private copy of the tree, and say what came of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_tfpipeline.context import Context, Phase
from pytest_tfpipeline.model import Finding, Root, Severity, Target, Tool
from pytest_tfpipeline.process import Outcome, Stall
from pytest_tfpipeline.terraform.command import Argv, Meaning, meaning
from pytest_tfpipeline.terraform.diagnostics import (
    diagnostics_of,
    errors,
    failure,
    findings_from_diagnostics,
    parse_line,
)
from pytest_tfpipeline.terraform.features import lacking
from pytest_tfpipeline.terraform.mends import with_seed_named
from pytest_tfpipeline.terraform.plaintext import diagnostics_of_text
from pytest_tfpipeline.terraform.shortcut import run_filtered
from pytest_tfpipeline.warm import FILTERED

#: Seconds that a phase may take where the target does not say.
TIMEOUTS = {
    "init": 600.0,
    "validate": 300.0,
    "plan": 1800.0,
    "show": 300.0,
    "apply": 7200.0,
    "prepare": 900.0,
    "after_apply": 900.0,
    "fmt": 60.0,
    "test": 1800.0,
}
_TAIL_LINES = 20
#: Seconds from SIGINT to SIGTERM for what is ended because nothing comes any more; it holds no lock.
_STALL_GRACE = 5.0
_ATTEMPTS = 3


@dataclass(frozen=True)
class Directory:
    """A root's directory as a check sees it: whose it is, and where its private copy is.

    `where` is the target, or the environment's name, or None for the static copy.
    """

    ctx: Context
    dir: str
    where: Target | str | None
    copy: Path

    @property
    def cwd(self) -> Path:
        """Where terraform runs."""
        return self.copy / self.dir

    @property
    def root(self) -> Root | None:
        """The root, unless the directory is none."""
        return self.ctx.root(self.dir)

    @property
    def terraform(self) -> Tool:
        """What runs it: terraform, or OpenTofu. Raises ToolError."""
        return self.ctx.terraform(self._root_dir)

    @property
    def _root_dir(self) -> str:
        return self.where.root if isinstance(self.where, Target) else self.dir

    def timeout(self, phase: str) -> float:
        """Seconds that the phase may take."""
        without: dict[str, dict[str, float]] = self.ctx.run.settings.get("timeouts", {})
        configured = self.where.timeouts if isinstance(self.where, Target) else without.get(self.dir, {})
        return configured.get(phase, TIMEOUTS[phase])

    def run(
        self,
        argv: Argv,
        phase: str,
        *,
        cwd: Path | None = None,
        rights: Phase = Phase.PLAN,
        on_line: Callable[[str], None] | None = None,
        stdin: bytes | None = None,
        stall: Stall | None = None,
        env: Mapping[str, str] | None = None,
        plan: Path | None = None,
    ) -> Outcome:
        """Run a command of that phase in the root's directory; `env` is added to the phase's own variables; `plan` is
        the plan file that it shows."""
        request = self.ctx.request(
            argv,
            cwd or self.cwd,
            self.where,
            root=self.root,
            phase=rights,
            timeout=self.timeout(phase),
            stdin=stdin,
        )
        if stall is not None:
            request = replace(request, stall=stall, grace=_STALL_GRACE)
        added = {**self._own_configuration(), **(env or {})}
        if added:
            request = replace(request, env={**request.env, **added})
        if phase in FILTERED and on_line is None:
            return run_filtered(self.ctx, request, phase, lambda outcome: succeeded(phase, outcome), plan)
        return self.ctx.runner.run(request, on_line)

    def _own_configuration(self) -> dict[str, str]:
        """OpenTofu's own CLI configuration, where it is OpenTofu that runs here."""
        path = self.ctx.run.tofu_config_path if self._root_dir in self.ctx.run.repository.tofu else ""
        return {"TF_CLI_CONFIG_FILE": path} if path else {}

    def findings(self, outcome: Outcome, rule: str) -> tuple[Finding, ...]:
        """What terraform's JSON lines say, else its plain text, with the user's own paths."""
        found = findings_from_diagnostics(
            diagnostics_of(outcome.stdout) or diagnostics_of_text(outcome.stderr),
            self.dir,
            self.ctx.run.repository.path,
            copy=self.copy,
            rule=rule,
            variables=self.root.variables if self.root else (),
        )
        if self._root_dir in self.ctx.run.repository.tofu:
            found = tuple(replace(one, text=one.text.replace("`terraform ", "`tofu ")) for one in found)
        found = tuple(map(self.with_what_is_lacking, found))
        anchor = self.root.anchor if self.root else None
        # Of a state lock or a provider terraform names no file, and nobody would know which root is meant.
        return tuple(finding if finding.file else replace(finding, file=anchor) for finding in found)

    @property
    def emulated(self) -> bool:
        """Whether terraform's connections end in the emulated cloud, which has neither modules nor providers."""
        environment = self.where.environment if isinstance(self.where, Target) else self.where
        return bool(self.ctx.run.process_env.get(environment or ""))

    def judge(self, outcome: Outcome, phase: str) -> tuple[Finding, ...]:
        """The findings of a command that printed JSON lines; where it failed, at least one of them is an error."""
        findings = self.findings(outcome, f"terraform-{phase}")
        if phase == "plan" and self.emulated:
            findings = with_seed_named(findings)
        if succeeded(phase, outcome) or errors(findings):
            return findings
        return (*findings, self.broken(outcome, phase, f"{self.terraform.name} {phase}"))

    def broken(self, outcome: Outcome, phase: str, command: str) -> Finding:
        """A finding for a command that failed without a diagnostic: a timeout, a signal, or plain text."""
        text = f"{command} {self._how(outcome, phase)}"
        tail = _tail(outcome)
        tail = tail.replace(str(self.copy), self.ctx.run.repository.path)
        anchor = self.root.anchor if self.root else None
        rule = "timeout" if outcome.timed_out else f"terraform-{phase}"
        said = f"{text}\n{tail}".rstrip() + _advice(outcome, phase)
        return self.with_what_is_lacking(failure(rule, said, file=anchor))

    def with_what_is_lacking(self, finding: Finding) -> Finding:
        """The same, with the version that knows what this one does not, where the error is one of that kind."""
        missing = (
            lacking(self.terraform, f"{finding.text}\n{finding.excerpt}") if finding.severity is Severity.ERROR else ""
        )
        return replace(finding, text=f"{finding.text}\n-> {missing}") if missing else finding

    def _how(self, outcome: Outcome, phase: str) -> str:
        if outcome.timed_out:
            return f"was stopped: it had not ended after {_span(self.timeout(phase))}"
        if outcome.code is None:
            return f"could not be started: {outcome.error}"
        if outcome.code < 0:
            return f"was killed by signal {-outcome.code}"
        return f"failed with exit code {outcome.code}"


def succeeded(phase: str, outcome: Outcome) -> bool:
    """Whether the exit code is one of success, and nobody stopped it."""
    return not outcome.timed_out and meaning(phase, outcome.code) in (Meaning.DONE, Meaning.CHANGES)


def retrying(run: Callable[[], Outcome], phase: str, patterns: Iterable[str]) -> Outcome:
    """Run again, at most twice, while it fails with a message that `retry` of the configuration names; never apply."""
    compiled = [re.compile(pattern, re.IGNORECASE) for pattern in patterns]
    outcome = run()
    for _ in range(_ATTEMPTS - 1):
        said = f"{outcome.stdout}\n{outcome.stderr}"
        if succeeded(phase, outcome) or not any(pattern.search(said) for pattern in compiled):
            break
        outcome = run()
    return outcome


def _tail(outcome: Outcome) -> str:
    """The last lines of what was said, JSON lines by their message."""
    lines = (outcome.stderr.strip() or outcome.stdout.strip()).splitlines()[-_TAIL_LINES:]
    messages = (parse_line(line) for line in lines)
    told = [
        str(message.get("@message", line)) if message else line for message, line in zip(messages, lines, strict=True)
    ]
    return "\n".join(told)


def _advice(outcome: Outcome, phase: str) -> str:
    if not outcome.timed_out:
        return ""
    return f'\n-> Find out what it waits for, or give it longer: `timeout = {{ {phase} = "1h" }}`.'


def _span(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:g} seconds"
