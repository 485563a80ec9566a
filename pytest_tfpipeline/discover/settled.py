"""What each root is run with where the configuration is silent: var files, backend files, workspaces, and why."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_tfpipeline.config import Config, RootConfig, root_config
from pytest_tfpipeline.discover.apart import Apart
from pytest_tfpipeline.discover.assigned import assigned
from pytest_tfpipeline.discover.environments import Environments
from pytest_tfpipeline.discover.states import DECISIVE
from pytest_tfpipeline.discover.varfiles import Files
from pytest_tfpipeline.model import Kind, Root

#: What a backend cannot do without, and does not read from the process environment.
REQUIRED = {
    "azurerm": ("storage_account_name", "container_name", "key"),
    "gcs": ("bucket",),
    "s3": ("bucket", "key"),
}


@dataclass(frozen=True, slots=True)
class Workspaces:
    """Whether a root or one of its modules reads `terraform.workspace`, and the names that it is held against."""

    read: bool = False
    names: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Sources:
    """What the repository has to say about how roots are run."""

    var_files: Files
    backend_files: Files
    environments: Environments | None = None
    workspaces: Mapping[str, Workspaces] = field(default_factory=dict)
    apart: Mapping[str, Apart] = field(default_factory=dict)


def settled(top: Path, roots: Sequence[Root], sources: Sources, config: Config) -> tuple[Root, ...]:
    """The same roots, with what was found for them. A file that would give two roots one state is given to neither."""
    found = [_settled(root, sources, root_config(config, root.dir)) for root in roots]
    shared = _shared_states(top, found)
    return tuple(_without(shared, root, sources, root_config(config, root.dir)) for root in found)


def _without(shared: frozenset[str], root: Root, sources: Sources, entry: RootConfig | None) -> Root:
    """The root without the shared files, and why it is run as it is."""
    refused = {name: files for name, files in root.backend_files.items() if not shared.isdisjoint(files)}
    kept = replace(root, backend_files={n: files for n, files in root.backend_files.items() if n not in refused})
    left = (
        f"there is {template} (not taken: it would give several roots one state)" for template in templates(refused)
    )
    return replace(kept, grounds=(*_grounds(kept, sources, entry), *left))


def lacking(backend: str | None, settings: Mapping[str, str]) -> tuple[str, ...]:
    """The settings that the backend cannot do without, and that are not there."""
    return tuple(name for name in REQUIRED.get(backend or "", ()) if not settings.get(name))


def _settled(root: Root, sources: Sources, entry: RootConfig | None) -> Root:
    var_files = _nearest(sources.var_files, root)
    backend_files = _nearest(sources.backend_files, root) if _wants_backend_files(root, entry) else {}
    found = replace(root, var_files=var_files, backend_files=backend_files)
    workspaces = tuple(_with_workspace(found, sources)) if _may_assume_workspace(root, entry) else ()
    return replace(found, workspaces=workspaces)


def _nearest(files: Files, root: Root) -> dict[str, tuple[str, ...]]:
    found = {name: files.of(root.dir, name)[:1] for name in root.environments}
    return {name: paths for name, paths in found.items() if paths}


def _wants_backend_files(root: Root, entry: RootConfig | None) -> bool:
    """Whether the block leaves something to be said, and the configuration says nothing."""
    silent = entry is None or entry.backend is None
    return silent and root.backend not in (None, "local", "cloud") and not _complete(root)


def _complete(root: Root) -> bool:
    if root.backend in REQUIRED:
        return not lacking(root.backend, root.backend_config)
    return bool(root.backend_config.get(DECISIVE.get(root.backend or "", "")))


def _may_assume_workspace(root: Root, entry: RootConfig | None) -> bool:
    silent = entry is None or (entry.workspace is None and entry.backend is None)
    return silent and root.kind is Kind.ROOT and not root.backend_config.get("workspaces.name")


def _with_workspace(root: Root, sources: Sources) -> Iterator[str]:
    """The environments that have a workspace of their name: those that the text names, or, where it names none, those
    that have a var file of their own and no backend file."""
    said = sources.workspaces.get(root.dir, Workspaces())
    if not said.read or (sources.environments and root.dir in sources.environments.by_directory):
        return
    for name in root.environments:
        own = name in root.var_files and name not in root.backend_files and not said.names
        if name in said.names or own:
            yield name


def _shared_states(top: Path, roots: Sequence[Root]) -> frozenset[str]:
    """Backend files that name the state, and that several roots without a state of their own would use."""
    users: Counter[str] = Counter()
    for root in roots:
        decisive = DECISIVE.get(root.backend or "", "")
        if not root.backend_config.get(decisive):
            files = {path for paths in root.backend_files.values() for path in paths}
            users.update(path for path in files if decisive in (assigned(top / path) or ()))
    return frozenset(path for path, count in users.items() if count > 1)


def _grounds(root: Root, sources: Sources, entry: RootConfig | None) -> Iterator[str]:
    if entry is not None and entry.environments is not None:
        yield "the configuration says so"
        return
    configured = entry is not None and "{env}" in f"{entry.var_files}{entry.backend}{entry.workspace}"
    if configured:
        yield "its entry in the configuration has {env}"
    environments = sources.environments
    if root.kind is Kind.EXAMPLE or environments is None:
        return
    if root.dir in environments.by_directory:
        yield f"its directory says {environments.by_directory[root.dir]}"
        return
    if root.dir in environments.beside:
        yield "it stands among directories of environments, and is called like none"
        return
    if root.dir in environments.untied:
        yield environments.lone
        return
    yield from (f"there is {template}" for template in templates(root.var_files))
    yield from (f"there is {template}" for template in templates(root.backend_files))
    named = sorted(sources.workspaces.get(root.dir, Workspaces()).names.intersection(root.environments))
    if named:
        yield f"terraform.workspace is held against {', '.join(named)}"
    files = root.var_files or root.backend_files
    if root.environments and not environments.by_root.get(root.dir) and not files and not configured:
        yield "nothing ties it to one of them"


def templates(files: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Paths with `{env}` in the place of the environment's name, each with the environments that have it."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for name, paths in files.items():
        for path in paths:
            found[template_of(path, name)].append(name)
    return {template: tuple(names) for template, names in found.items()}


def template_of(path: str, environment: str) -> str:
    """The path with `{env}` wherever a component is, or has as a whole word, the environment's name."""
    escaped = path.replace("{", "{{").replace("}", "}}")
    return "/".join(_word(part, environment, "{env}") for part in escaped.split("/"))


def _word(part: str, name: str, placeholder: str) -> str:
    before, found, after = part.partition(name)
    inside = before[-1:].isalnum() or after[:1].isalnum() or before[-1:] == "{"
    return part if not found or inside else f"{before}{placeholder}{after}"


def named(template: str, root: Root) -> str:
    """The same with `{name}` in the place of the root's name, wherever it is a whole word of a component."""
    return "/".join(_word(part, root.name, "{name}") for part in template.split("/"))
