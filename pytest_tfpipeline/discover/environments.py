"""Environments that are plain to see: var files by environment, and a directory per environment. Pure."""

from __future__ import annotations

import posixpath
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pytest_tfpipeline.config.places import VAR_FILE_DIRECTORIES
from pytest_tfpipeline.discover.directories import parent
from pytest_tfpipeline.discover.names import is_place, is_usual, parts_of
from pytest_tfpipeline.discover.places import ENVIRONMENT_PARENTS, SHARED_NAMES, USUAL_NAMES, order
from pytest_tfpipeline.discover.varfiles import Files

#: Usual names that are often something else, unless the same root is there for another environment.
_AMBIGUOUS = frozenset({"ci", "demo", "int", "integration", "live", "preview", "sandbox", "test", "testing"})


@dataclass(frozen=True, slots=True)
class Environments:
    """The known environments in order, the names that do not count, and by root those that were found for it.

    `by_directory` has the roots that are one environment's own, by their place; `beside` those that stand among such
    roots under another name (`wifi` beside `staging`): which environment they are only the configuration can say.
    `lone` says of one name, the only one, how little it rests on: it is not the whole list, and no other root's. Those
    other roots are `untied`, and in none as well.
    """

    known: tuple[str, ...]
    candidates: tuple[str, ...]
    by_root: Mapping[str, tuple[str, ...]]
    by_directory: Mapping[str, str]
    beside: frozenset[str] = frozenset()
    lone: str = ""
    untied: frozenset[str] = frozenset()

    def of(self, root: str, known: Sequence[str]) -> tuple[str, ...]:
        """The environments of `known` that the root belongs to: those found for it, else all; none if it is `beside`
        others or `untied`."""
        if root in self.by_directory:
            return tuple(name for name in known if name == self.by_directory[root])
        found = self.by_root.get(root, ())
        if not found and self.in_none(root):
            return ()
        return tuple(name for name in known if name in found) or tuple(known)

    def in_none(self, root: str) -> bool:
        """Whether only the configuration can say what the root belongs to."""
        return root in self.beside or root in self.untied


def find_environments(
    roots: Sequence[str],
    var_files: Files,
    backend_files: Files,
    workspaces: Mapping[str, Collection[str]] | None = None,
) -> Environments:
    """What files, the roots' places and names of workspaces say. `roots` are the directories of roots, examples left
    out; `workspaces` the names that a root's own text has for `terraform.workspace`."""
    by_directory = dict(_by_directory(roots))
    seen = {root: _visible(root, var_files, backend_files) for root in roots}
    counted = _counted(seen.values())
    named = {root: {name for name in (workspaces or {}).get(root, ()) if is_usual(name)} for root in roots}
    by_root = {root: _ordered({*counted.intersection(names), *named[root]}) for root, names in seen.items()}
    beside = frozenset(_beside(roots, by_directory))
    candidates = {name for names in seen.values() for name in names} | {posixpath.basename(root) for root in beside}
    known = counted | set(by_directory.values()) | {name for names in named.values() for name in names}
    untied = frozenset(root for root in roots if root not in by_directory and root not in beside and not by_root[root])
    lone = "" if counted else _lone(by_directory, named, untied)
    return Environments(
        known=_ordered(known),
        candidates=tuple(sorted(candidates - known)),
        by_root=by_root,
        by_directory=by_directory,
        beside=beside,
        lone=lone,
        untied=untied if lone else frozenset(),
    )


def _lone(by_directory: Mapping[str, str], named: Mapping[str, Collection[str]], others: Collection[str]) -> str:
    """What alone says an environment, where that is one directory's name and there are `others`, or texts that name
    one workspace and so mean more of them; "" where it is more than that, or nothing."""
    compared = sorted(root for root, names in named.items() if names)
    words = {*by_directory.values(), *(name for root in compared for name in named[root])}
    if len(words) != 1 or len(by_directory) > 1:
        return ""
    if compared:
        who = f"{compared[0]} and {len(compared) - 1} more hold" if len(compared) > 1 else f"{compared[0]} holds"
        return f"{who} terraform.workspace against {min(words)} alone"
    return f"only {min(by_directory)} is called like an environment" if others else ""


