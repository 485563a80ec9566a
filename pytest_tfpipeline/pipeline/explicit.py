"""The smallest configuration that says what would otherwise be found, assumed or asked for. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import replace

from pytest_tfpipeline.config.edit import Addition
from pytest_tfpipeline.config.entries import Home, assignments, literal, pattern_for, root_entry
from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.match import known_environments, root_config
from pytest_tfpipeline.discover.scene import alike
from pytest_tfpipeline.discover.settled import named, templates
from pytest_tfpipeline.discover.unfilled import example
from pytest_tfpipeline.model import Kind, Repository, Root, Variable
from pytest_tfpipeline.reports.listing import Wanting

#: Settings of one entry, as pairs: what makes roots alike.
_Settings = tuple[tuple[str, object], ...]
#: Variables of a root that nothing gives a value to.
Lacks = Sequence[Variable]
#: How many entries may differ in these alone, and how many names are shown where more would.
_FEW, _SHOWN = 12, 8


def explicit(repository: Repository, config: Config, home: Home, wanting: Sequence[Wanting] = ()) -> Addition:
    """What to add to the configuration. What it says already is left alone: a root with an entry gets no other."""
    roots = [root for root in repository.roots if root_config(config, root.dir) is None]
    lacks = {one.root: tuple(replace(each, file=None, line=None) for each in one.variables) for one in wanting}
    known = known_environments(config, repository.environments)
    everyones = () if repository.lone else known
    return Addition(_top(repository, config, known), tuple(_entries(roots, everyones, home, lacks)))


def _top(repository: Repository, config: Config, known: Sequence[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    if known and not config.environments and not repository.lone:
        found["environments"] = [*known]
    guessed = [literal(root.dir) for root in repository.roots if root.guessed]
    if guessed and not config.include:
        found["include"] = guessed
    return found


def _entries(
    roots: Sequence[Root], known: Sequence[str], home: Home, lacks: Mapping[str, Lacks]
) -> list[Sequence[str]]:
    """An entry for each kind of root. What variables lack a value tells kinds apart while that makes few entries; else
    it is only counted."""
    roots = [root for root in roots if root.kind is not Kind.EXAMPLE]
    settings = {root.dir: _settings(root, known) for root in roots}
    found = _by_kind(roots, home, settings, lacks, lambda root: (settings[root.dir], tuple(lacks.get(root.dir, ()))))
    if len(found) > _FEW:
        return _by_kind(roots, home, settings, lacks, lambda root: settings[root.dir])
    return found


def _by_kind(
    roots: Sequence[Root],
    home: Home,
    settings: Mapping[str, _Settings],
    lacks: Mapping[str, Lacks],
    kind: Callable[[Root], Hashable],
) -> list[Sequence[str]]:
    """The entries, the rarest kind first: the first match wins, so that a later one may match more."""
    left = {root.dir for root in roots}
    entries: list[Sequence[str]] = []
    for group in sorted(alike(roots, kind), key=lambda group: (len(group), group[0].dir)):
        if settings[group[0].dir] or any(root.dir in lacks for root in group):
            left -= {root.dir for root in group}
            entries.append(_patterned(group, left, home, dict(settings[group[0].dir]), lacks))
    return entries


def _patterned(
    group: Sequence[Root], left: set[str], home: Home, settings: dict[str, object], lacks: Mapping[str, Lacks]
) -> Sequence[str]:
    dirs = [root.dir for root in group]
    match = pattern_for(dirs, left) or [*map(literal, dirs)]
    return (*root_entry(home, match, _plain(settings, group)), *_to_fill(group, lacks))


def _settings(root: Root, known: Sequence[str]) -> _Settings:
    """What an entry must say for the root to stay what it is, with `{name}` for its name."""
    found: list[tuple[str, object]] = []
    if root.environments and root.environments != tuple(known):
        found.append(("environments", root.environments))
    for key, files in (("var_files", root.var_files), ("backend", root.backend_files)):
        if files:
            found.append((key, tuple(named(each, root) for each in _listed(files, root.environments))))
    if root.workspaces and set(root.workspaces) == set(root.environments):
        found.append(("workspace", "{env}"))
    return tuple(found)


def _listed(files: Mapping[str, Sequence[str]], environments: Sequence[str]) -> Iterator[str]:
    """The templates; one that not every environment has may be absent."""
    for template, names in templates(files).items():
        yield template if set(names) == set(environments) else f"{template}?"


def _plain(settings: dict[str, object], group: Sequence[Root]) -> dict[str, object]:
    """For a single root its own name, which reads better than a placeholder."""
    if len(group) > 1:
        return settings
    return {key: _spelled(value, group[0].name) for key, value in settings.items()}


def _spelled(value: object, name: str) -> object:
    if isinstance(value, tuple):
        return tuple(_spelled(item, name) for item in value)
    return value.replace("{name}", name) if isinstance(value, str) else value


def _to_fill(group: Sequence[Root], lacks: Mapping[str, Lacks]) -> Iterator[str]:
    """The variables without a value, as a comment: a value that nobody has thought about must not be planned with. Of
    roots that lack different ones, how many lack which."""
    lacking = [tuple(lacks[root.dir]) for root in group if root.dir in lacks]
    if len(set(lacking)) == 1:
        yield "# These variables have no value yet; a secret is read from the environment, as ${NAME}."
        yield f"# {next(assignments({'vars': {one.name: example(one) for one in lacking[0]}}))}"
    elif lacking:
        counts = Counter(one.name for variables in lacking for one in variables).most_common()
        more = f", and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else ""
        which = ", ".join(f"{name} ({count})" for name, count in counts[:_SHOWN])
        yield f"# Variables of {len(lacking)} of them have no value yet; `pytest --tf-list` says of each root which."
        yield f"# How many roots lack which: {which}{more}."
