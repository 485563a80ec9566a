"""Every key of the configuration: type, default and meaning.

This is the one place where a key is declared; the JSON Schema, the documentation's table and the errors are made from
it.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, PrivateAttr, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from pytest_tfpipeline.config.docstrings import docstrings
from pytest_tfpipeline.config.protect import DEFAULT_PROTECT
from pytest_tfpipeline.config.types import (
    Account,
    AliasPattern,
    Argv,
    Backend,
    Duration,
    EnvironmentName,
    EnvironmentNames,
    EnvironmentVariables,
    Glob,
    Globs,
    Items,
    Limit,
    NameTemplate,
    PathTemplate,
    Patterns,
    PythonVersion,
    RegularExpression,
    RepositoryFile,
    ResourceType,
    RootTemplate,
    SeedStep,
    Template,
    TemplateArgv,
    TemplateVariables,
    TerraformVersion,
    Variables,
    Version,
)


class Table(BaseModel):
    """A table of the configuration: frozen, strict about types, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """With what stands below each key as its description; only here, since whoever starts pytest would wait for
        its source to be read."""
        schema = handler(core)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, text in docstrings(cls).items():
            field = cls.model_fields.get(name)
            if field is not None:
                properties[field.alias or name]["description"] = text
        return schema


class IdentityConfig(Table):
    """Whose credentials these must be."""

    aws_account: Account | None = None
    """The AWS account that the credentials in use must belong to, 12 digits."""

    command: Argv | None = None
    """For other clouds: argv that prints whose credentials are in use."""

    expect: str | None = None
    """What `command` must print, surrounding white space aside."""

    @model_validator(mode="after")
    def _complete(self) -> IdentityConfig:
        if (self.command is None) != (self.expect is None):
            raise ValueError("`command` and `expect` belong together")
        if self.aws_account is None and self.command is None:
            raise ValueError("expected `aws_account`, or `command` and `expect`")
        return self


class EnvironmentConfig(Table):
    """One environment."""

    emulator: Literal["aws"] | None = None
    """Run this environment against the emulated cloud instead of a real one."""

    after: EnvironmentName | None = None
    """The environment in which the same commit must have been applied before."""

    approval: Literal["none", "manual", "signed"] = "none"
    """Who must agree before an apply."""

    signatures: int = Field(default=2, ge=1)
    """How many people must sign, with keys of their own, where `approval` is `signed`."""

    protect: Items[ResourceType] = DEFAULT_PROTECT
    """Resource types whose deletion or replacement closes the gate; `[]` protects nothing."""

    identity: IdentityConfig | None = None
    """Asked for with the credentials in use, before plan and again before apply."""

    backend: Literal["local"] | None = None
    """`"local"`: keep the state of every root in a file below the output directory, so that a plan needs no remote
    state. A root's own `backend` comes first."""

    plan_env: EnvironmentVariables = {}
    """Environment variables for everything up to and including the plan."""

    apply_env: EnvironmentVariables = {}
    """Environment variables for the apply, in the place of `plan_env`."""

    seed: Items[SeedStep] = ()
    """What fills the emulated cloud before anything is planned: commands (argv), and functions of the repository as
    `"module:function"`. Once for each fresh cloud, and again when they change."""

    @model_validator(mode="after")
    def _seeded(self) -> EnvironmentConfig:
        if self.seed and self.emulator is None:
            raise ValueError('`seed` fills an emulated cloud, and this is none: add `emulator = "aws"`, or take it out')
        return self


class GroupConfig(Table):
    """Roots that are deployed together."""

    name: EnvironmentName
    """What `--tf-group` takes."""

    roots: Globs
    """Patterns of the roots' directories; the modules that they call belong to the group too."""

    suites: Items[Glob] | None = None
    """Patterns of the directories of Python suites. Default: every suite but those that stand below a root or a module
    which is not the group's, or that another group names."""


class TimeoutConfig(Table):
    """The hard limits after which a step is ended, by step."""

    init: Limit = "10m"
    """`terraform init`."""

    validate_: Limit = Field(default="5m", alias="validate")
    """`terraform validate`."""

    plan: Limit = "30m"
    """`terraform plan`."""

    show: Limit = "5m"
    """`terraform show` of a saved plan."""

    apply: Limit = "2h"
    """`terraform apply`."""

    prepare: Limit = "10m"
    """Each `prepare` command."""

    after_apply: Limit = "10m"
    """Each `after_apply` command."""

    def limits(self) -> dict[str, str]:
        """The limits as written, by step (`validate`, not `validate_`)."""
        return self.model_dump(by_alias=True)


