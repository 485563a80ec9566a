"""What every check is given: the run, the process runner, the workspace and the tools."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from secrets import token_hex

from pytest_tfpipeline.errors import ToolError
from pytest_tfpipeline.model import Root, Run, Target, Tool
from pytest_tfpipeline.process import Request, Runner, denied
from pytest_tfpipeline.warm.ahead import Ahead
from pytest_tfpipeline.workspace import Workspace

#: The tools that a run may use.
TOOLS = ("checkov", "ruff", "terraform", "tofu", "tflint", "uv")

#: Always set for terraform: it must not ask, phone home or wait for a password.
FIXED_ENVIRONMENT = {
    "TF_IN_AUTOMATION": "1",
    "TF_INPUT": "0",
    "CHECKPOINT_DISABLE": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GCM_INTERACTIVE": "never",
}
#: Seconds that an interrupted apply may take to finish what it has begun: cut short, terraform would lose what it
#: knows of a resource that is being made, and some databases take this long.
APPLY_GRACE = 1800.0
#: What digests are made and evidence is signed with: nothing that terraform starts has any use for them.
_OUR_KEYS = ("TFPIPELINE_DIGEST_KEY", "TFPIPELINE_SIGNING_KEY")
#: Inherited or configured credentials that would lead past the emulated cloud.
REAL_CREDENTIALS = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
REAL_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
#: The emulator's idea of these is only a default; a target may choose another.
_ONLY_DEFAULTS = {"AWS_REGION", "AWS_DEFAULT_REGION"}


class Phase(StrEnum):
    """What a process is for: it decides which credentials it sees."""

    #: Builds what the configuration reads: it may need a package index, and never a cloud that is emulated.
    PREPARE = "prepare"
    PLAN = "plan"
    APPLY = "apply"


@dataclass(frozen=True)
class Context:
    """One per process of the run."""

    run: Run
    runner: Runner
    workspace: Workspace
    progress: Callable[[str], None] | None = None
    #: Directories of which one call of `fmt` may tell, by each of them; all of them are selected.
    batches: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    #: Calls of checkov on a directory that are begun before their turn, by the directory.
    ahead: Ahead = field(default_factory=Ahead, repr=False)
    _tools: dict[str, Tool] = field(default_factory=dict, repr=False)
    _missing: dict[str, ToolError] = field(default_factory=dict, repr=False)
    _absent: dict[str, ToolError] = field(default_factory=dict, repr=False)

    def tool(self, name: str) -> Tool:
        """The program, looked for (and installed, under a lock) once per run. Raises ToolError."""
        if name in self._missing:  # offline, every further attempt would cost seconds for the same answer
            raise self._missing[name]
        if name not in self._tools:
            try:
                self._tools[name] = self.workspace.once(f"tool/{name}", Tool, lambda: self._find(name))
            except ToolError as error:
                self._missing[name] = error
                raise
        return self._tools[name]

    def terraform(self, directory: str) -> Tool:
        """The terraform that the directory is run with, or the OpenTofu: the version that the root's files ask for,
        where it can be had, else the run's. Raises ToolError."""
        name = "tofu" if directory in self.run.repository.tofu else "terraform"
        version = self.run.root_versions.get(directory)
        if version is None:
            return self.tool(name)
        key = _key(name, version)
        if key not in self._tools:
            found = self.workspace.once(key, tuple[Tool, ...], lambda: self._attempt(name, version))
            self._tools[key] = found[0] if found else self.tool(name)
        return self._tools[key]

    def tool_there(self, name: str) -> Tool:
        """The same as `tool`, if it is there already: nothing is installed. Raises ToolError."""
        return self._there(
            f"tool/{name}", name, self.run.tool_versions.get(name) or self.run.preferred_versions.get(name)
        )

    def terraform_there(self, directory: str) -> Tool:
        """The same as `terraform`. Raises ToolError also where the root's own version is not there."""
        name = "tofu" if directory in self.run.repository.tofu else "terraform"
        version = self.run.root_versions.get(directory)
        return self.tool_there(name) if version is None else self._there(_key(name, version), name, version)

    def used_tools(self) -> tuple[Tool, ...]:
        """Every tool that any process of the run has looked for and found, by name; of terraform the run's own version
        before those of single roots."""
        found = (self.workspace.get(f"tool/{name}", Tool) for name in TOOLS)
        others = (self.workspace.get(key, tuple[Tool, ...]) or () for key in self._single_versions())
        tools = [tool for tool in found if tool is not None] + [tool for each in others for tool in each]
        return tuple(sorted(dict.fromkeys(tools), key=lambda tool: TOOLS.index(tool.name)))

    def _single_versions(self) -> list[str]:
        programs = dict.fromkeys(self.run.repository.tofu, "tofu")
        versions = self.run.root_versions.items()
        return sorted({_key(programs.get(directory, "terraform"), version) for directory, version in versions})

    def _attempt(self, name: str, version: str) -> tuple[Tool, ...]:
        """That version, if it can be had; else the root is told that the run's own is another one."""
        from pytest_tfpipeline.tools import find_tool

        with suppress(ToolError):
            return (find_tool(name, version=version, runner=self.runner, progress=self.progress),)
        return ()

    def root(self, directory: str) -> Root | None:
        """The root of that directory, if it is one."""
        return next((root for root in self.run.repository.roots if root.dir == directory), None)

    def target(self, root: str, environment: str) -> Target | None:
        """The target of that root and environment, if this run has one."""
        try:
            return self.run.target(root, environment)
        except KeyError:
            return None

    def environment(self, where: Target | str | None, phase: Phase = Phase.PLAN) -> dict[str, str]:
        """What terraform's environment has beyond the inherited one, for a target, an environment, or neither."""
        limits = {key: value for key, value in _registry_limits().items() if key not in self.runner.environ}
        env = {**limits, **FIXED_ENVIRONMENT, **self.cloud_environment(where, phase)}
        if self.run.cli_config_path:
            env["TF_CLI_CONFIG_FILE"] = self.run.cli_config_path
        return env

    def cloud_environment(self, where: Target | str | None, phase: Phase = Phase.PLAN) -> dict[str, str]:
        """The variables that lead any client to the cloud of a target or an environment, beyond the inherited ones.

        In an emulated environment the emulator's own variables win over configured ones: nothing may lead past it.
        """
        name = where.environment if isinstance(where, Target) else where
        emulated = {} if phase is Phase.PREPARE else self.run.process_env.get(name or "", {})
        env = dict(emulated)
        if isinstance(where, Target):
            env |= where.env | _rights(where, phase)
        if emulated:
            env |= {key: value for key, value in emulated.items() if key not in _ONLY_DEFAULTS}
            env = {key: value for key, value in env.items() if key in emulated or key not in REAL_CREDENTIALS}
        return env

    def unset(self, where: Target | str | None, root: Root | None) -> tuple[str, ...]:
        """Inherited variables that the process must not see: our own keys, `TF_VAR_` of undeclared variables, and in an
        emulated environment the real cloud's credentials."""
        name = where.environment if isinstance(where, Target) else where
        declared = None if root is None else [variable.name for variable in root.variables]
        names = {*denied(self.runner.environ, declared), *(key for key in _OUR_KEYS if key in self.runner.environ)}
        if self.run.process_env.get(name or ""):
            names |= {key for key in (*REAL_CREDENTIALS, *REAL_KEYS) if key in self.runner.environ}
        if not self.run.cli_config_path:
            names |= _missing_cli_config(self.runner.environ)
        return tuple(sorted(names))

    def request(
        self,
        argv: tuple[str, ...],
        cwd: Path,
        where: Target | str | None,
        *,
        root: Root | None = None,
        phase: Phase = Phase.PLAN,
        timeout: float | None = None,
        stdin: bytes | None = None,
    ) -> Request:
        """A request for terraform, or for a command that belongs to it, in the right environment."""
        name = where.environment if isinstance(where, Target) else where
        env = self.environment(where, phase)
        if phase is not Phase.PREPARE and self.run.process_env.get(name or ""):
            # The emulated cloud tells by it which process waits (`emulator.patience`).
            env["TF_APPEND_USER_AGENT"] = f"tfpipeline/{token_hex(4)}"
        return Request(
            argv,
            cwd,
            env=env,
            unset=self.unset(where, root),
            timeout=timeout,
            stdin=stdin,
            grace=APPLY_GRACE if phase is Phase.APPLY else 20.0,
        )

    def _there(self, key: str, name: str, version: str | None) -> Tool:
        if key not in self._tools:
            from pytest_tfpipeline.tools import find_tool

            if key in self._absent:
                raise self._absent[key]
            try:
                self._tools[key] = find_tool(name, version=version, runner=self.runner, install=False)
            except ToolError as error:
                self._absent[key] = error
                raise
            several = key != f"tool/{name}"
            self.workspace.put(key, (self._tools[key],) if several else self._tools[key])
        return self._tools[key]

    def _find(self, name: str) -> Tool:
        from pytest_tfpipeline.tools import find_tool

        exact, preferred = self.run.tool_versions.get(name), self.run.preferred_versions.get(name)
        if preferred is not None and exact is None:
            # Where it cannot be had, the roots that allow what is there go on, and the others say what they miss.
            with suppress(ToolError):
                return find_tool(name, version=preferred, runner=self.runner, progress=self.progress)
        return find_tool(name, version=exact, runner=self.runner, progress=self.progress)


def _key(name: str, version: str) -> str:
    return f"tool/{name} {version}"


def open_context(run: Run, progress: Callable[[str], None] | None = None, runner: Runner | None = None) -> Context:
    """The context of this process, with the runner that it already has, if any."""
    return Context(run, runner or Runner(), Workspace(run), progress)


def _rights(target: Target, phase: Phase) -> dict[str, str]:
    """The variables that give a phase its rights; in an emulated environment `prepare` gets none."""
    if phase is Phase.APPLY:
        return target.apply_env
    return {} if phase is Phase.PREPARE and target.emulated else target.plan_env


def _registry_limits() -> Mapping[str, str]:
    """Few and short retries: a module or provider that cannot be had is said in seconds. The user's own win (a
    GIT_SSH_COMMAND with a deploy key, say)."""
    from pytest_tfpipeline.tools.providers import REGISTRY_LIMITS

    return REGISTRY_LIMITS


def _missing_cli_config(environ: Mapping[str, str]) -> set[str]:
    named = environ.get("TF_CLI_CONFIG_FILE")
    return {"TF_CLI_CONFIG_FILE"} if named and not Path(named).is_file() else set()
