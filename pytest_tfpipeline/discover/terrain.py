"""What every directory with checks can read, from the repository's files: what a change is held against."""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path

from pytest_tfpipeline.config.keys import Config, RootConfig
from pytest_tfpipeline.config.match import native_test_config, root_config
from pytest_tfpipeline.config.placeholders import Place as Holder
from pytest_tfpipeline.config.placeholders import PlaceholderError, expand
from pytest_tfpipeline.config.types import is_pair
from pytest_tfpipeline.discover.changes import Place, Terrain
from pytest_tfpipeline.discover.directories import TerraformDirectory, find_directories
from pytest_tfpipeline.discover.facts import FileFacts
from pytest_tfpipeline.discover.literals import Text, UnreadableText, read_json, read_text
from pytest_tfpipeline.discover.nativetests import read_test_file
from pytest_tfpipeline.discover.pythonplaces import PythonPlaces
from pytest_tfpipeline.discover.reaching import Reach, Source, reach_of
from pytest_tfpipeline.discover.roots import resolve
from pytest_tfpipeline.discover.toolpaths import tool_paths
from pytest_tfpipeline.model import Module, Repository, Root

_LOCAL = ("./", "../")


@dataclass(frozen=True)
class Ground:
    """What the terrain is made from. `files` are the repository's, `facts` reads one of them, `environments` are those
    that are planned, `where` are the places in which pytest looks for tests (() is everywhere), and `environ` is what
    `TF_VAR_` variables come from."""

    top: Path
    files: Sequence[str]
    repository: Repository
    config: Config
    environments: tuple[str, ...]
    where: tuple[str, ...]
    environ: Mapping[str, str]
    facts: Callable[[Path], FileFacts]


def survey(ground: Ground, everything: Mapping[str, str]) -> Terrain:
    """The terrain. `everything` are files that count for everything, with what they are."""
    found = _Terraform(ground)
    python = PythonPlaces(ground.top, ground.files, ground.repository, ground.where)
    checked: tuple[Root | Module, ...] = (*ground.repository.roots, *ground.repository.modules)
    places = [found.place(one) for one in checked]
    tools = tool_paths(ground.top, ground.files, [place.dir for place in places])
    places = [replace(one, reads={**tools.get(one.dir, {}), **one.reads}) for one in places]
    suites = frozenset(suite.dir for suite in ground.repository.suites)
    return Terrain(
        places=(*places, *python.suites()),
        tests=python.tests(),
        governing=python.governing(),
        holders=frozenset(found.directories) | suites,
        suites=suites,
        everything=everything,
        links=_links(ground.top, ground.files),
    )


def _links(top: Path, files: Iterable[str]) -> dict[str, str]:
    """The repository's symbolic links, with what they lead to, as far as that is in it."""
    base = os.path.realpath(top)
    found = {}
    for name in files:
        if (top / name).is_symlink():
            target = os.path.relpath(os.path.realpath(top / name), base).replace(os.sep, "/")
            if not target.startswith(".."):
                found[name] = target
    return found


