"""The finished description of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pytest_tfpipeline.model.checks import Check
from pytest_tfpipeline.model.findings import Baseline, Waiver
from pytest_tfpipeline.model.plans import Target
from pytest_tfpipeline.model.repository import Repository


@dataclass(frozen=True, slots=True)
class EnvironmentRun:
    """An environment as this run sees it."""

    name: str
    emulator: str | None = None
    protect: tuple[str, ...] = ()
    identity: dict[str, Any] = field(default_factory=dict)
    after: str | None = None
    approval: str = "none"
    #: What fills an emulated cloud: commands, and functions as `module:function`.
    seed: tuple[tuple[str, ...] | str, ...] = ()
    #: How many people must sign where the approval is `signed`.
    signatures: int = 2
    #: The environment whose var files and rules it borrows (`env_alias`).
    lent_by: str | None = None
    #: Deletions that the reviewed file allows here today, as `root//address`; those that were typed are not among them.
    allowed_destroys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tool:
    """A program this run used."""

    name: str
    version: str
    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Deciding:
    """A file that decides what a run demands or lets through: relative to the repository, or absolute where it is in
    another place. `role` is what it does, as in "NAME, which ..."; `sha256` is "" where it is not there."""

    file: str
    role: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """What a change since a commit can affect (`--tf-changed`).

    `since` is the commit, as it was named and in full; `paths` are those that changed, relative to the repository.
    `reasons` are by directory, `tests` by file of a module of policy tests, which runs on all that it is about. `total`
    is how many directories have checks.
    """

    since: str
    commit: str
    paths: tuple[str, ...] = ()
    reasons: dict[str, tuple[str, ...]] = field(default_factory=dict)
    tests: dict[str, tuple[str, ...]] = field(default_factory=dict)
    total: int = 0

    @property
    def said(self) -> str:
        """What it comes to, in one line."""
        since = self.commit[:12] if self.since == self.commit else f"{self.since} {self.commit[:12]}"
        paths = len(self.paths)
        files = f"{paths} file{'' if paths == 1 else 's'}" if paths else "no file"
        many = "module" if len(self.tests) == 1 else "modules"
        tests = f", and {len(self.tests)} {many} of policy tests on everything" if self.tests else ""
        return f"changed since {since}: {len(self.reasons)} of {self.total} directories{tests} ({files})"

    @property
    def nothing(self) -> bool:
        """Whether no check can be affected."""
        return not self.reasons and not self.tests


@dataclass(frozen=True, slots=True)
class Run:
    """The finished description of a run, made once by the controller and handed to the workers.

    `mode` is "check" (static checks only), "plan" or "apply". `output_path` is `.tfpipeline`; `work_path` is this
    run's own directory below it.
    """

    id: str
    mode: str
    repository: Repository
    output_path: str
    work_path: str
    environments: tuple[EnvironmentRun, ...] = ()
    targets: tuple[Target, ...] = ()
    checks: tuple[Check, ...] = ()
    #: Files of the repository that private copies are made of, with their SHA-256 when the run can apply, else "".
    files_path: str = ""
    #: What HEAD was before anything was read, in a run that can apply; None without a commit.
    commit: str | None = None
    #: Exact versions asked for, by tool.
    tool_versions: dict[str, str] = field(default_factory=dict)
    #: Versions that files of the repository ask for, by tool: taken where they can be had.
    preferred_versions: dict[str, str] = field(default_factory=dict)
    #: Of single roots, by directory: what their files ask for where that is another version than the run's.
    root_versions: dict[str, str] = field(default_factory=dict)
    #: Tool settings from the configuration (lint severity, checkov options, ...).
    settings: dict[str, Any] = field(default_factory=dict)
    #: Environment variables for every process of an environment (the emulated cloud's), by environment.
    process_env: dict[str, dict[str, str]] = field(default_factory=dict)
    #: terraform's CLI configuration file for this run, and OpenTofu's, which has a registry of its own.
    cli_config_path: str = ""
    tofu_config_path: str = ""
    #: Seconds of earlier runs by check, for the scheduler and for what is said to be left; the controller's alone.
    timings: dict[str, float] = field(default_factory=dict)
    #: Patterns of messages that make init and plan worth another try; never apply.
    retry: tuple[str, ...] = ()
    #: Whether the run that checks may also apply: "process", or "jobs" where it may not.
    isolation: str = "process"
    #: The file with the keys that may sign, in the format of OpenSSH's allowed_signers.
    signers: str | None = None
    #: The day on which the run began, in UTC, ISO 8601: what expires is held against this one day.
    today: str = ""
    waivers: tuple[Waiver, ...] = ()
    #: None where no finding is known beforehand.
    baseline: Baseline | None = None
    #: What was read beside Terraform, and must be the commit's where a real environment is applied.
    deciding: tuple[Deciding, ...] = ()
    #: Directory and environment (None: the configuration itself) of every `policy` check that there could be.
    policed: tuple[tuple[str, str | None], ...] = ()
    #: The group that the run is restricted to, and the directories that are not judged because of that or of `changed`.
    group: str | None = None
    not_judged: tuple[str, ...] = ()
    #: What the run is narrowed to; None where it is not.
    changed: Changed | None = None

    @property
    def can_apply(self) -> bool:
        """Whether this run may apply; it then takes no short cuts and reuses nothing."""
        return self.mode == "apply"

    def target(self, root: str, environment: str) -> Target:
        """The target of that root and environment; KeyError where there is none."""
        for target in self.targets:
            if target.root == root and target.environment == environment:
                return target
        raise KeyError((root, environment))
