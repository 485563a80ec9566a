"""What is in the repository, found once and on the controller."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pytest_tfpipeline.model.findings import Finding


class Kind(StrEnum):
    """What a directory was taken for."""

    ROOT = "root"
    EXAMPLE = "example"
    MODULE = "module"
    LIBRARY = "library"
    FRAGMENT = "fragment"
    TEMPLATE = "template"
    SUITE = "suite"


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
