"""The whole of discovery: from a directory and its configuration to a `Repository`."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_tfpipeline.config import Config, root_config
from pytest_tfpipeline.config.match import configured_name
from pytest_tfpipeline.config.placeholders import PlaceholderError
from pytest_tfpipeline.discover.cache import FactsCache
from pytest_tfpipeline.discover.dependencies import (
    circle_note,
    declared_roots,
    effective_backend,
    inferred_after,
    key_place,
)
from pytest_tfpipeline.discover.directories import (
    TerraformDirectory,
    find_directories,
    link_targets,
)
from pytest_tfpipeline.discover.environments import (
    Environments,
    VarFiles,
    default_var_files,
    find_environments,
    index_var_files,
)
from pytest_tfpipeline.discover.files import prunes, repository_files
from pytest_tfpipeline.discover.graph import order
from pytest_tfpipeline.discover.nativetests import by_directory, find_tests, helper_modules
from pytest_tfpipeline.discover.roots import (
    Surroundings,
    Verdict,
    callers,
    classify,
    excluded,
    resolve,
    terragrunt_targets,
)
from pytest_tfpipeline.discover.suites import find_suites
from pytest_tfpipeline.errors import ConfigurationError
from pytest_tfpipeline.model import (
    Directory,
    Finding,
    Kind,
    Module,
    RemoteState,
    Repository,
    Root,
    Severity,
    Suite,
    Variable,
)
from pytest_tfpipeline.process import Runner

_LOCAL_BACKENDS = (None, "local")


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found so far: directories with their verdicts, by path."""

    directories: Mapping[str, TerraformDirectory]
    verdicts: Mapping[str, Verdict]
    callers: Mapping[str, tuple[str, ...]]
    #: Files of native tests, by the directory that they test; those of no directory are under "".
    tests: Mapping[str, tuple[str, ...]]

    def of_kind(self, *kinds: Kind) -> tuple[str, ...]:
        return tuple(dir_ for dir_, verdict in self.verdicts.items() if verdict.kind in kinds)


def discover(top: Path, config: Config, cache_path: Path | None, runner: Runner) -> Repository:
    """Describe the repository at `top`. Facts of files are kept in `cache_path`, by content; None keeps nothing.

    Raises DiscoveryError where roots come after each other in a circle, ConfigurationError where `after` names no
    root. A file that cannot be read is a finding of its root or module.
    """
    files = repository_files(top, runner)
    found = _classified(top, files, config, cache_path)
    index = _var_files(found, files)
    environments = find_environments(found.of_kind(Kind.ROOT), index)
    known = _known_environments(config, environments)
    roots, notes = _roots(top, found, config, environments, known)
    roots = tuple(replace(root, var_files=_own_var_files(root, index)) for root in roots)
    modules = tuple(_module(found, dir_) for dir_ in found.of_kind(Kind.MODULE, Kind.LIBRARY))
    suites = find_suites(top, files, config)
    return Repository(
        path=str(top),
        directories=_rows(found, roots, suites),
        roots=roots,
        modules=modules,
        suites=suites,
        environments=known,
        candidates=tuple(name for name in environments.candidates if name not in known),
        notes=(*notes, *_other_problems(found)),
    )


def _classified(top: Path, files: Sequence[str], config: Config, cache_path: Path | None) -> _Found:
    cache = FactsCache(cache_path)
    wanted = [
        path for path in files if not config.exclude or not excluded(posixpath.dirname(path) or ".", config.exclude)
    ]
    directories = find_directories(top, wanted, cache.facts)
    cache.save()
    calls = callers(directories)
    for path in wanted:
        if posixpath.basename(path).startswith("terragrunt") and path.endswith(".hcl") and not prunes(path):
            for target in terragrunt_targets(path, _text(top / path)):
                calls[target] = tuple(sorted({*calls.get(target, ()), posixpath.dirname(path) or "."}))
    tests = find_tests(top, wanted, {one.dir for one in directories})
    for target, by in helper_modules(tests, directories).items():
        calls[target] = tuple(sorted({*calls.get(target, ()), *by}))
    around = Surroundings(
        callers=calls,
        linked=link_targets(top, wanted),
        dirs=frozenset(directory.dir for directory in directories),
        run_elsewhere=frozenset(item.dir for item in directories if item.backend or item.has_provider),
        include=config.include,
    )
    verdicts = {directory.dir: classify(directory, around) for directory in directories}
    return _Found({directory.dir: directory for directory in directories}, verdicts, calls, by_directory(tests))


def _var_files(found: _Found, files: Iterable[str]) -> VarFiles:
    return index_var_files((path for path in files if not prunes(path)), found.directories.keys())


def _known_environments(config: Config, environments: Environments) -> tuple[str, ...]:
    """The configured ones; where `environments` is not configured, those found and those that have settings."""
    if config.environments:
        return tuple(config.environments)
    named = [*config.environment, *(name for entry in config.root for name in entry.environments or ())]
    return tuple(dict.fromkeys([*environments.known, *named]))


def _roots(
    top: Path, found: _Found, config: Config, environments: Environments, known: tuple[str, ...]
) -> tuple[tuple[Root, ...], tuple[str, ...]]:
    """All roots and examples, each behind those it comes after, and what there is to say about that."""
    made = {dir_: _root(top, found, config, dir_) for dir_ in found.of_kind(Kind.ROOT, Kind.EXAMPLE)}
    inferred, notes = inferred_after(made, config, environments)
    ordered = order({dir_: declared_roots(made, config, dir_) for dir_ in made}, inferred)
    notes += tuple(map(circle_note, ordered.cycles))
    roots = (
        replace(
            made[dir_],
            after=tuple(sorted(ordered.after[dir_])),
            environments=_environments_of(made[dir_], config, environments, known),
        )
        for dir_ in ordered.roots
    )
    return tuple(roots), notes


