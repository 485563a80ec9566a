"""The directories that hold Terraform, each with what its files say together."""

from __future__ import annotations

import os
import posixpath
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from pytest_tfpipeline.discover.engines import hidden
from pytest_tfpipeline.discover.facts import Backend, DeclaredVariable, FileFacts, Problem, StateRead
from pytest_tfpipeline.discover.files import prunes

_ENDINGS = (".tf", ".tf.json", ".tofu", ".tofu.json")
_CONTENT = frozenset({"resource", "data", "module", "output"})


@dataclass(frozen=True)
class TerraformDirectory:
    """A directory with Terraform: its files (name to facts, sorted) and those of them that are symbolic links."""

    dir: str
    files: Mapping[str, FileFacts]
    links: frozenset[str] = frozenset()
    has_tfvars: bool = False
    #: Those of its links that lead nowhere: to nothing, or in a circle.
    dead: frozenset[str] = frozenset()

    @property
    def anchor(self) -> str:
        """The one real file that stands for the directory, relative to the repository: `main.tf`, else the first."""
        there = [name for name in self.files if name not in self.dead] or list(self.files)
        real = [name for name in there if name not in self.links] or there
        return join(self.dir, "main.tf" if "main.tf" in real else real[0])

    @cached_property
    def has_content(self) -> bool:
        """Whether it has a resource, data, module or output block, or a file that nobody could read."""
        return any(
            not _CONTENT.isdisjoint(facts.kinds) or (self._unread(facts) and name not in self.dead)
            for name, facts in self.files.items()
        )

    @cached_property
    def backend(self) -> Backend | None:
        """Its `backend` or `cloud` block."""
        return next((facts.backend for facts in self.files.values() if facts.backend), None)

    @property
    def has_provider(self) -> bool:
        """Whether it has a `provider` block."""
        return any(facts.provider for facts in self.files.values())

    @property
    def has_aliases(self) -> bool:
        """Whether it wants providers from its caller (`configuration_aliases`)."""
        return any(facts.aliases for facts in self.files.values())

    @property
    def has_placeholders(self) -> bool:
        """Whether something must fill in a `$name` before terraform can read it."""
        return any(facts.placeholders for facts in self.files.values())

    @property
    def sources(self) -> tuple[str, ...]:
        """The local sources of its module calls, as written."""
        return tuple(
            call.source
            for facts in self.files.values()
            for call in facts.calls
            if call.source.startswith(("./", "../"))
        )

    @property
    def variables(self) -> tuple[tuple[str, DeclaredVariable], ...]:
        """Its variables by name, each with its file. One that an override file declares again has every default."""
        found: dict[str, tuple[str, DeclaredVariable]] = {}
        for name, facts in self.files.items():
            for variable in facts.variables:
                file, first = found.setdefault(variable.name, (join(self.dir, name), variable))
                found[variable.name] = file, replace(first, required=first.required and variable.required)
        return tuple(found[name] for name in sorted(found))

    @property
    def required_version(self) -> str:
        """All its version constraints, joined by commas."""
        return ", ".join(dict.fromkeys(f.required_version for f in self.files.values() if f.required_version))

    def states(self) -> Iterator[tuple[str, StateRead]]:
        """Each `terraform_remote_state`, with its file relative to the repository."""
        for name, facts in self.files.items():
            yield from ((join(self.dir, name), state) for state in facts.states)

    def problems(self) -> Iterator[tuple[str, Problem]]:
        """What is wrong with its files, with the file relative to the repository."""
        for name, facts in self.files.items():
            if facts.problem:
                yield join(self.dir, name), facts.problem

    @staticmethod
    def _unread(facts: FileFacts) -> bool:
        return facts.problem is not None and facts.problem.serious and not facts.kinds


def join(directory: str, name: str) -> str:
    """The path of `name` in a directory, `.` being the repository's top."""
    return name if directory == "." else f"{directory}/{name}"


def parent(path: str) -> str:
    """The directory of a file, `.` at the repository's top."""
    return posixpath.dirname(path) or "."


def find_directories(
    top: Path, files: Iterable[str], read: Callable[[Path], FileFacts]
) -> tuple[TerraformDirectory, ...]:
    """Every directory with Terraform, sorted, from the repository's files; `read` gives a file's facts."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    tfvars = set()
    for path in files:
        if path.endswith((".tfvars", ".tfvars.json")):
            tfvars.add(parent(path))
        elif path.endswith(_ENDINGS) and not prunes(path):
            names[parent(path)].append(posixpath.basename(path))
    return tuple(_directory(top, dir_, names[dir_], dir_ in tfvars, read) for dir_ in sorted(names))


def _directory(
    top: Path, directory: str, names: list[str], has_tfvars: bool, read: Callable[[Path], FileFacts]
) -> TerraformDirectory:
    seen = sorted(name for name in names if not hidden(name, names))
    base = top / directory
    links = frozenset(name for name in seen if (base / name).is_symlink())
    return TerraformDirectory(
        dir=directory,
        files={name: read(base / name) for name in seen},
        links=links,
        has_tfvars=has_tfvars,
        dead=frozenset(name for name in links if not (base / name).is_file()),
    )


def link_targets(top: Path, files: Iterable[str]) -> frozenset[str]:
    """Files that a symbolic link in another directory points to, relative to the repository."""
    base = os.path.realpath(top)
    found = set()
    for path in files:
        if path.endswith(_ENDINGS) and (top / path).is_symlink():
            target = os.path.relpath(os.path.realpath(top / path), base).replace(os.sep, "/")
            if parent(target) != parent(path):
                found.add(target)
    return frozenset(found)
