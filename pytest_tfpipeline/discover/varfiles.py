"""Which var files and backend files could be an environment's, and for which root. Pure."""

from __future__ import annotations

import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pytest_tfpipeline.config.places import (
    BACKEND_DIRECTORIES,
    BACKEND_ENDINGS,
    LEVELS_UP,
    VAR_FILE_DIRECTORIES,
    VAR_FILE_ENDINGS,
)
from pytest_tfpipeline.discover.directories import join, parent
from pytest_tfpipeline.discover.names import (
    BACKEND_WORDS,
    FILLERS,
    backend_parts,
    is_usual,
    parts_of,
    splits,
    without_backend,
)
from pytest_tfpipeline.discover.places import ENVIRONMENT_PARENTS

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
_SEPARATOR = re.compile(r"[._-]")
_HOLDERS = frozenset({*VAR_FILE_DIRECTORIES[1:], *BACKEND_DIRECTORIES, *ENVIRONMENT_PARENTS})
#: How the name of a file ends that is there to be copied: what is in it is nobody's.
_PATTERNS = frozenset({"dist", "example", "sample", "template"})
#: How many directories may lie between a place where files are looked for and the file.
_DEPTH = 2


@dataclass(frozen=True, slots=True)
class Claim:
    """A file that could be the one of `environment`, for the root called `owner` alone or (None) for any."""

    path: str
    environment: str
    owner: str | None = None


@dataclass(frozen=True)
class Files:
    """Claims by the directory in which they are looked for: `config/prod.tfvars` is one of `config`, and
    `config/prod/core.tfvars` too, for `core` alone. `kinds` are the directories' names that hold such files; in one of
    the `roots`, which may be called like that, they are its own and those of the roots below it."""

    at: Mapping[str, tuple[Claim, ...]] = field(default_factory=dict)
    kinds: tuple[str, ...] = VAR_FILE_DIRECTORIES
    roots: frozenset[str] = frozenset()

    def seen_from(self, root: str) -> Iterator[Claim]:
        """The claims that a root sees, nearest first."""
        own = key_of(posixpath.basename(root))
        for directory in places(root, self.kinds) if self.at else ():
            others = directory in self.roots and not f"{root}/".startswith(f"{directory}/") and directory != "."
            claims = {} if others else self._by_owner.get(directory, {})
            for owner in (own, None) if claims else ():
                yield from claims.get(owner, ())

    @cached_property
    def _by_owner(self) -> dict[str, dict[str | None, list[Claim]]]:
        found: dict[str, dict[str | None, list[Claim]]] = {}
        for directory, claims in self.at.items():
            below: defaultdict[str | None, list[Claim]] = defaultdict(list)
            for claim in claims:
                below[claim.owner].append(claim)
            found[directory] = below
        return found

    def of(self, root: str, environment: str) -> tuple[str, ...]:
        """The files that claim to be that environment's of the root, nearest first."""
        return tuple(dict.fromkeys(claim.path for claim in self.seen_from(root) if claim.environment == environment))


def places(root: str, kinds: Iterable[str] = VAR_FILE_DIRECTORIES) -> Iterator[str]:
    """Where a root's files are looked for, nearest first: directories relative to the repository."""
    base = root
    for _ in range(LEVELS_UP + 1):
        for name in kinds:
            yield posixpath.normpath(join(base, name))
        if base == ".":
            return
        base = parent(base)


def index_var_files(files: Iterable[str], terraform_dirs: Collection[str], roots: Iterable[str]) -> Files:
    """All var files that could be an environment's; one that terraform reads by itself is none."""
    stems = ((path, stem) for path in files if (stem := _var_stem(path)))
    roots = frozenset(roots)
    return Files(_Claims(terraform_dirs, roots, FILLERS, parts_of).index(stems), roots=roots)


def index_backend_files(files: Iterable[str], terraform_dirs: Collection[str], roots: Iterable[str]) -> Files:
    """All files for `-backend-config` that could be an environment's."""
    stems = ((path, stem) for path in files if (stem := _backend_stem(path)))
    roots = frozenset(roots)
    claims = _Claims(terraform_dirs, roots, BACKEND_WORDS | FILLERS, backend_parts, without_backend)
    return Files(claims.index(stems), (*VAR_FILE_DIRECTORIES, *BACKEND_DIRECTORIES), roots)