def _visible(root: str, *files: Files) -> dict[str, str]:
    """Name to the nearest file that says it, as the root sees them."""
    found: dict[str, str] = {}
    for each in files:
        for claim in each.seen_from(root):
            found.setdefault(claim.environment, claim.path)
    return found


def _counted(seen: Iterable[Mapping[str, str]]) -> set[str]:
    """Usual names, regions and accounts of a root without those, and names that are there for two roots: in a file of
    each, or in a directory for such files."""
    roots: Counter[str] = Counter()
    own_files: defaultdict[str, set[str]] = defaultdict(set)
    shared: set[str] = set()
    counted: set[str] = set()
    for names in seen:
        roots.update(names.keys())
        counted |= {name for name in names if is_usual(name)} or {name for name in names if is_place(name)}
        for name, path in names.items():
            own_files[name].add(path)
            if _holds_environments(parent(path)) or _holds_environments(parent(parent(path))):
                shared.add(name)
    twice = {name for name, count in roots.items() if count > 1 and (name in shared or len(own_files[name]) > 1)}
    return counted | {name for name in twice if name.lower() not in SHARED_NAMES and not is_place(name)}


def _by_directory(roots: Sequence[str]) -> Iterator[tuple[str, str]]:
    known = set(roots)
    under_parents = Counter(name for names in map(_under_parents, roots) for name in names)
    below = _below(roots)
    for root in roots:
        parts = root.split("/")
        indices = list(reversed(range(len(parts))))
        plain = next((parts[at] for at in indices if _names_environment(parts, at, known, under_parents)), None)
        name = plain or next(filter(None, (_beside_its_like(parts, at, below) for at in indices)), None)
        if name:
            yield root, name


def _below(roots: Iterable[str]) -> dict[str, set[str]]:
    """The names in each directory that leads to a root; the top is ""."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for root in roots:
        parts = root.split("/")
        for index, part in enumerate(parts):
            found["/".join(parts[:index])].add(part)
    return found


def _beside_its_like(parts: list[str], index: int, below: Mapping[str, Collection[str]]) -> str | None:
    """The environment that a component says only together with its siblings: `app-prod` beside `app-dev`, a region or
    an account beside another one."""
    own = parts[index]
    if is_place(own):
        return own if any(map(is_place, _siblings(parts, index, below))) else None
    rest, name = parts_of(own)
    if rest is None or not is_usual(name):
        return None
    alike = map(parts_of, _siblings(parts, index, below))
    if any(one[0] == rest and one[1] != name and is_usual(one[1]) for one in alike):
        return name
    return name if name not in _AMBIGUOUS and _plain_twin(parts[: index + 1], rest, below) else None


def _siblings(parts: list[str], index: int, below: Mapping[str, Collection[str]]) -> Iterator[str]:
    return (name for name in below["/".join(parts[:index])] if name != parts[index])


def _plain_twin(parts: list[str], rest: str, below: Mapping[str, Collection[str]]) -> str | None:
    """The directory beside `estate-staging` that is called `estate` and has a root of the same name in it."""
    twin = "/".join([*parts[:-1], rest])
    return twin if set(below.get(twin, ())) & set(below.get("/".join(parts), ())) else None


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
    """Roots in the same directory as one that is called like its environment, or at the same place in a directory that
    lacks its name, and that are none themselves."""
    holding = {parent(root) for root, name in by_directory.items() if posixpath.basename(root) == name}
    twins = tuple(_twins(by_directory, _below(roots)))
    for root in roots:
        if root not in by_directory and root != "." and (parent(root) in holding or root.startswith(twins)):
            yield root


def _twins(by_directory: Mapping[str, str], below: Mapping[str, Collection[str]]) -> Iterator[str]:
    """Directories, with a slash, that are called like one of an environment's but for its name."""
    for root, name in by_directory.items():
        parts = root.split("/")
        for index, part in enumerate(parts):
            rest, said = parts_of(part)
            twin = _plain_twin(parts[: index + 1], rest, below) if rest and said == name else None
            if twin:
                yield f"{twin}/"


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


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names), key=order))
