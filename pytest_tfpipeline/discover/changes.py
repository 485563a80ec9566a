"""What a change can affect: a pure function over what was found in the repository and the paths that changed.

What it does not know counts: a false "affected" costs time, a false "unaffected" would be a check that was not made.
So each changed path adds to what is affected and none takes anything away.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

#: Files that terraform reads from their own directory; those of a nested one are not the outer one's.
_TERRAFORM = (".tf", ".tf.json", ".tofu", ".tofu.json", ".tfvars", ".tfvars.json", ".tftest.hcl", ".tftest.json")
_LOCK = ".terraform.lock.hcl"
#: What only a CI service, an editor or a person reads, and caches: nothing, unless an expression names it.
_INERT = re.compile(
    r"(?:^|/)(?:\.github|\.gitlab|\.circleci|\.buildkite|\.azure-pipelines|\.vscode|\.idea|\.devcontainer)/"
    r"|^(?:\.gitlab-ci\.ya?ml|\.travis\.ya?ml|azure-pipelines\.ya?ml|bitbucket-pipelines\.ya?ml|Jenkinsfile"
    r"|\.pre-commit-config\.yaml|\.editorconfig|CODEOWNERS|LICENSE|LICENSE\.txt|[^/]*\.md)$"
    r"|(?:^|/)(?:__pycache__|\.pytest_cache|\.ruff_cache|\.mypy_cache)/"
)

#: What counts for every directory at or below its own, by the file's name.
_BELOW = {
    ".tflint.hcl": "tflint's configuration",
    ".checkov.yaml": "checkov's configuration",
    ".checkov.yml": "checkov's configuration",
    "ruff.toml": "ruff's configuration",
    ".ruff.toml": "ruff's configuration",
    "pyproject.toml": "ruff's configuration may be in it",
    ".terraform-version": "the version of terraform",
    ".opentofu-version": "the version of OpenTofu",
    ".tool-versions": "the versions of tools",
    ".python-version": "the version of Python",
    ".gitignore": "what is in the repository",
    ".gitattributes": "what git makes of files",
}
_TFLINT_PLUGINS = ".tflint.d"
#: What counts for everything: pytest's own configuration, anywhere but in a suite, and at the top what the run is
#: configured by and installed from.
_PYTEST = re.compile(r"(?:^|/)(?:conftest\.py|\.?pytest\.ini|\.?pytest\.toml|tox\.ini)$")
_AT_TOP = re.compile(
    r"(?:pyproject\.toml|tfpipeline\.toml|setup\.cfg|setup\.py|\.gitmodules|(?:.*-)?requirements.*\.txt|constraints.*\.txt"
    r"|Pipfile|[^/]*\.lock|pylock[^/]*\.toml)"
)
#: Links that lead into themselves have no end.
_MOST_NAMES = 50
_MIRROR = re.compile(r"(?:^|/)registry\.(?:terraform\.io|opentofu\.org)/")


@dataclass(frozen=True, slots=True)
class Python:
    """What Python source may read: the components of the modules it imports, the names in its strings, and those names
    below which it looks for files."""

    imports: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Place:
    """A directory with checks (or a module of policy tests, by its file), and what these can read.

    `reads` are paths, each with all that is below it, and why; `uses` are other directories whose change is one of
    this, and why. `anything` says why every change may matter, "" where it does not.
    """

    dir: str
    reads: Mapping[str, str] = field(default_factory=dict)
    uses: Mapping[str, str] = field(default_factory=dict)
    python: Python = Python()
    anything: str = ""


@dataclass(frozen=True, slots=True)
class Terrain:
    """Everything that a change is held against.

    `governing` are files that everything depends on, with what they import. `holders` are all directories with
    Terraform and all `suites`, checked or not. `everything` are further files that count for everything, and what they
    are. `links` are symbolic links with what they lead to.
    """

    places: tuple[Place, ...]
    tests: tuple[Place, ...] = ()
    governing: tuple[Place, ...] = ()
    holders: frozenset[str] = frozenset()
    suites: frozenset[str] = frozenset()
    everything: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Impact:
    """What is affected, and why: by directory, and by file of the modules of policy tests, which then run on everything
    that they are about. `idle` are the changed paths that nothing reads."""

    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tests: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    idle: tuple[str, ...] = ()


def affected(terrain: Terrain, changed: Iterable[str], known: Mapping[str, str] | None = None) -> Impact:
    """What these paths, relative to the repository, can affect: files that were added, deleted or have another content,
    both names of one that was renamed, and submodules. `known` are directories that are affected anyway, and why."""
    touched: dict[str, dict[str, None]] = defaultdict(dict)
    for directory, why in (known or {}).items():
        touched[directory][why] = None
    idle = []
    finder = _Finder(terrain)
    for path in sorted(set(changed)):
        found = list(finder.touched_by(path))
        for place, why in found:
            touched[place][why] = None
        if not found:
            idle.append(path)
    _govern(terrain, touched)
    _follow(terrain, touched)
    ordered = {name: tuple(whys) for name, whys in touched.items()}
    return Impact(
        {one.dir: ordered[one.dir] for one in terrain.places if one.dir in ordered},
        {one.dir: ordered[one.dir] for one in terrain.tests if one.dir in ordered},
        tuple(idle),
    )


def _govern(terrain: Terrain, touched: dict[str, dict[str, None]]) -> None:
    """What a governing file imports counts for everything."""
    whys = [f"{one.dir}: {why}" for one in terrain.governing for why in touched.get(one.dir, ())]
    for place in (*terrain.places, *terrain.tests):
        touched[place.dir].update(dict.fromkeys(whys)) if whys else None


def _follow(terrain: Terrain, touched: dict[str, dict[str, None]]) -> None:
    """Whatever uses what is affected is affected too."""
    users: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for place in (*terrain.places, *terrain.tests):
        for used, why in place.uses.items():
            users[used].append((place.dir, why))
    waiting = list(touched)
    while waiting:
        for user, why in users[waiting.pop()]:
            if user not in touched:
                waiting.append(user)
            touched[user][why] = None


class _Finder:
    """The terrain, by path."""

    def __init__(self, terrain: Terrain) -> None:
        self._terrain = terrain
        self._judged: Sequence[Place] = (*terrain.places, *terrain.tests)
        self._all: Sequence[Place] = (*self._judged, *terrain.governing)
        self._dirs = {one.dir for one in self._all}
        self._reads: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._below: dict[str, set[str]] = defaultdict(set)
        for one in self._all:
            for path, why in one.reads.items():
                self._reads[path].append((one.dir, why))
        for path in (*self._reads, *self._dirs):
            for above in ancestors(path):
                self._below[above].add(path)

    def touched_by(self, path: str) -> Iterator[tuple[str, str]]:
        """Places that one changed path touches, each with why; through a symbolic link by its other name, too."""
        for name in self._names(path):
            yield from self._named(path, name)
        if not _INERT.search(path):
            for one in self._all:
                if one.anything:
                    yield one.dir, f"{one.anything}, so that it may read {path}"

    def _names(self, path: str) -> list[str]:
        """The path, and every name that a link gives it."""
        found = [path]
        for name in found:
            for link, target in self._terrain.links.items():
                if name == target or name.startswith(f"{target}/"):
                    other = link + name[len(target) :]
                    if other not in found and len(found) < _MOST_NAMES:
                        found.append(other)
        return found

    def _named(self, path: str, name: str) -> Iterator[tuple[str, str]]:
        yield from self._read(path, name)
        yield from self._shared(name)
        if not _INERT.search(name):
            yield from self._inside(path, name)
            yield from self._imported(path, name)
            yield from self._beside(path, name)

    def _read(self, path: str, name: str) -> Iterator[tuple[str, str]]:
        for above in (name, *ancestors(name), "."):
            yield from ((place, f"{path}: {why}") for place, why in self._reads.get(above, ()))
        for below in self._below.get(name, ()):  # a submodule, or a directory that became a file
            yield from ((place, f"{path}: {why}") for place, why in self._reads.get(below, ()))
            if below in self._dirs:
                yield below, f"{path} changed"

    def _shared(self, name: str) -> Iterator[tuple[str, str]]:
        """Configuration of tools and of the run."""
        if why := self._of_everything(name):
            yield from ((one.dir, f"{name}: {why}") for one in self._judged)
        folder, base = posixpath.dirname(name), posixpath.basename(name)
        why = _BELOW.get(base, "")
        if f"/{_TFLINT_PLUGINS}/" in f"/{name}":
            folder, why = f"/{name}".partition(f"/{_TFLINT_PLUGINS}/")[0].lstrip("/"), "a plugin of tflint"
        if why:
            below = (one.dir for one in self._judged if not folder or f"{one.dir}/".startswith(f"{folder}/"))
            yield from ((place, f"{name}: {why}") for place in below)

    def _of_everything(self, name: str) -> str:
        if name in self._terrain.everything:
            return self._terrain.everything[name]
        if _MIRROR.search(name):
            return "a provider"
        if _AT_TOP.fullmatch(name):
            return "what the run is configured by or installed from"
        in_suite = any(above in self._terrain.suites for above in ancestors(name))
        return "pytest's own configuration" if _PYTEST.search(name) and not in_suite else ""

    def _inside(self, path: str, name: str) -> Iterator[tuple[str, str]]:
        """The directory that holds it; a file that is not terraform's own counts for those further up, too."""
        holders = [above for above in (*ancestors(name), ".") if above in self._terrain.holders]
        if name.endswith(_TERRAFORM) or posixpath.basename(name) == _LOCK:
            holders = holders[:1]
        for holder in holders:
            yield holder, f"{path} changed"

    def _imported(self, path: str, name: str) -> Iterator[tuple[str, str]]:
        base, folders = posixpath.basename(name), name.split("/")[:-1]
        modules = {base.removesuffix(".py"), *folders} if base.endswith(".py") else set()
        held = any(above in self._terrain.holders for above in ancestors(name))
        texts = {base, *(() if held else folders[-1:])}
        for one in self._all:
            said = one.python
            if not (modules.isdisjoint(said.imports) and texts.isdisjoint(said.names)) or said.folders & {*folders}:
                yield one.dir, f"{path}: its Python names it"

    def _beside(self, path: str, name: str) -> Iterator[tuple[str, str]]:
        """Data beside a module of policy tests."""
        for one in () if name.endswith(".py") else self._terrain.tests:
            folder = posixpath.dirname(one.dir)
            if folder and name.startswith(f"{folder}/"):
                yield one.dir, f"{path} is beside it"


def ancestors(path: str) -> Iterator[str]:
    """The directories above a path, nearest first, without the repository's top."""
    while (path := posixpath.dirname(path)).strip("/"):
        yield path