class RootConfig(Table):
    """Settings for the roots whose directory matches: in order, the first entry that matches a root is its only one.

    Paths are relative to the repository's top. `{env}`, `{name}` and `{parts[-2]}` (a component of the root's
    directory) are replaced; a brace is written twice to mean itself.
    """

    match: Patterns
    """Pattern of the root's directory, or several: `*` stays within one component, `**` spans any number."""

    name: NameTemplate | None = None
    """The root's name, for `after` and for people. Default: the last component of its directory."""

    var_files: Items[PathTemplate] | None = None
    """Var files in order, the last is the strongest; a trailing `?` means that it may be absent. Default: the
    environment's files that are found beside the root, in the usual directories, or one or two levels up."""

    vars: Variables = {}
    """Variables, stronger than every var file; never on a command line. `${NAME}` reads the environment. A root gets
    those that it declares."""

    backend: Backend | None = None
    """`-backend-config` files (a trailing `?` means may be absent) and `key=value` pairs, or `"local"`."""

    workspace: Template | None = None
    """The terraform workspace."""

    env: TemplateVariables = {}
    """Environment variables for every process of the root."""

    environments: EnvironmentNames | None = None
    """The only environments it belongs to. Default: those that are found for it, else all."""

    apply: bool | None = None
    """Whether it may be applied; false: checked and planned only. Default: with a remote backend or in an emulated
    environment; never for an example."""

    after: Items[RootTemplate] = ()
    """Names or directories of roots that are applied before it, beside those whose state it reads."""

    prepare: Items[TemplateArgv] = ()
    """Commands (argv) that are run at the top of the run's copy of the tree, before validate, once per environment, and
    where they do not name `{env}` also once without one, for validate and native tests."""

    after_apply: Items[TemplateArgv] = ()
    """Commands (argv) that are run after each apply, with the outputs as JSON on stdin."""

    copy_in: Items[Glob] = ()
    """Files that git ignores and that the run's copy of the tree needs all the same."""

    parallelism: int | None = Field(default=None, ge=1)
    """`-parallelism` of plan and apply. Default: terraform's own, 10."""

    lock_timeout: Duration = "0s"
    """How long to wait for a state lock that someone else holds."""

    timeout: TimeoutConfig = TimeoutConfig()
    """Hard limits by step."""


class SuiteConfig(Table):
    """Settings for the Python suites whose directory matches; the first entry that matches a suite is its only one."""

    match: Patterns
    """Pattern of the suite's directory, or several."""

    command: Argv | None = None
    """What runs its tests (argv), started in the suite. Default: pytest, which runs unittest's tests too."""

    junit: Globs | None = None
    """Patterns, relative to the suite, of the JUnit files that `command` writes. Default: what its `--junitxml` names,
    else what looks like one."""

    python: PythonVersion | None = None
    """The Python that runs it, such as `"3.12"`. Default: what its requirements ask for, else this one."""

    requirements: Globs | None = None
    """Patterns, from the repository's top, of the files that its environment is built from. Default: its own
    `requirements*.txt`, `pyproject.toml`, `Pipfile`, `setup.py` and `setup.cfg`."""

    env: EnvironmentVariables = {}
    """Environment variables for its process; never a credential of plan or apply."""

    coverage: bool = False
    """Measure what its tests cover (pytest-cov), as a suite whose own configuration says `--cov` does anyway."""

    empty: bool = False
    """Whether it may have no tests. Without this, a suite in which nothing is collected is an error."""

    timeout: Limit = "30m"
    """The hard limit for all its tests together."""


class TestConfig(Table):
    """Settings for the files of native tests (`.tftest.hcl`) that match; the first entry that matches a file is its
    only one."""

    #: pytest would take it for a class of tests.
    __test__ = False

    match: Patterns
    """Pattern of the file, or several: `modules/**` is every one below `modules`."""

    emulator: Literal["aws"] | None = None
    """Give the file an emulated cloud of its own, empty at first and gone afterwards. Default: none: run blocks may
    plan, and apply what reaches no cloud or is mocked."""

    var_files: Items[RepositoryFile] = ()
    """Var files for it, as `terraform test -var-file` takes them; what the test file says itself is stronger."""

    run: bool = True
    """Whether it is run here at all; false for tests that need a real cloud and are run elsewhere."""

    timeout: Limit = "30m"
    """The hard limit after which it is ended."""


