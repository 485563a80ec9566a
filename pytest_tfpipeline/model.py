"""The nouns of the pipeline, as frozen data.

Data flows one way: configuration -> repository -> expected checks -> records -> verdict -> applied -> evidence ->
reports. Nothing here does anything; everything here can be written as JSON and read back (`pytest_tfpipeline.codec`).

Paths named `dir` or `file` are POSIX, relative to the repository's top (`.` is the top itself); paths named
`*_path` are absolute.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a directory was taken for."""

    ROOT = "root"
    EXAMPLE = "example"
    MODULE = "module"
    LIBRARY = "library"
    FRAGMENT = "fragment"
    TEMPLATE = "template"
    SUITE = "suite"


class CheckKind(StrEnum):
    """The kinds of check."""

    FMT = "fmt"
    LINT = "lint"
    VALIDATE = "validate"
    POLICY = "policy"
    PLAN = "plan"
    UNIT = "unit"
    #: A file of native tests (`.tftest.hcl`); its item is called `test[FILE]`.
    TFTEST = "tftest"
    #: An ordinary pytest test that asks for `tf_plan` or `tf_configuration`.
    POLICY_TEST = "policy_test"
    #: Any other pytest test of the run.
    TEST = "test"

    @property
    def word(self) -> str:
        """The item's name, but for what is in brackets; with `tf_` before it, its marker."""
        return "test" if self is CheckKind.TFTEST else self.value


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    MISSING = "missing"
    DEFERRED = "deferred"


class Severity(StrEnum):
    """How bad a finding is; only `ERROR` and, where configured, `WARNING` fail a check."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class PlanStatus(StrEnum):
    """What came of planning one root in one environment."""

    PLANNED = "planned"
    DEFERRED = "deferred"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem: what, where, and what to do.

    `rule` is the field's own name for it (`terraform_unused_declarations`, `CKV_AWS_18`, `terraform-validate`).
    `text` ends with what to do where the tool says so; `excerpt` is the source around `line`, ready to print.
    """

    rule: str
    severity: Severity
    text: str
    address: str | None = None
    file: str | None = None
    line: int | None = None
    excerpt: str = ""
    #: The baseline has it: it was there before, and does not fail its check.
    known: bool = False


@dataclass(frozen=True, slots=True)
class KnownFinding:
    """An entry of the baseline: a finding that was there before, `count` times.

    `check` is `fmt`, `lint`, `ruff` (the lint of a Python suite) or `policy`, `environment` that of a plan. `content`
    are digests of what the finding is about: one, and of an unformatted file one for each line. `text` is for people.
    """

    check: str
    dir: str
    rule: str
    content: tuple[str, ...]
    environment: str | None = None
    file: str | None = None
    address: str | None = None
    count: int = 1
    text: str = ""


