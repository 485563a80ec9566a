"""Which state each target has, as far as the configuration tells: no two environments, or roots, may share one."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.match import root_config
from pytest_tfpipeline.discover.states import DECISIVE
from pytest_tfpipeline.errors import ConfigurationError
from pytest_tfpipeline.model import Finding, Repository, Root, Severity, Target
from pytest_tfpipeline.pipeline.backends import settings_of

_DEFAULT = "default"
#: What says, beside the decisive setting, which place a state is in.
_PLACE = (
    *("bucket", "container_name", "storage_account_name", "organization", "hostname", "namespace", "conn_str"),
    *("workspace_key_prefix", "workspace_dir"),
)
_MEND_ROOTS = (
    'give each root a state of its own: in its backend block, or by `backend = ["key={name}/{env}.tfstate"]` in its '
    "[[root]]; or `apply = false` for the one that is only looked at"
)

#: What makes a state that one and no other.
State = tuple[str, ...]


def state_of(root: Root, target: Target, top: Path) -> State | None:
    """The target's state; None where it is one of its own anyway, or where only terraform can know it."""
    kind = "remote" if root.backend == "cloud" else root.backend
    if target.backend_local or kind is None:
        return None  # kept below the output directory, by environment
    settings = settings_of(root, target, top)
    workspace = target.workspace or _DEFAULT
    if kind == "local":
        return _file(settings, workspace)
    key = settings.get(DECISIVE.get(kind, ""), "")
    if kind == "remote" and not key:
        key = "" if workspace == _DEFAULT else workspace
    if not key:
        return None
    cloud = target.environment if target.emulated else ""
    return (
        kind,
        cloud,
        key,
        workspace,
        *(f"{name}={settings.get(name, '')}" for name in _PLACE),
        *_reach(kind, target),
    )


def _mend(repository: Repository, target: Target) -> str:
    """What to write; the setting that says the state is called otherwise in each kind of backend."""
    backend = next((root.backend for root in repository.roots if root.dir == target.root), None)
    key = DECISIVE.get(backend or "", "key")
    return (
        f'give each environment a state of its own: `backend = ["{key}={{name}}/{{env}}.tfstate"]`, or `workspace`, in '
        "its [[root]]; or `environments`, if the root belongs to one of them alone"
    )


def check_states(repository: Repository, config: Config, asked: Sequence[str], targets: Sequence[Target]) -> None:
    """Raise ConfigurationError where an environment that was asked for shares a state with another one: what is applied
    in the one would be taken for the other. Two roots with one state would each destroy what the other made.

    `targets` are those of every environment that is known or asked for.
    """
    for state, target, other in _clashes(repository, asked, targets):
        raise ConfigurationError(
            _shared(state, target, other, config), where=config.source or None, mend=_mend(repository, target)
        )
    for text in shared_by_roots(repository, asked, targets):
        raise ConfigurationError(text, where=config.source or None, mend=_MEND_ROOTS)


def shared_by_roots(repository: Repository, asked: Sequence[str], targets: Sequence[Target]) -> Iterator[str]:
    """A sentence for each state that several roots would be applied to in one environment that was asked for."""
    roots, top = {root.dir: root for root in repository.roots}, Path(repository.path)
    found: defaultdict[tuple[str, State], dict[str, None]] = defaultdict(dict)
    for target in targets:
        state = state_of(roots[target.root], target, top) if target.apply and target.environment in asked else None
        if state is not None:
            found[target.environment, state][target.root] = None
    for (environment, state), dirs in found.items():
        if len(dirs) > 1:
            yield f"{' and '.join(dirs)} would have one state in {environment}: {_told(state)}"


def with_shared_states(
    repository: Repository, config: Config, asked: Sequence[str], targets: Sequence[Target]
) -> tuple[Target, ...]:
    """The same targets for a run that cannot apply: one of a root that nobody has configured has the state that it
    shares as its problem, and the rest goes on. Of a configured root it is raised as an error."""
    found: dict[tuple[str, str], Finding] = {}
    for state, target, other in _clashes(repository, asked, targets):
        text = _shared(state, target, other, config)
        if root_config(config, target.root) is not None:
            raise ConfigurationError(text, where=config.source or None, mend=_mend(repository, target))
        found[target.root, target.environment] = Finding(
            "shared-state", Severity.ERROR, f"{text}\n-> {_mend(repository, target)}"
        )
    return tuple(
        replace(one, problems=(*one.problems, found[key])) if (key := (one.root, one.environment)) in found else one
        for one in targets
    )


def _clashes(
    repository: Repository, asked: Sequence[str], targets: Sequence[Target]
) -> Iterator[tuple[State, Target, Target]]:
    """The targets of an environment that was asked for, with another that has the same state in another one."""
    seen: dict[State, Target] = {}
    roots = {root.dir: root for root in repository.roots}
    for target in sorted(targets, key=lambda one: one.environment in asked):
        state = state_of(roots[target.root], target, Path(repository.path))
        other = seen.setdefault(state, target) if state is not None else target
        if state is not None and other.environment != target.environment and target.environment in asked:
            yield state, target, other


def _file(settings: Mapping[str, str], workspace: str) -> State | None:
    """A state that is a file outside of the tree; one in the tree is kept by environment."""
    folder = settings.get("workspace_dir") if workspace != _DEFAULT else settings.get("path")
    return ("local", posixpath.normpath(folder), workspace) if folder and posixpath.isabs(folder) else None


def _reach(kind: str, target: Target) -> tuple[str, ...]:
    """Names of buckets are unique in all the world; other backends may be reached through the environment's variables,
    and then the same settings mean different places."""
    if kind in ("s3", "gcs"):
        return ()
    return tuple(f"{name}={value}" for name, value in sorted((target.plan_env | target.env).items()))


def _shared(state: State, target: Target, other: Target, config: Config) -> str:
    lender = config.lender(target.environment)
    where = f"{target.root} in {target.environment}"
    borrowed = f" (which borrows from {lender})" if lender else ""
    same = other.environment if other.root == target.root else f"{other.root} in {other.environment}"
    return f"{where}{borrowed} would have the state of {same}: {_told(state)}"


def _told(state: State) -> str:
    key, workspace = state[1:3] if state[0] == "local" else state[2:4]
    return f"`{key}`, workspace `{workspace}`"