def _own_var_files(root: Root, index: VarFiles) -> dict[str, tuple[str, ...]]:
    found = {name: default_var_files(index, root.dir, name) for name in root.environments}
    return {name: files for name, files in found.items() if files}


def _root(top: Path, found: _Found, config: Config, dir_: str) -> Root:
    directory, verdict = found.directories[dir_], found.verdicts[dir_]
    modules = _modules_of(found, dir_)
    entry = root_config(config, dir_)
    backend = directory.backend
    remote = effective_backend(backend.type if backend else None, entry) not in _LOCAL_BACKENDS
    apply = verdict.kind is Kind.ROOT and remote
    return Root(
        dir=dir_,
        name=_name(top, config, dir_),
        anchor=directory.anchor,
        kind=verdict.kind,
        rule=verdict.rule,
        guessed=verdict.guessed,
        apply=apply if entry is None or entry.apply is None else entry.apply,
        backend=backend.type if backend else None,
        backend_config=dict(backend.config) if backend else {},
        modules=modules,
        variables=tuple(Variable(v.name, v.required, v.type, v.description) for v in directory.variables),
        remote_states=tuple(_remote_states(found, (dir_, *modules))),
        required_version=directory.required_version,
        tests=found.tests.get(dir_, ()),
        problems=_findings(directory),
    )


def _name(top: Path, config: Config, dir_: str) -> str:
    try:
        name = configured_name(config, dir_)
    except PlaceholderError as error:
        raise ConfigurationError(str(error), where=key_place(config, "root.name")) from None
    return name or (top.name if dir_ == "." else posixpath.basename(dir_))


def _modules_of(found: _Found, dir_: str) -> tuple[str, ...]:
    """The local modules that it calls, and those that they call."""
    seen: dict[str, None] = {}
    waiting = [dir_]
    while waiting:
        here = waiting.pop()
        for source in found.directories[here].sources:
            called = resolve(here, source)
            if called in found.directories and called not in seen and called != dir_:
                seen[called] = None
                waiting.append(called)
    return tuple(sorted(seen))


def _remote_states(found: _Found, dirs: Iterable[str]) -> Iterator[RemoteState]:
    for dir_ in dirs:
        for file, state in found.directories[dir_].states():
            yield RemoteState(state.name, state.backend, dict(state.config), file, state.line)


def _environments_of(root: Root, config: Config, environments: Environments, known: tuple[str, ...]) -> tuple[str, ...]:
    """The configured ones, else those found for it, else all; of an example only the emulated ones."""
    entry = root_config(config, root.dir)
    if entry is not None and entry.environments is not None:
        return tuple(entry.environments)
    if root.kind is Kind.EXAMPLE:
        return tuple(name for name in known if config.environment_config(name).emulator)
    return environments.of(root.dir, known)


def _module(found: _Found, dir_: str) -> Module:
    directory, verdict = found.directories[dir_], found.verdicts[dir_]
    return Module(
        dir=dir_,
        name=posixpath.basename(dir_),
        anchor=directory.anchor,
        kind=verdict.kind,
        rule=verdict.rule,
        guessed=verdict.guessed,
        callers=found.callers.get(dir_, ()),
        tests=found.tests.get(dir_, ()),
        problems=_findings(directory),
    )


def _findings(directory: TerraformDirectory) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            rule=problem.rule,
            severity=Severity.ERROR if problem.serious else Severity.NOTICE,
            text=problem.text,
            file=file,
            line=problem.line,
        )
        for file, problem in directory.problems()
    )


def _other_problems(found: _Found) -> Iterator[str]:
    """Problems of directories that have no checks. A template is not meant to be valid."""
    for dir_ in ("", *found.of_kind(Kind.FRAGMENT, Kind.TEMPLATE)):
        for file in found.tests.get(dir_, ()):
            yield f"{file} is not run: no root or module is in its directory or above it"
    for dir_ in found.of_kind(Kind.FRAGMENT):
        for finding in _findings(found.directories[dir_]):
            yield f"{finding.file}{f':{finding.line}' if finding.line else ''}: {finding.text}"


def _rows(found: _Found, roots: Iterable[Root], suites: Iterable[Suite]) -> tuple[Directory, ...]:
    by_dir = {root.dir: root for root in roots}
    rows = [_row(found, dir_, by_dir.get(dir_)) for dir_ in found.verdicts]
    rows += [Directory(suite.dir, Kind.SUITE, suite.rule, name=suite.name) for suite in suites]
    return tuple(sorted(rows, key=lambda row: (row.dir.split("/"), row.kind is Kind.SUITE)))


def _row(found: _Found, dir_: str, root: Root | None) -> Directory:
    verdict = found.verdicts[dir_]
    row = Directory(dir_, verdict.kind, verdict.rule, verdict.guessed, callers=found.callers.get(dir_, ()))
    if root is None:
        return replace(row, name="" if dir_ == "." else posixpath.basename(dir_))
    return replace(row, name=root.name, environments=root.environments, after=root.after, apply=root.apply)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