class ToolsConfig(Table):
    """Exact versions of tools."""

    terraform: TerraformVersion | None = None
    """An exact version, or `"tofu"`: OpenTofu in its place. Default: what the repository's files say (see
    `docs/tools.md`), else what is there."""

    tofu: Version | None = None
    """The version of OpenTofu; named without `terraform`, it says that OpenTofu is used. Default: `.opentofu-version`,
    `.tool-versions` or `required_version` of the roots, else what is there."""

    tflint: Version | None = None
    """Default: what is there, else the version that this plugin was tested with."""

    checkov: Version | None = None
    """Default: the version whose hashes this plugin ships."""

    ruff: Version | None = None
    """Default: what is there, else the version that this plugin was tested with."""

    uv: Version | None = None
    """Default: the one that is installed with this plugin."""


class Config(Table):
    """The whole configuration; without any, every key has its default."""

    environments: EnvironmentNames = ()
    """The environments, in order. Default: those that are found."""

    env_alias: dict[AliasPattern, EnvironmentName] = {}
    """Patterns of environment names that borrow another one's var files and rules: `{ "pr-*" = "staging" }`. `{env}`
    stays the name that was asked for."""

    include: Items[Glob] = ()
    """Patterns of directories to take as roots, whatever the rules say."""

    exclude: Items[Glob] = ()
    """Patterns of directories that are not looked at, with everything below them."""

    retry: Items[RegularExpression] = ()
    """Regular expressions, found regardless of case, of messages that make init, plan and downloads worth another
    try; never apply."""

    skips: Literal["report", "fail"] = "report"
    """What a skip or xfail inside a Python suite or an ordinary test does to the gate."""

    lint_severity: Literal["notice", "warning", "error"] = "warning"
    """The lowest severity of a tflint finding that fails `lint`."""

    unknown: Literal["fail", "pass", "report"] = "report"
    """What a policy test that needs a value known only after apply comes to, unless its marker says so itself."""

    isolation: Literal["process", "jobs"] = "process"
    """Whether the run that checks may also apply."""

    shortcuts: bool = True
    """Whether short cuts are taken that give the same answers; a run that can apply takes none but for `validate`."""

    reuse: bool = True
    """Whether static checks whose inputs have not changed keep the results of earlier runs; never in a run that can
    apply, and not without `shortcuts`."""

    signers: RepositoryFile | None = None
    """File with the keys that may sign evidence and approvals, in the format of OpenSSH's `allowed_signers`."""

    waivers: RepositoryFile | None = None
    """TOML file with policy findings that are accepted for a time."""

    allow_destroy: RepositoryFile | None = None
    """TOML file with protected resources that may be deleted or replaced, beside those that `--allow-destroy` names."""

    baseline: RepositoryFile | None = ".tfpipeline-baseline.json"
    """File with findings that were there before and are let through, as `--tf-baseline` makes it."""

    environment: dict[EnvironmentName, EnvironmentConfig] = {}
    """Settings by environment."""

    group: Items[GroupConfig] = ()
    """Roots that are deployed together."""

    root: Items[RootConfig] = ()
    """Settings for roots: ordered, the first match wins."""

    suite: Items[SuiteConfig] = ()
    """Settings for Python suites: ordered, the first match wins."""

    test: Items[TestConfig] = ()
    """Settings for files of native tests: ordered, the first match wins."""

    tools: ToolsConfig = ToolsConfig()
    """The tools that are used, where it matters which."""

    _source: str = PrivateAttr(default="")
    _prefix: str = PrivateAttr(default="")
    _fixed: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @property
    def source(self) -> str:
        """The file it was read from, as messages name it; "" where there is none."""
        return self._source

    @property
    def prefix(self) -> str:
        """What its keys start with in that file: `tool.tfpipeline.` or nothing."""
        return self._prefix

    def where(self, key: str) -> str:
        """The file that says that key, and the key in it; the operator's file, where that fixes it."""
        return self._fixed.get(key, f"{self._source}: {self._prefix}{key}")

    def environment_config(self, name: str) -> EnvironmentConfig:
        """The settings of that environment, or of the one that lends it its rules; all defaults without any."""
        return self.environment.get(self.lender(name) or name, EnvironmentConfig())

    def lender(self, name: str) -> str | None:
        """The environment whose var files and rules that one borrows (`env_alias`); None for one of its own."""
        if name in self.environments or name in self.environment:
            return None
        return next((lender for pattern, lender in self.env_alias.items() if fnmatchcase(name, pattern)), None)

    def from_file(self, source: str, prefix: str, fixed: Mapping[str, str] = MappingProxyType({})) -> Config:
        """The same configuration, which knows where it was read, and of keys that are `fixed` where else."""
        copy = self.model_copy()
        copy._source, copy._prefix, copy._fixed = source, prefix, fixed
        return copy
