"""Which root runs in which environment, and with what: configuration and repository become targets.

Nothing is changed and no process started; the file system is only asked whether a var file is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from pytest_tfpipeline.config.durations import seconds
from pytest_tfpipeline.config.entries import UNKNOWN, Home, home_of
from pytest_tfpipeline.config.keys import Config, EnvironmentConfig, RootConfig, TimeoutConfig
from pytest_tfpipeline.config.match import known_environments, root_config
from pytest_tfpipeline.config.placeholders import Place, expand, expand_all, variable_names
from pytest_tfpipeline.config.suggest import did_you_mean
from pytest_tfpipeline.config.types import is_environment_name, is_pair
from pytest_tfpipeline.config.unused import takes
from pytest_tfpipeline.discover.settled import REQUIRED, lacking
from pytest_tfpipeline.errors import UsageError
from pytest_tfpipeline.model import Finding, Kind, Repository, Root, Severity, Target
from pytest_tfpipeline.pipeline.backends import settings_of
from pytest_tfpipeline.pipeline.missing import incomplete_backend

#: Roots that a message names.
_SHOWN = 3


def resolve_targets(
    repository: Repository, config: Config, environments: Sequence[str], environ: Mapping[str, str]
) -> tuple[Target, ...]:
    """The targets of these environments, in the order asked for, the roots of each in the repository's order.

    `environ` is what `${NAME}` in `vars` reads. What is missing (a var file, a backend file, an environment variable)
    is a finding in the target's `problems`, since other targets can go on. The configuration must have been held
    against the repository (`check_against`) before.
    """
    return tuple(
        _Resolution(repository, config, root, environment, environ).target()
        for environment in environments
        for root in repository.roots
        if belongs(root, config, environment)
    )


def prepare_without_environment(repository: Repository, config: Config) -> dict[str, list[list[str]]]:
    """By root, the `prepare` commands that name no environment: what they make is there for `validate` and native
    tests too."""
    found = {
        root.dir: [
            [expand(word, Place(root.dir, root.name)) for word in argv]
            for argv in entry.prepare
            if not any("{env}" in word for word in argv)
        ]
        for root in repository.roots
        if (entry := root_config(config, root.dir)) is not None
    }
    return {root: commands for root, commands in found.items() if commands}


def timeouts_without_environment(repository: Repository, config: Config) -> dict[str, dict[str, float]]:
    """By root, the seconds that its `prepare` commands get where no environment is meant."""
    entries = {root.dir: root_config(config, root.dir) for root in repository.roots}
    limits = {dir_: _timeouts(entry.timeout) for dir_, entry in entries.items() if entry is not None}
    return {dir_: {"prepare": found["prepare"]} for dir_, found in limits.items() if "prepare" in found}


def check_environments(asked: Sequence[str], repository: Repository, config: Config) -> None:
    """Raise UsageError for an environment that is unknown, or that no root belongs to."""
    known = known_environments(config, repository.environments)
    for name in asked:
        if name not in known and not (config.lender(name) and is_environment_name(name)):
            raise UsageError(f"unknown environment `{name}`{did_you_mean(name, known)}", mend=_known(known, name))
        if not repository.roots:
            raise UsageError(
                f"there is nothing to plan in `{name}`: no Terraform root was found",
                mend="`pytest --tf-list` shows what each directory was taken for; `include` makes one a root",
            )
        if not any(belongs(root, config, name) for root in repository.roots):
            raise UsageError(
                f"no root belongs to the environment `{name}`",
                mend="`pytest --tf-list` shows the environments of each root; `environments` of a [[root]] sets them",
            )


def check_applied(asked: Sequence[str], targets: Sequence[Target], home: Home) -> None:
    """Raise UsageError for an environment that is to be applied and in which no root is, and for lines that were pasted
    as they were proposed: they would make everything anew, in a state of that name."""
    for target in targets:
        for key in _unfilled(target) if target.apply and target.environment in asked else ():
            raise UsageError(
                f"{key} of {target.root} is still `{UNKNOWN}`, which stands for what only you know",
                where=home.file,
                mend="fill it in",
            )
    for name in asked:
        if not any(target.apply for target in targets if target.environment == name):
            roots = sorted(target.root for target in targets if target.environment == name)
            more = f" and {len(roots) - _SHOWN} more" if len(roots) > _SHOWN else ""
            match = roots[0] if roots else "infra/*"
            raise UsageError(
                f"no root of `{name}` is to be applied: {', '.join(roots[:_SHOWN]) or 'there is none'}{more}\n"
                "  (examples, and roots without a remote backend, only are where the environment is emulated or the "
                "configuration says so)",
                mend="look at the plans with --tf-plan, or say so in the configuration:\n"
                f'{home.header("root", array=True)}\nmatch = "{match}"\napply = true',
            )


def _unfilled(target: Target) -> Iterator[str]:
    for name, value in (*target.vars.items(), *(pair.partition("=")[::2] for pair in target.backend_config)):
        if value == UNKNOWN:
            yield f"`{name}`"


def belongs(root: Root, config: Config, environment: str) -> bool:
    """Whether the root is planned in that environment.

    The configuration's word comes first, then what discovery found, else it belongs to all, unless it stands among
    directories of environments and is called like none. Examples belong to emulated environments, and to others only
    where their entry says `environments` or `apply` (spec, rule 5). An environment that borrows its rules has the roots
    of the one that lends them.
    """
    entry = root_config(config, root.dir)
    environment = config.lender(environment) or environment
    if entry is not None and entry.environments is not None:
        return environment in entry.environments
    if root.kind is Kind.EXAMPLE and (entry is None or entry.apply is None):
        return config.environment_config(environment).emulator is not None
    return environment in root.environments or not (root.environments or root.beside)


def _known(known: Sequence[str], asked: str) -> str:
    if known:
        return f"known environments: {', '.join(known)}"
    named = asked if is_environment_name(asked) else "staging"
    return (
        "no environment was found: `pytest --tf-list` shows what could be one, and asks. If that is its name, in "
        f'tfpipeline.toml, or below [tool.tfpipeline] of pyproject.toml: environments = ["{named}"]'
    )


@dataclass(frozen=True, slots=True)
class _Resolution:
    """One root in one environment, on its way to a target."""

    repository: Repository
    config: Config
    root: Root
    environment: str
    environ: Mapping[str, str]

    @property
    def entry(self) -> RootConfig | None:
        return root_config(self.config, self.root.dir)

    @property
    def settings(self) -> EnvironmentConfig:
        return self.config.environment_config(self.environment)

    @property
    def place(self) -> Place:
        return Place(self.root.dir, self.root.name, self.environment, self.environ)

    @property
    def lender(self) -> str | None:
        return self.config.lender(self.environment)

    def target(self) -> Target:
        entry = self.entry or RootConfig(match=("**",))
        var_files, missing_files = self._files(entry.var_files, "missing-var-file", "var_files", entry)
        backend, missing_backend = self._backend(entry)
        variables, missing_variables = self._variables(entry)
        if entry.var_files is None:
            var_files = self._found(self.root.var_files)
        if entry.backend is None:
            backend = self._found(self.root.backend_files)
        target = Target(
            root=self.root.dir,
            environment=self.environment,
            var_files=var_files,
            vars=variables,
            backend_local=self._is_local(entry),
            backend_config=backend,
            workspace=self._workspace(entry),
            env={name: expand(value, self.place) for name, value in entry.env.items()},
            plan_env=dict(self.settings.plan_env),
            apply_env=dict(self.settings.apply_env),
            prepare=self._commands(entry.prepare),
            after_apply=self._commands(entry.after_apply),
            parallelism=entry.parallelism,
            lock_timeout=entry.lock_timeout,
            timeouts=_timeouts(entry.timeout),
            after=self.root.after,
            apply=self._applies(entry),
            emulated=self.settings.emulator is not None,
            problems=(*missing_files, *missing_backend, *missing_variables),
        )
        incomplete = () if missing_backend else self._incomplete_backend(target)
        return replace(target, problems=(*target.problems, *incomplete))

    def _found(self, files: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
        """What discovery found for the environment, else for the one that lends it its files."""
        return files.get(self.environment, files.get(self.lender or "", ()))

    def _is_local(self, entry: RootConfig) -> bool:
        """The root's own word comes before the environment's."""
        return entry.backend == "local" or (entry.backend is None and self.settings.backend == "local")

    def _workspace(self, entry: RootConfig) -> str | None:
        if entry.workspace is not None:
            return expand(entry.workspace, self.place)
        return self.environment if (self.lender or self.environment) in self.root.workspaces else None

    def _incomplete_backend(self, target: Target) -> tuple[Finding, ...]:
        """Said before terraform is asked, which would name one setting at a time. What `prepare` makes is not known."""
        if target.backend_local or target.prepare or self.root.backend not in REQUIRED:
            return ()
        known = settings_of(self.root, target, Path(self.repository.path))
        missing = [name for name in lacking(self.root.backend, known) if name not in self.root.backend_computed]
        if not missing:
            return ()
        home = home_of(Path(self.repository.path), self.config)
        return (incomplete_backend(self.root, missing, home),)

    def _commands(self, commands: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(expand(word, self.place) for word in argv) for argv in commands)

    def _applies(self, entry: RootConfig) -> bool:
        if entry.apply is not None:
            return entry.apply
        remote = self.root.backend not in (None, "local") and not self._is_local(entry)
        return self.root.kind is Kind.ROOT and (remote or self.settings.emulator is not None)

    def _backend(self, entry: RootConfig) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
        entries = entry.backend if isinstance(entry.backend, tuple) else ()
        return self._files(entries, "missing-backend-file", "backend", entry, is_pair)

    def _files(
        self,
        templates: Sequence[str] | None,
        rule: str,
        key: str,
        entry: RootConfig,
        is_no_file: Callable[[str], bool] = lambda _: False,
    ) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
        """The files that are there, and a finding for each that must be and is not.

        With `prepare` commands a file may come into being later; terraform then says whether it did.
        """
        present, problems = [], []
        for template in templates or ():
            name = self._file(template.removesuffix("?"))
            if is_no_file(template):
                present.append(expand(template, self.place))
            elif (Path(self.repository.path) / name).is_file() or (entry.prepare and not template.endswith("?")):
                present.append(name)
            elif not template.endswith("?"):
                problems.append(self._finding(rule, self._missing_file(name, key)))
        return tuple(present), tuple(problems)

    def _file(self, template: str) -> str:
        """The file's name; where the environment has none of its own, that of the environment which lends it its."""
        name = expand(template, self.place)
        if self.lender is None or (Path(self.repository.path) / name).is_file():
            return name
        lent = expand(template, replace(self.place, env=self.lender))
        return lent if (Path(self.repository.path) / lent).is_file() else name

    def _missing_file(self, name: str, key: str) -> str:
        there = _siblings(Path(self.repository.path), name, self.root.dir)
        hint = did_you_mean(name, there)
        mend = f"correct `{key}`, or write `{name}?` if it may be absent"
        return f"`{name}`, of `{key}`, is not there{hint}\n  -> {mend}"

    def _variables(self, entry: RootConfig) -> tuple[dict[str, Any], tuple[Finding, ...]]:
        """Of those that the root declares; terraform would warn of others, and name our own file."""
        values, problems = {}, []
        for name, value in entry.vars.items():
            if not takes(self.root, entry, name):
                continue
            missing = [variable for variable in variable_names(value) if variable not in self.environ]
            if missing:
                problems += [self._missing_variable(variable, name) for variable in missing]
            else:
                values[name] = expand_all(value, self.place)
        return values, tuple(problems)

    def _missing_variable(self, variable: str, name: str) -> Finding:
        text = f"the environment variable `{variable}`, which `vars.{name}` reads, is not set"
        return self._finding("missing-environment-variable", f"{text}\n  -> set {variable} where this run is started")

    def _finding(self, rule: str, text: str) -> Finding:
        return Finding(rule, Severity.ERROR, text, file=self.config.source or None)


def _siblings(repository: Path, name: str, root_dir: str) -> list[str]:
    """Files that may have been meant: those beside it, and those of the same path below the root."""
    directories = [PurePosixPath(name).parent, PurePosixPath(root_dir, name).parent]
    return [
        (directory / path.name).as_posix()
        for directory in directories
        if (repository / directory).is_dir()
        for path in sorted((repository / directory).iterdir())
        if path.is_file()
    ]


def _timeouts(configured: TimeoutConfig) -> dict[str, float]:
    return {step: seconds(text) for step, text in configured.limits().items()}
