"""Roots that have one state by their backend blocks, and by what the configuration says of it. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pytest_tfpipeline.config import Config, RootConfig, root_config
from pytest_tfpipeline.config.placeholders import Place, PlaceholderError, expand
from pytest_tfpipeline.config.types import is_pair
from pytest_tfpipeline.discover.settled import REQUIRED
from pytest_tfpipeline.discover.states import DECISIVE, WORKSPACE_PREFIX, is_literal
from pytest_tfpipeline.model import Kind, Root

#: The backend, what says the place in it, what is below it for workspaces, and the workspace.
_State = tuple[str, ...]


def same_states(roots: Sequence[Root], config: Config) -> Iterator[tuple[str, list[str]]]:
    """Each state that several roots have, in words, with their directories: whichever is applied last would destroy
    what the others made. What a block computes (`${local.service}`) may be something else in each."""
    users: defaultdict[_State, dict[str, None]] = defaultdict(dict)
    for root in roots:
        if root.kind is Kind.ROOT and not root.workspaces:
            for state in _states(root, config):
                users[state][root.dir] = None
    told: dict[tuple[str, ...], _State] = {}
    for state, dirs in users.items():
        told.setdefault(tuple(dirs), state)
    yield from ((" ".join(filter(None, state)), [*dirs]) for dirs, state in told.items() if len(dirs) > 1)


def _states(root: Root, config: Config) -> Iterator[_State]:
    """Those of all environments that do not keep states in files. None where a file or the environment's name, if
    that is not known, says it."""
    entry = root_config(config, root.dir) or RootConfig(match=("**",))
    for name in root.environments or (None,):
        if entry.backend == "local" or (entry.backend is None and name and _is_local(config, name)):
            continue
        try:
            state = _state(root, entry, Place(root.dir, root.name, name))
        except PlaceholderError:
            continue
        if state:
            yield state


def _is_local(config: Config, environment: str) -> bool:
    return config.environment_config(environment).backend == "local"


def _state(root: Root, entry: RootConfig, place: Place) -> _State | None:
    given = entry.backend or ()
    backend = root.backend or ""
    needed = REQUIRED.get(backend, ())
    if not all(map(is_pair, given)) or DECISIVE.get(backend) not in needed:
        return None
    pairs = (expand(each, place).partition("=") for each in given)
    settings = root.backend_config | {key.strip(): value.strip() for key, _, value in pairs}
    where = tuple(settings.get(name, "") for name in needed)
    if not all(where) or not all(map(is_literal, where)):
        return None
    below = settings.get(WORKSPACE_PREFIX.get(backend, ""), "")
    return (backend, *where, below, expand(entry.workspace or "", place))
