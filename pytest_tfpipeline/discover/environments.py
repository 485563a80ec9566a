"""Environments that are plain to see: var files by environment, and a directory per environment. Pure."""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_tfpipeline.config.places import LEVELS_UP, VAR_FILE_DIRECTORIES, VAR_FILE_ENDINGS
from pytest_tfpipeline.discover.directories import join, parent
from pytest_tfpipeline.discover.places import ENVIRONMENT_PARENTS, SHARED_NAMES, USUAL_NAMES, is_usual, order

_NAME = re.compile(r"[A-Za-z0-9][\w-]*")
#: Usual names that are often something else, unless the same root is there for another environment.
_AMBIGUOUS = frozenset({"ci", "demo", "int", "integration", "live", "preview", "sandbox", "test", "testing"})


@dataclass(frozen=True, slots=True)
class VarFiles:
    """Var files by directory and name: `at["config"]["staging"]` is `config/staging.tfvars`.

    `config/staging/terraform.tfvars` and `config/staging/staging.tfvars` count as `staging` of `config` as well, where
    `config/staging` has no Terraform of its own.
    """

    at: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Environments:
    """The known environments in order, the names that do not count, and by root those that were found for it.

    `by_directory` has the roots that are one environment's own, by their place; `beside` those that stand among such
    roots under another name (`wifi` beside `staging`): which environment they are only the configuration can say.
    """

    known: tuple[str, ...]
    candidates: tuple[str, ...]
    by_root: Mapping[str, tuple[str, ...]]
    by_directory: Mapping[str, str]
    beside: frozenset[str] = frozenset()

    def of(self, root: str, known: Sequence[str]) -> tuple[str, ...]:
        """The environments of `known` that the root belongs to: those found for it, else all; none if `beside`."""
        if root in self.by_directory:
            return tuple(name for name in known if name == self.by_directory[root])
        found = self.by_root.get(root, ())
        if root in self.beside and not found:
            return ()
        return tuple(name for name in known if name in found) or tuple(known)


def index_var_files(files: Iterable[str], terraform_dirs: Collection[str]) -> VarFiles:
    """All var files of a repository that could be an environment's."""
    at: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for path in sorted(files):
        name = _stem(posixpath.basename(path))
        if name is None:
            continue
        directory = parent(path)
        above, last = parent(directory), posixpath.basename(directory)
        if name != "terraform":
            at[directory].setdefault(name, path)
        if name in ("terraform", last) and directory not in terraform_dirs and _holds_environments(above):
            at[above].setdefault(last, path)
    return VarFiles(at)


def default_var_files(index: VarFiles, root: str, environment: str) -> tuple[str, ...]:
    """The var file of that environment that belongs to the root without configuration: the nearest, or none."""
    for directory in places(root):
        path = index.at.get(directory, {}).get(environment)
        if path:
            return (path,)
    return ()


def places(root: str) -> Iterator[str]:
    """Where a root's var files are looked for, nearest first: directories relative to the repository."""
    base = root
    for _ in range(LEVELS_UP + 1):
        for name in VAR_FILE_DIRECTORIES:
            yield posixpath.normpath(join(base, name))
        if base == ".":
            return
        base = parent(base)


def find_environments(roots: Sequence[str], index: VarFiles) -> Environments:
    """What the var files and the roots' places say. `roots` are the directories of roots, examples left out."""
    by_directory = dict(_by_directory(roots))
    seen = {root: _visible(index, root) for root in roots}
    counted = _counted(seen.values())
    by_root = {root: _ordered(name for name in names if name in counted) for root, names in seen.items()}
    beside = frozenset(_beside(roots, by_directory))
    candidates = {name for names in seen.values() for name in names} | {posixpath.basename(root) for root in beside}
    known = counted | set(by_directory.values())
    return Environments(
        known=_ordered(known),
        candidates=tuple(sorted(candidates - known)),
        by_root=by_root,
        by_directory=by_directory,
        beside=beside,
    )


def _visible(index: VarFiles, root: str) -> dict[str, str]:
    """Name to var file, as the root sees them."""
    found: dict[str, str] = {}
    for directory in places(root):
        for name, path in index.at.get(directory, {}).items():
            found.setdefault(name, path)
    return found


def _counted(seen: Iterable[Mapping[str, str]]) -> set[str]:
    """Usual names, and names that are there for two roots: in a file of each, or in a directory for such files."""
    roots: Counter[str] = Counter()
    own_files: defaultdict[str, set[str]] = defaultdict(set)
    shared: set[str] = set()
    for names in seen:
        roots.update(names.keys())
        for name, path in names.items():
            own_files[name].add(path)
            if _holds_environments(parent(path)) or _holds_environments(parent(parent(path))):
                shared.add(name)
    twice = {name for name, count in roots.items() if count > 1 and (name in shared or len(own_files[name]) > 1)}
    return {name for name in roots if is_usual(name)} | {name for name in twice if name.lower() not in SHARED_NAMES}


def _by_directory(roots: Sequence[str]) -> Iterator[tuple[str, str]]:
    known = set(roots)
    under_parents = Counter(name for names in map(_under_parents, roots) for name in names)
    for root in roots:
        parts = root.split("/")
        for index in reversed(range(len(parts))):
            if _names_environment(parts, index, known, under_parents):
                yield root, parts[index]
                break


def _names_environment(parts: list[str], index: int, roots: Collection[str], under_parents: Counter[str]) -> bool:
    """Whether that component of a root's path says which environment it is."""
    name = parts[index]
    below_parent = index > 0 and parts[index - 1] in ENVIRONMENT_PARENTS
    if not is_usual(name):
        return below_parent and under_parents[name] > 1 and name.lower() not in SHARED_NAMES
    if name in ENVIRONMENT_PARENTS and index < len(parts) - 1:
        return False
    plain = (below_parent or index == len(parts) - 1) and name not in _AMBIGUOUS
    return plain or _has_twin(parts, index, roots)


def _beside(roots: Sequence[str], by_directory: Mapping[str, str]) -> Iterator[str]:
    """Roots in the same directory as one that is called like its environment, and that are none themselves."""
    holding = {parent(root) for root, name in by_directory.items() if posixpath.basename(root) == name}
    yield from (root for root in roots if root not in by_directory and root != "." and parent(root) in holding)


def _has_twin(parts: list[str], index: int, roots: Collection[str]) -> bool:
    """Whether another environment has the same root at the same place."""
    twins = ("/".join([*parts[:index], name, *parts[index + 1 :]]) for name in USUAL_NAMES if name != parts[index])
    return any(twin in roots for twin in twins)


def _under_parents(root: str) -> set[str]:
    """Each directory of environments that the root is in, with the name below it: one vote by such a directory."""
    parts = root.split("/")
    return {parts[i + 1] for i in range(len(parts) - 1) if parts[i] in ENVIRONMENT_PARENTS and i + 2 == len(parts)}


def _holds_environments(directory: str) -> bool:
    return posixpath.basename(directory) in VAR_FILE_DIRECTORIES[1:]


def _stem(name: str) -> str | None:
    for ending in reversed(VAR_FILE_ENDINGS):
        if name.endswith(ending):
            stem = name[: -len(ending)]
            return stem if _NAME.fullmatch(stem) else None
    return None


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names), key=order))