class _Terraform:
    """The directories with Terraform, and what is read of them once."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._read = cache(self._read_file)

    @cached_property
    def directories(self) -> dict[str, TerraformDirectory]:
        ground = self._ground
        return {one.dir: one for one in find_directories(ground.top, ground.files, ground.facts)}

    def place(self, one: Root | Module) -> Place:
        """A root or a module, with everything that its checks can read."""
        below, gone = self._called(one.dir)
        sources = [source for dir_ in (one.dir, *below) for source in self._sources(dir_)]
        sources += self._tests(one)
        reads = dict.fromkeys(gone, f"{one.dir} calls it")
        uses = {dir_: f"it calls {dir_}" for dir_ in below}
        uses |= self._tested(one, reads)
        anything = ""
        if isinstance(one, Root):
            entry = root_config(self._ground.config, one.dir)
            files = self._files(one, entry)
            reads |= files
            sources += [self._source(file, one.dir) for file in files if (self._ground.top / file).is_file()]
            sources += _values(one, entry)
            uses |= _upstreams(one)
            anything = self._anything(one, entry)
        reach = Reach() if anything else reach_of(one.dir, sources)
        named = {path: f"{file} names it" for path, file in reach.paths.items()}
        return Place(one.dir, {**named, **reads}, uses, anything=anything or reach.anything)

    def _called(self, directory: str) -> tuple[list[str], list[str]]:
        """The directories that are called from one, and from those, and what is called and not there."""
        seen: dict[str, None] = {}
        waiting = [directory]
        while waiting:
            here = waiting.pop()
            for source in self.directories[here].sources if here in self.directories else ():
                called = resolve(here, source)
                if called not in seen and called != directory:
                    seen[called] = None
                    waiting.append(called)
        by_others = [module.dir for module in self._ground.repository.modules if directory in module.callers]
        there = [one for one in dict.fromkeys((*seen, *by_others)) if one in self.directories]
        return there, [one for one in seen if one not in self.directories]

    def _tested(self, one: Root | Module, reads: dict[str, str]) -> dict[str, str]:
        """The modules that its native tests run; what is not there is a path that is read."""
        uses: dict[str, str] = {}
        for file in one.tests:
            for run in read_test_file(self._ground.top / file).runs:
                if run.module.startswith(_LOCAL):
                    called = resolve(one.dir, run.module)
                    below, gone = self._called(called)
                    uses |= {dir_: f"{file} runs {called}" for dir_ in (called, *below) if dir_ in self.directories}
                    reads |= {path: f"{file} runs it" for path in (called, *gone) if path not in self.directories}
        return uses

    def _sources(self, directory: str) -> Iterator[Source]:
        for name in self.directories[directory].files:
            yield self._source(posixpath.normpath(f"{directory}/{name}"), directory)

    def _tests(self, one: Root | Module) -> Iterator[Source]:
        for file in one.tests:
            source = self._source(file, one.dir)
            runs = frozenset(run.module for run in read_test_file(self._ground.top / file).runs)
            yield replace(source, called=source.called | runs)
            for name in native_test_config(self._ground.config, file).var_files:
                if (self._ground.top / name).is_file():
                    yield self._source(name, one.dir)

    def _source(self, file: str, directory: str) -> Source:
        called = self.directories[directory].sources if directory in self.directories else ()
        return Source(file, directory, self._read(file), frozenset(called))

    def _read_file(self, file: str) -> Text | None:
        try:
            text = (self._ground.top / file).read_text(encoding="utf-8-sig")
            return read_json(text) if file.endswith(".json") else read_text(text)
        except (OSError, ValueError, UnreadableText):
            return None

    def _files(self, root: Root, entry: RootConfig | None) -> dict[str, str]:
        """Files that it is planned and tested with, and why."""
        found = {file: "its var file" for files in root.var_files.values() for file in files}
        found |= {file: "its backend file" for files in root.backend_files.values() for file in files}
        for file in root.tests:
            found |= dict.fromkeys(native_test_config(self._ground.config, file).var_files, f"var file of {file}")
        if entry is None:
            return found
        for template in entry.var_files or ():
            found |= dict.fromkeys(self._expanded(root, template), "its var file")
        for template in entry.backend if isinstance(entry.backend, tuple) else ():
            if not is_pair(template):
                found |= dict.fromkeys(self._expanded(root, template), "its backend file")
        return found

    def _expanded(self, root: Root, template: str) -> Iterator[str]:
        ground = self._ground
        for name in dict.fromkeys((*ground.repository.environments, *ground.environments, *ground.config.environment)):
            try:
                yield posixpath.normpath(expand(template.removesuffix("?"), Holder(root.dir, root.name, name)))
            except PlaceholderError:
                continue

    def _anything(self, root: Root, entry: RootConfig | None) -> str:
        """What of a root may read everything, or nobody knows what."""
        ground = self._ground
        if ground.environments and entry is not None and entry.prepare:
            return f"{root.dir} has `prepare` commands"
        for name in ground.environments:
            if ground.config.environment_config(name).seed and (not root.environments or name in root.environments):
                return f"{name} has a `seed`"
        for variable in root.variables:
            if ".." in ground.environ.get(f"TF_VAR_{variable.name}", ""):
                return f"TF_VAR_{variable.name} leads out of {root.dir}"
        return ""


def _upstreams(root: Root) -> dict[str, str]:
    """The roots whose state it reads, or may read, and those that it was told to come after."""
    owners = (up for read in root.remote_states for up in read.owners if up != root.dir)
    found = {up: f"it may read the state of {up}" for up in owners}
    return found | {up: f"it comes after {up}" for up in root.after}


def _values(root: Root, entry: RootConfig | None) -> Iterator[Source]:
    """The values that the configuration gives its variables."""
    if entry is not None and entry.vars:
        yield Source("the configuration's `vars`", root.dir, read_json(json.dumps(_plain(entry.vars), default=str)))


def _plain(value: object) -> object:
    """Without `${NAME}`, which is no template of terraform's."""
    if isinstance(value, str):
        return value.replace("${", "$ {")
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
