"""The whole of discovery: from a directory and its configuration to a `Repository`."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_tfpipeline.config import Config, root_config
from pytest_tfpipeline.config.entries import home_of
from pytest_tfpipeline.discover.apart import apart
from pytest_tfpipeline.discover.cache import FactsCache
from pytest_tfpipeline.discover.dependencies import (
    circle_note,
    declared_roots,
    inferred_after,
    reads_of,
)
from pytest_tfpipeline.discover.described import (
    Found,
    findings_of,
    module_of,
    modules_of,
    root_of,
    rows_of,
    run_by_tofu,
    with_owners,
)
from pytest_tfpipeline.discover.directories import (
    find_directories,
    link_targets,
)
from pytest_tfpipeline.discover.engines import readable, tofu_directories
from pytest_tfpipeline.discover.environments import Environments, find_environments
from pytest_tfpipeline.discover.files import prunes, repository_files
from pytest_tfpipeline.discover.graph import order
from pytest_tfpipeline.discover.nativetests import by_directory, find_tests, helper_modules, run_tests_of
from pytest_tfpipeline.discover.oddities import idle_excludes, oddities, undeclared
from pytest_tfpipeline.discover.questions import questions
from pytest_tfpipeline.discover.roots import (
    Surroundings,
    callers,
    classify,
    excluded,
    is_terragrunt,
    terragrunt_targets,
)
from pytest_tfpipeline.discover.scene import Scene
from pytest_tfpipeline.discover.settled import Sources, Workspaces, settled
from pytest_tfpipeline.discover.suites import find_suites
from pytest_tfpipeline.discover.varfiles import index_backend_files, index_var_files
from pytest_tfpipeline.discover.wrappers import hinted, hints, var_files_of_tests
from pytest_tfpipeline.model import (
    Kind,
    Repository,
    Root,
)
from pytest_tfpipeline.process import Runner

_LOCAL_BACKENDS = (None, "local")


def discover(top: Path, config: Config, cache_path: Path | None, runner: Runner) -> Repository:
    """Describe the repository at `top`. Facts of files are kept in `cache_path`, by content; None keeps nothing.

    Raises DiscoveryError where roots come after each other in a circle, ConfigurationError where `after` names no
    root. A file that cannot be read is a finding of its root or module.
    """
    files = repository_files(top, runner)
    found = _classified(top, files, config, cache_path)
    sources = _sources(found, files)
    workspaces = {dir_: _workspaces(found, dir_) for dir_ in found.of_kind(Kind.ROOT)}
    environments = find_environments(
        found.of_kind(Kind.ROOT), sources.var_files, sources.backend_files, {k: v.names for k, v in workspaces.items()}
    )
    if config.environments or config.environment:
        environments = replace(environments, lone="", untied=frozenset())
    known = _known_environments(config, environments)
    roots, notes = _roots(top, found, config, environments, known)
    sources = replace(sources, environments=environments, workspaces=workspaces)
    roots = settled(top, roots, sources, config)
    wrapped = hints(files, roots, lambda path: _text(top / path))
    roots = tuple(hinted(roots, wrapped))
    modules = tuple(module_of(found, dir_) for dir_ in found.of_kind(Kind.MODULE, Kind.LIBRARY))
    suites, home = find_suites(top, files, config), home_of(top, config)
    return Repository(
        path=str(top),
        directories=rows_of(found, roots, suites),
        roots=roots,
        modules=modules,
        suites=suites,
        environments=known,
        candidates=tuple(name for name in environments.candidates if name not in known),
        lone=environments.lone,
        notes=(
            *notes,
            *_other_problems(found),
            *_odd(top, found, roots, files, config),
            *_undeclared(config, environments),
            *idle_excludes(config.exclude, files),
        ),
        questions=tuple(questions(Scene(roots, sources, config, home, known, wrapped))),
        answers=home.file,
        tofu=dict(found.tofu),
        test_var_files=var_files_of_tests(files, found.tests, lambda path: _text(top / path)),
    )


def _classified(top: Path, files: Sequence[str], config: Config, cache_path: Path | None) -> Found:
    cache = FactsCache(cache_path)
    wanted = [
        path for path in files if not config.exclude or not excluded(posixpath.dirname(path) or ".", config.exclude)
    ]
    tofu = tofu_directories(top, wanted, config.tools)
    wanted = readable(wanted, tofu)
    directories = find_directories(top, wanted, cache.facts)
    cache.save()
    calls = callers(directories)
    for path in wanted:
        if is_terragrunt(path) and not prunes(path):
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
    seen = {directory.dir: directory for directory in directories}
    found = run_by_tofu(Found(seen, verdicts, calls, by_directory(tests), tofu))
    return replace(found, tests=run_tests_of(found.tests, found.tofu))


def _sources(found: Found, files: Iterable[str]) -> Sources:
    listed, dirs = [path for path in files if not prunes(path)], found.directories.keys()
    roots = found.of_kind(Kind.ROOT, Kind.EXAMPLE)
    var_files = index_var_files(listed, dirs, roots)
    own = apart(var_files, found.of_kind(Kind.ROOT), dirs)
    return Sources(var_files, index_backend_files(listed, dirs, roots), apart=own)


def _workspaces(found: Found, dir_: str) -> Workspaces:
    """What the root and its modules say of `terraform.workspace`."""
    facts = [each for one in (dir_, *modules_of(found, dir_)) for each in found.directories[one].files.values()]
    names = {name for each in facts for name in each.workspaces}
    return Workspaces(any(each.reads_workspace for each in facts), frozenset(names))


def _known_environments(config: Config, environments: Environments) -> tuple[str, ...]:
    """The configured ones; where `environments` is not configured, those found and those that have settings."""
    if config.environments:
        return tuple(config.environments)
    named = [*config.environment, *(name for entry in config.root for name in entry.environments or ())]
    return tuple(dict.fromkeys([*environments.known, *named]))


def _roots(
    top: Path, found: Found, config: Config, environments: Environments, known: tuple[str, ...]
) -> tuple[tuple[Root, ...], tuple[str, ...]]:
    """All roots and examples, each behind those it comes after, and what there is to say about that."""
    made = {dir_: root_of(top, found, config, dir_) for dir_ in found.of_kind(Kind.ROOT, Kind.EXAMPLE)}
    reads = reads_of(made, config, environments)
    made = {dir_: with_owners(root, reads[dir_]) for dir_, root in made.items()}
    inferred, notes = inferred_after(made, reads)
    ordered = order({dir_: declared_roots(made, config, dir_) for dir_ in made}, inferred)
    notes += tuple(map(circle_note, ordered.cycles))
    roots = (
        replace(
            made[dir_],
            after=tuple(sorted(ordered.after[dir_])),
            environments=_environments_of(made[dir_], config, environments, known),
            beside=environments.in_none(dir_),
        )
        for dir_ in ordered.roots
    )
    return tuple(roots), notes


def _environments_of(root: Root, config: Config, environments: Environments, known: tuple[str, ...]) -> tuple[str, ...]:
    """The configured ones, else those found for it, else all; of an example only the emulated ones."""
    entry = root_config(config, root.dir)
    if entry is not None and entry.environments is not None:
        return tuple(entry.environments)
    if root.kind is Kind.EXAMPLE:
        return tuple(name for name in known if config.environment_config(name).emulator)
    return environments.of(root.dir, known)


def _odd(top: Path, found: Found, roots: Sequence[Root], files: Sequence[str], config: Config) -> Iterator[str]:
    return oddities(found, roots, files, _text(top / ".gitmodules"), config)


def _undeclared(config: Config, environments: Environments) -> Iterator[str]:
    lent = [name for name in environments.known if config.lender(name)]
    return undeclared(environments, config.environments, lent) if config.environments else iter(())


def _other_problems(found: Found) -> Iterator[str]:
    """Problems of directories that have no checks. A template is not meant to be valid."""
    idle = [test for dir_ in ("", *found.of_kind(Kind.FRAGMENT, Kind.TEMPLATE)) for test in found.tests.get(dir_, ())]
    if len(idle) == 1:
        yield f"{idle[0]} is not run: no root or module is in its directory or above it"
    elif idle:
        more = f" and {len(idle) - 3} more" if len(idle) > 3 else ""
        yield f"{', '.join(map(str, idle[:3]))}{more} are not run: no root or module is in their directory or above it"
    for dir_ in found.of_kind(Kind.FRAGMENT):
        for finding in findings_of(found.directories[dir_]):
            yield f"{finding.file}{f':{finding.line}' if finding.line else ''}: {finding.text}"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
