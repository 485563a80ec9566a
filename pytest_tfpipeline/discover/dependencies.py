"""Which roots a root comes after: as the configuration declares, and by whose state it reads. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping, Sequence

from pytest_tfpipeline.config import Config, RootConfig, root_config
from pytest_tfpipeline.config.match import declared_after
from pytest_tfpipeline.config.placeholders import PlaceholderError
from pytest_tfpipeline.config.suggest import did_you_mean
from pytest_tfpipeline.discover.environments import Environments
from pytest_tfpipeline.discover.states import State, States
from pytest_tfpipeline.errors import ConfigurationError
from pytest_tfpipeline.model import RemoteState, Root

#: A remote state that a root reads, and the directories of the roots whose state that could be.
Read = tuple[RemoteState, tuple[str, ...]]


def effective_backend(backend: str | None, entry: RootConfig | None) -> str | None:
    """The type of backend that a root with that block has under the configuration; None where it has none."""
    return "local" if entry is not None and entry.backend == "local" else backend


def key_place(config: Config, key: str) -> str:
    """`file: key`, as configuration errors name their place."""
    return f"{config.source}: {key}" if config.source else key


def inferred_after(
    roots: Mapping[str, Root], found: Mapping[str, Sequence[Read]]
) -> tuple[dict[str, set[str]], tuple[str, ...]]:
    """By root, the roots whose state it reads; and a note for each read that could be of several."""
    notes = [
        _ambiguous(roots[dir_], read, targets)
        for dir_, reads in found.items()
        for read, targets in reads
        if len(targets) > 1
    ]
    after = {dir_: {owner for read in reads if (owner := owner_of(read))} - {dir_} for dir_, reads in found.items()}
    return after, tuple(dict.fromkeys(notes))


def reads_of(roots: Mapping[str, Root], config: Config, environments: Environments) -> dict[str, tuple[Read, ...]]:
    """By root, each remote state that it reads, with the directories of the roots whose state that could be."""
    states = States(state for root in roots.values() for state in _states(config, root, environments))

    def read_by(root: Root, read: RemoteState) -> tuple[str, ...]:
        reading = State(root.dir, read.backend, read.config, environments.by_directory.get(root.dir))
        return tuple(dict.fromkeys(states.read_by(reading)))

    return {dir_: tuple((read, read_by(root, read)) for read in root.remote_states) for dir_, root in roots.items()}


def owner_of(read: Read) -> str | None:
    """The one root whose state it is; None where it could be that of several, or of none."""
    return read[1][0] if len(read[1]) == 1 else None


def _ambiguous(root: Root, read: RemoteState, targets: Sequence[str]) -> str:
    shown = ", ".join(targets[:3]) + (", ..." if len(targets) > 3 else "")
    return (
        f"{read.file}:{read.line}: the remote state `{read.name}` could be that of {len(targets)} roots ({shown}): "
        f"say `after` for {root.dir} in the configuration if it depends on one of them."
    )


def circle_note(cycle: Sequence[str]) -> str:
    """What to tell of roots that read each other's state."""
    return (
        f"These roots read each other's state in a circle: {' -> '.join(cycle)}. That gives them no order: "
        f"say `after` for one of them in the configuration."
    )


def _states(config: Config, root: Root, environments: Environments) -> Iterator[State]:
    """Where a root's own state is: its backend block, and over it the pairs of the configuration. One that is kept
    elsewhere by `backend = "local"` is read by the block that it replaces all the same."""
    entry = root_config(config, root.dir)
    settings = dict(root.backend_config)
    if entry is not None and isinstance(entry.backend, tuple):
        pairs = (text.partition("=") for text in entry.backend if "=" in text)
        settings |= {key: value.replace("{name}", root.name) for key, _, value in pairs}
    backends = dict.fromkeys(one or "local" for one in (effective_backend(root.backend, entry), root.backend))
    for backend in backends:
        yield State(root.dir, backend, settings, environments.by_directory.get(root.dir))


def declared_roots(roots: Mapping[str, Root], config: Config, dir_: str) -> set[str]:
    """The directories that the configuration's `after` means. Raises ConfigurationError where there is none."""
    try:
        names = declared_after(config, dir_, roots[dir_].name)
    except PlaceholderError as error:
        raise ConfigurationError(str(error), where=key_place(config, "root.after")) from None
    return {_meant(roots, config, dir_, name) for name in names}


def _meant(roots: Mapping[str, Root], config: Config, dir_: str, name: str) -> str:
    wanted = posixpath.normpath(name)
    if wanted in roots:
        return wanted
    named = [root.dir for root in roots.values() if root.name == name]
    if len(named) == 1:
        return named[0]
    where = key_place(config, "root.after")
    if named:
        what = f"`{name}`, which {dir_} comes after, is the name of several roots: {', '.join(named)}"
        raise ConfigurationError(what, where=where, mend="write the directory of the one that is meant")
    known = sorted({*roots, *(root.name for root in roots.values())})
    raise ConfigurationError(
        f"{dir_} comes after `{name}`, which is no root{did_you_mean(name, known)}",
        where=where,
        mend="write the name or the directory of a root; `pytest --tf-list` shows them",
    )
