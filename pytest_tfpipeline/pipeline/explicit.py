"""The smallest configuration that says what would otherwise be found, assumed or asked for. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pytest_tfpipeline.config.edit import Addition
from pytest_tfpipeline.config.entries import Home, assignments, literal, pattern_for, root_entry
from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.match import known_environments, root_config
from pytest_tfpipeline.discover.settled import named, templates
from pytest_tfpipeline.discover.unfilled import example
from pytest_tfpipeline.model import Kind, Repository, Root, Variable
from pytest_tfpipeline.reports.listing import Wanting

#: Settings of one entry, as pairs: what makes roots alike.
_Settings = tuple[tuple[str, object], ...]


def explicit(repository: Repository, config: Config, home: Home, wanting: Sequence[Wanting] = ()) -> Addition:
    """What to add to the configuration. What it says already is left alone: a root with an entry gets no other."""
    roots = [root for root in repository.roots if root_config(config, root.dir) is None]
    lacks = {one.root: tuple(replace(each, file=None, line=None) for each in one.variables) for one in wanting}
    known = known_environments(config, repository.environments)
    return Addition(_top(repository, config, known), tuple(_entries(roots, known, home, lacks)))


def _top(repository: Repository, config: Config, known: Sequence[str]) -> dict[str, object]:
    found: dict[str, object] = {}
    if known and not config.environments:
        found["environments"] = [*known]
    guessed = [literal(root.dir) for root in repository.roots if root.guessed]
    if guessed and not config.include:
        found["include"] = guessed
    return found


def _entries(
    roots: Sequence[Root], known: Sequence[str], home: Home, lacks: Mapping[str, Sequence[Variable]]
) -> Iterator[Sequence[str]]:
    """An entry for each kind of root, the rarest first: the first match wins, so that a later one may match more."""
    groups: defaultdict[tuple[_Settings, tuple[Variable, ...]], list[Root]] = defaultdict(list)
    for root in roots:
        if root.kind is not Kind.EXAMPLE:
            groups[_settings(root, known), tuple(lacks.get(root.dir, ()))].append(root)
    told = {key: group for key, group in groups.items() if any(key)}
    left = {root.dir for root in roots}
    for (settings, variables), group in sorted(told.items(), key=lambda item: (len(item[1]), item[1][0].dir)):
        left -= {root.dir for root in group}
        yield from _patterned(group, left, home, dict(settings), variables)


def _patterned(
    group: Sequence[Root], left: set[str], home: Home, settings: dict[str, object], variables: Sequence[Variable]
) -> Iterator[Sequence[str]]:
    pattern = pattern_for([root.dir for root in group], left)
    below = tuple(_to_fill(variables))
    if pattern is not None:
        yield (*root_entry(home, pattern, _plain(settings, group)), *below)
    else:
        yield from ((*root_entry(home, literal(root.dir), _plain(settings, [root])), *below) for root in group)


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


def _to_fill(variables: Sequence[Variable]) -> Iterator[str]:
    """The variables without a value, as a comment: a value that nobody has thought about must not be planned with."""
    if variables:
        yield "# These variables have no value yet; a secret is read from the environment, as ${NAME}."
        yield f"# {next(assignments({'vars': {one.name: example(one) for one in variables}}))}"
