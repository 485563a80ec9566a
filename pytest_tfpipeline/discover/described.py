"""From directories with Terraform to roots, modules and rows of the listing. Pure, but for the top's name."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_tfpipeline.config import Config, root_config
from pytest_tfpipeline.config.match import configured_name
from pytest_tfpipeline.config.placeholders import PlaceholderError
from pytest_tfpipeline.discover.dependencies import (
    Read,
    effective_backend,
    key_place,
    owner_of,
)
from pytest_tfpipeline.discover.directories import (
    TerraformDirectory,
)
from pytest_tfpipeline.discover.engines import COMMON_ENDINGS, TOFU_ENDINGS, TOFU_TEST_ENDINGS
from pytest_tfpipeline.discover.roots import (
    Verdict,
    resolve,
)
from pytest_tfpipeline.errors import ConfigurationError
from pytest_tfpipeline.model import (
    Directory,
    Finding,
    Kind,
    Module,
    RemoteState,
    Root,
    Severity,
    Suite,
    Variable,
)

_LOCAL_BACKENDS = (None, "local")


@dataclass(frozen=True, slots=True)
class Found:
    """What was found so far: directories with their verdicts, by path."""

    directories: Mapping[str, TerraformDirectory]
    verdicts: Mapping[str, Verdict]
    callers: Mapping[str, tuple[str, ...]]
    #: Files of native tests, by the directory that they test; those of no directory are under "".
    tests: Mapping[str, tuple[str, ...]]
    #: Directories that OpenTofu runs, each with the file that says so.
    tofu: Mapping[str, str]

    def of_kind(self, *kinds: Kind) -> tuple[str, ...]:
        return tuple(dir_ for dir_, verdict in self.verdicts.items() if verdict.kind in kinds)


def run_by_tofu(found: Found) -> Found:
    """Without modules that have files for both programs, where nobody calls them from OpenTofu."""
    kept = {}
    for dir_, why in found.tofu.items():
        if dir_ not in found.directories:
            continue
        names = found.directories[dir_].files
        tofu_file = why.endswith((*TOFU_ENDINGS, *TOFU_TEST_ENDINGS))
        both = tofu_file and any(name.endswith(COMMON_ENDINGS) for name in names)
        is_root = found.verdicts[dir_].kind in (Kind.ROOT, Kind.EXAMPLE)
        if is_root or not both or any(caller in found.tofu for caller in found.callers.get(dir_, ())):
            kept[dir_] = why
    return replace(found, tofu=kept)


def with_owners(root: Root, reads: Sequence[Read]) -> Root:
    return replace(root, remote_states=tuple(replace(read[0], root=owner_of(read), owners=read[1]) for read in reads))


def root_of(top: Path, found: Found, config: Config, dir_: str) -> Root:
    directory, verdict = found.directories[dir_], found.verdicts[dir_]
    modules = modules_of(found, dir_)
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
        backend_computed=backend.computed if backend else (),
        modules=modules,
        variables=tuple(_variables(directory)),
        remote_states=tuple(_remote_states(found, (dir_, *modules))),
        required_version=directory.required_version,
        tests=found.tests.get(dir_, ()),
        problems=findings_of(directory),
    )


def _variables(directory: TerraformDirectory) -> Iterator[Variable]:
    for file, one in directory.variables:
        yield Variable(one.name, one.required, one.type, one.description, one.sensitive, file, one.line)


def _name(top: Path, config: Config, dir_: str) -> str:
    try:
        name = configured_name(config, dir_)
    except PlaceholderError as error:
        raise ConfigurationError(str(error), where=key_place(config, "root.name")) from None
    return name or (top.name if dir_ == "." else posixpath.basename(dir_))


def modules_of(found: Found, dir_: str) -> tuple[str, ...]:
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


def _remote_states(found: Found, dirs: Iterable[str]) -> Iterator[RemoteState]:
    for dir_ in dirs:
        for file, state in found.directories[dir_].states():
            yield RemoteState(state.name, state.backend, dict(state.config), file, state.line)


def module_of(found: Found, dir_: str) -> Module:
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
        problems=findings_of(directory),
    )


def findings_of(directory: TerraformDirectory) -> tuple[Finding, ...]:
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


def rows_of(found: Found, roots: Iterable[Root], suites: Iterable[Suite]) -> tuple[Directory, ...]:
    by_dir = {root.dir: root for root in roots}
    rows = [_row(found, dir_, by_dir.get(dir_)) for dir_ in found.verdicts]
    rows += [Directory(suite.dir, Kind.SUITE, suite.rule, name=suite.name) for suite in suites]
    return tuple(sorted(rows, key=lambda row: (row.dir.split("/"), row.kind is Kind.SUITE)))


def _row(found: Found, dir_: str, root: Root | None) -> Directory:
    verdict = found.verdicts[dir_]
    row = Directory(dir_, verdict.kind, verdict.rule, verdict.guessed, callers=found.callers.get(dir_, ()))
    if root is None:
        return replace(row, name="" if dir_ == "." else posixpath.basename(dir_))
    return replace(row, name=root.name, environments=root.environments, after=root.after, apply=root.apply)