@dataclass(frozen=True, slots=True)
class KnownFindings:
    """Entries of the baseline, as they are kept in the run's store."""

    entries: tuple[KnownFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """What one check found, held against the baseline's entries about it.

    `new` are findings that it has not, and `left` those of its entries that were not found any more. `found` is
    everything, in a run that makes a baseline.
    """

    check: str
    dir: str
    environment: str | None
    found: tuple[KnownFinding, ...] = ()
    new: tuple[KnownFinding, ...] = ()
    left: tuple[KnownFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class Baseline:
    """The baseline of a run: `file` relative to the repository, and the SHA-256 of that file, "" if it is not there.

    `digest` is over the entries that count, which an operator may have limited. `recording`: this run makes it.
    """

    file: str
    sha256: str = ""
    digest: str = ""
    entries: int = 0
    recording: bool = False


@dataclass(frozen=True, slots=True)
class Deciding:
    """A file that decides what a run demands or lets through: relative to the repository, or absolute where it is in
    another place. `role` is what it does, as in "NAME, which ..."; `sha256` is "" where it is not there."""

    file: str
    role: str
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Directory:
    """One row of `--tf-list`: a directory and what it was taken for, with the rule that said so."""

    dir: str
    kind: Kind
    rule: str
    guessed: bool = False
    name: str = ""
    environments: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    callers: tuple[str, ...] = ()
    apply: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """A declared input variable."""

    name: str
    required: bool
    type: str = ""
    description: str = ""
    sensitive: bool = False
    file: str | None = None
    line: int | None = None

    @property
    def kind(self) -> str:
        """Its type without what an object consists of, which may be a page: `map(object)`; "" where it has none."""
        before, brace, _ = self.type.partition("({")
        return before + ")" * before.count("(") if brace else self.type


@dataclass(frozen=True, slots=True)
class RemoteState:
    """A `terraform_remote_state` data source, as far as its configuration is literal."""

    name: str
    backend: str
    config: dict[str, str]
    file: str
    line: int
    #: The directory of the root whose state it is, where that is plain; and all roots whose it could be.
    root: str | None = None
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Root:
    """A directory where terraform is run: a root module, or an example (checked, never applied by default).

    `anchor` is the one real file that the node ids of its checks start with. `backend` is the type of its backend
    block (`s3`, `cloud`, ...) or None; `backend_config` its literal settings.
    """

    dir: str
    name: str
    anchor: str
    kind: Kind = Kind.ROOT
    rule: str = ""
    guessed: bool = False
    environments: tuple[str, ...] = ()
    #: It belongs to no environment unless configured: it stands among directories of environments and is called like
    #: none, or only another root says one.
    beside: bool = False
    after: tuple[str, ...] = ()
    apply: bool = False
    backend: str | None = None
    backend_config: dict[str, str] = field(default_factory=dict)
    #: The settings in that block that read a variable or a local value, which only OpenTofu can.
    backend_computed: tuple[str, ...] = ()
    #: Directories of the local modules it calls, transitively.
    modules: tuple[str, ...] = ()
    variables: tuple[Variable, ...] = ()
    remote_states: tuple[RemoteState, ...] = ()
    required_version: str = ""
    #: Var files that plainly belong to it, by environment: what it is planned with unless configured otherwise.
    var_files: dict[str, tuple[str, ...]] = field(default_factory=dict)
    #: Its files of native tests, relative to the repository.
    tests: tuple[str, ...] = ()
    #: Files for `-backend-config`, found the same way; and the environments that have a workspace of their name.
    backend_files: dict[str, tuple[str, ...]] = field(default_factory=dict)
    workspaces: tuple[str, ...] = ()
    #: What a wrapper passes for `-backend-config`, as templates, and that wrapper (`Makefile:7`): shown, never used.
    backend_hint: tuple[str, ...] = ()
    backend_hint_from: str = ""
    #: Why it has these environments, each reason a few words.
    grounds: tuple[str, ...] = ()
    #: Files that could not be parsed: a finding of this root, the rest goes on.
    problems: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Module:
    """A child module or library: formatted, linted and statically policed; validated through its callers."""

    dir: str
    name: str
    anchor: str
    kind: Kind = Kind.MODULE
    rule: str = ""
    guessed: bool = False
    callers: tuple[str, ...] = ()
    #: Its files of native tests, relative to the repository.
    tests: tuple[str, ...] = ()
    problems: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Suite:
    """A Python project with tests of its own, run in a process and an environment of its own."""

    dir: str
    name: str
    anchor: str
    rule: str = ""
    #: What its environment is built from, relative to the repository: requirements files, pyproject.toml, Pipfile,
    #: setup.py, setup.cfg.
    requirements: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    python: str | None = None
    #: "pytest" or "unittest"
    framework: str = "pytest"
    #: Its test files, relative to the repository.
    tests: tuple[str, ...] = ()
    #: Set for its process, beside what a suite may see.
    env: dict[str, str] = field(default_factory=dict)
    #: Patterns, relative to the suite, of the JUnit files that its command writes.
    junit: tuple[str, ...] = ()
    coverage: bool = False
    #: Whether it may have no tests.
    empty: bool = False
    #: Seconds that all its tests may take.
    timeout: float = 1800.0


@dataclass(frozen=True, slots=True)
class Question:
    """What nobody but the user can say: a whole sentence, and the lines of configuration that answer it."""

    text: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Repository:
    """What is in the repository: found once, on the controller."""

    path: str
    directories: tuple[Directory, ...] = ()
    roots: tuple[Root, ...] = ()
    modules: tuple[Module, ...] = ()
    suites: tuple[Suite, ...] = ()
    #: Known environments, in order; the names that look like one but are not counted are `candidates`.
    environments: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    #: On what little the only environment rests, which then is not the whole list; "" where it is.
    lone: str = ""
    #: Things to tell the user once, each a whole sentence.
    notes: tuple[str, ...] = ()
    #: What is ambiguous; until it is answered, the safe reading counts. `answers` is the file that answers go into.
    questions: tuple[Question, ...] = ()
    answers: str = "tfpipeline.toml"
    #: Directories that OpenTofu runs and not Terraform, each with the file that says so.
    tofu: dict[str, str] = field(default_factory=dict)
    #: By directory with native tests, the line of the wrapper in it that runs them, and the var files that this passes.
    test_var_files: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)

    @property
    def tests(self) -> dict[str, tuple[str, ...]]:
        """The files of native tests, by the directory of the root or module that they test."""
        found = {root.dir: root.tests for root in self.roots} | {module.dir: module.tests for module in self.modules}
        return {directory: files for directory, files in found.items() if files}


@dataclass(frozen=True, slots=True)
class Target:
    """One root in one environment: all that terraform needs to be told, with every `{...}` expanded."""

    root: str
    environment: str
    var_files: tuple[str, ...] = ()
    #: The strongest variables, written to a JSON var file (mode 0600), never to a command line.
    vars: dict[str, Any] = field(default_factory=dict)
    #: Overrides the root's backend by a local one in the private copy.
    backend_local: bool = False
    #: Var-file-like paths (relative to the repository) or `key=value` pairs for `-backend-config`.
    backend_config: tuple[str, ...] = ()
    workspace: str | None = None
    #: Added to the processes' environment; `plan_env` and `apply_env` are the environment's, by phase.
    env: dict[str, str] = field(default_factory=dict)
    plan_env: dict[str, str] = field(default_factory=dict)
    apply_env: dict[str, str] = field(default_factory=dict)
    prepare: tuple[tuple[str, ...], ...] = ()
    after_apply: tuple[tuple[str, ...], ...] = ()
    parallelism: int | None = None
    lock_timeout: str = "0s"
    #: Seconds by phase: init, validate, plan, show, apply, prepare, after_apply.
    timeouts: dict[str, float] = field(default_factory=dict)
    #: Directories of the roots whose state this one reads, or that were declared with `after`.
    after: tuple[str, ...] = ()
    apply: bool = False
    emulated: bool = False
    #: Why it cannot be planned (a var file that is not there, a `${NAME}` that is not set): findings of the plan.
    problems: tuple[Finding, ...] = ()


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
class Waiver:
    """A finding that is accepted for a time. `address` is a pattern (see `policies.waivers`), `place` says where it is.

    `expires` is the last day on which it counts, ISO 8601. Without an environment it is about every `policy` check.
    """

    rule: str
    address: str
    owner: str
    reason: str
    expires: str
    environment: str | None = None
    place: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One expected check: `id` is its node id relative to the repository, and unique."""

    id: str
    kind: CheckKind
    dir: str
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One test of a Python suite, or one run block of a native test, as its own runner reported it.

    `id` is relative to the suite; where it does not begin with a file of the suite, it is a name from a JUnit file.
    `output` is what it printed and logged, by the names that pytest gives such sections.
    """

    id: str
    outcome: Outcome
    seconds: float = 0.0
    text: str = ""
    output: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A check's result. `text` is what a failing item prints; `summary` is one line for a passing one."""

    check: str
    kind: CheckKind
    outcome: Outcome
    dir: str | None = None
    environment: str | None = None
    seconds: float = 0.0
    reused: bool = False
    findings: tuple[Finding, ...] = ()
    summary: str = ""
    text: str = ""
    cases: tuple[CaseResult, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """How many resources a plan touches, by what happens to them. A replacement counts as `replace` alone."""

    add: int = 0
    change: int = 0
    replace: int = 0
    destroy: int = 0
    import_: int = 0
    forget: int = 0
    #: Only the address in the state changes.
    move: int = 0
    #: Outputs that change, by name.
    outputs: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether applying would do anything at all, outputs included."""
        counts = (self.add, self.change, self.replace, self.destroy, self.import_, self.forget, self.move)
        return any(counts) or bool(self.outputs)


@dataclass(frozen=True, slots=True)
class PlanResult:
    """What came of planning a target, as kept in the run's store by whoever planned it.

    A worker's word: the controller reads the saved plan itself before it applies anything.
    """

    root: str
    environment: str
    status: PlanStatus
    #: The roots that must be applied first; only when deferred.
    behind: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    plan_path: str | None = None
    plan_sha256: str | None = None
    #: `terraform show -json` of it (mode 0600: it holds secrets).
    json_path: str | None = None
    #: SHA-256 over the files of the private copy that the plan could read.
    inputs_sha256: str | None = None
    state_exists: bool = False
    state_lineage: str = ""
    state_serial: int = 0
    changes: Changes = Changes()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Tool:
    """A program this run used."""

    name: str
    version: str
    path: str
    sha256: str


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