@dataclass(frozen=True)
class _Claims:
    terraform_dirs: Collection[str]
    roots: Iterable[str]
    words: frozenset[str]
    cut: Callable[[str], tuple[str | None, str]]
    plain: Callable[[str], str] = str

    def index(self, stems: Iterable[tuple[str, str]]) -> dict[str, tuple[Claim, ...]]:
        """The claims of these files (path, stem) by the directory in which they are looked for."""
        found: defaultdict[str, list[Claim]] = defaultdict(list)
        ordered = sorted(stems)
        shared = self._shared(ordered)
        for path, stem in ordered:
            place, between, extra = parent(path), list[str](), shared.get(parent(path))
            for _ in range(_DEPTH + 1):
                said = self._said(place, between, stem, extra)
                if said:
                    found[place].append(Claim(path, said[1], said[0]))
                if place == "." or place in self.terraform_dirs:
                    break
                place, between = parent(place), [posixpath.basename(place), *between]
        return {place: tuple(claims) for place, claims in found.items()}

    def _shared(self, stems: Iterable[tuple[str, str]]) -> dict[str, str]:
        """By directory, the word that every file in it has beside an environment: `blue` of `staging.blue`."""
        rests: defaultdict[str, set[str]] = defaultdict(set)
        counts: Counter[str] = Counter()
        for path, stem in stems:
            rest, name = self.cut(stem)
            if rest and key_of(rest) not in self._names:
                rests[parent(path)].add(rest)
                counts[parent(path)] += 1
            elif not rest and is_usual(name):
                rests[parent(path)].add("")
        return {place: min(words) for place, words in rests.items() if len(words) == 1 and counts[place] > 1}

    @cached_property
    def _names(self) -> frozenset[str]:
        """Names of roots that mean nothing else."""
        names = (posixpath.basename(root) for root in self.roots)
        return frozenset(key_of(name) for name in names if name != "." and not is_usual(name) and name not in _HOLDERS)

    def _said(self, place: str, between: list[str], stem: str, extra: str | None) -> tuple[str | None, str] | None:
        """(owner, environment) that a file says by its name and the directories between it and the place."""
        owner, name = self._of_stem(stem, extra)
        owners = [owner] if owner else []
        owners += [key_of(part) for part in between if key_of(part) in self._names]
        others = [part for part in between if key_of(part) not in self._names]
        if len(set(owners)) > 1 or len(others) > 1 or _misleading(others):
            return None
        if not others:
            return (owners[0] if owners else None, name) if name else None
        plain = is_usual(others[0]) or posixpath.basename(place) in _HOLDERS
        if not plain or name not in (None, others[0]):
            return None
        return owners[0] if owners else None, others[0]

    def _of_stem(self, stem: str, extra: str | None) -> tuple[str | None, str | None]:
        """The root and the environment that a file's name says, as far as it does; `extra` says nothing."""
        if _only(stem, self.words):
            return None, None
        if key_of(stem) in self._names:
            return key_of(stem), None
        rest, name = self.cut(stem)
        if extra and not rest:
            name = next((one for one, other in splits(name) if other == extra), name)
        if not rest or rest == extra:
            return None, name
        return (key_of(rest), name) if key_of(rest) in self._names else (None, self.plain(stem))


def _misleading(between: Sequence[str]) -> bool:
    """Whether the file is found in a place of its own, deeper down."""
    return any(part in _HOLDERS and not is_usual(part) for part in between)


def key_of(name: str) -> str:
    """A name without the differences of case and separators that people make."""
    return _SEPARATOR.sub("-", name.lower())


def _only(stem: str, words: frozenset[str]) -> bool:
    return all(part in words for part in _SEPARATOR.split(stem.lower()))


def _var_stem(path: str) -> str | None:
    name = posixpath.basename(path)
    for ending in sorted(VAR_FILE_ENDINGS, key=len, reverse=True):
        if name.endswith(ending):
            stem = name[: -len(ending)]
            plain = _NAME.fullmatch(stem) and not stem.endswith(".auto") and not _is_backend(path, stem)
            return stem if plain and not _is_pattern(stem) else None
    return None


def _is_pattern(stem: str) -> bool:
    """`dev.example` of `dev.example.tfvars`."""
    return "." in stem and stem.rpartition(".")[2].lower() in _PATTERNS


def _backend_stem(path: str) -> str | None:
    name = posixpath.basename(path)
    for ending in BACKEND_ENDINGS:
        if name.endswith(ending):
            stem = name[: -len(ending)]
            plain = _NAME.fullmatch(stem) and (ending in BACKEND_ENDINGS[:2] or _is_backend(path, stem))
            return stem if plain else None
    return None


def _is_backend(path: str, stem: str) -> bool:
    words = _SEPARATOR.split(stem.lower())
    return "backend" in words or posixpath.basename(parent(path)) in BACKEND_DIRECTORIES
