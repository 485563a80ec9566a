"""What a repository does not say of its roots: each rule asks for one thing. Pure."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_tfpipeline.config import root_config
from pytest_tfpipeline.config.entries import UNKNOWN, assignments
from pytest_tfpipeline.discover.scene import SHOWN, Asked, Scene, alike, has, named
from pytest_tfpipeline.discover.settled import Workspaces, lacking, template_of, templates
from pytest_tfpipeline.discover.states import DECISIVE
from pytest_tfpipeline.discover.wrappers import Hint
from pytest_tfpipeline.model import Kind, Root


def wrapped(scene: Scene) -> Iterator[Asked]:
    """Roots for which a wrapper passes what would not be found. Each wrapper is asked about for itself: nobody says
    that two of them are run together."""
    found: dict[tuple[str, str], tuple[dict[str, object], list[Root]]] = {}
    for root in scene.roots:
        for settings in _by_wrapper(scene, root):
            text = _run_as(scene.hints[root.dir], settings)
            found.setdefault((text, repr(settings)), (settings, []))[1].append(root)
    for (text, _), (settings, group) in found.items():
        yield Asked(f"Is {named(group)} run as {text}", group, settings)


def _by_wrapper(scene: Scene, root: Root) -> Iterable[dict[str, object]]:
    found: defaultdict[str, dict[str, object]] = defaultdict(dict)
    for key, value in _news(scene, root).items():
        found[scene.hints[root.dir].places[key].rpartition(":")[0]][key] = value
    return found.values()


def _run_as(hint: Hint, settings: Mapping[str, object]) -> str:
    """The rest of the question: the lines of the wrapper, and what it computes."""
    keys = sorted(settings, key=lambda key: int(hint.places[key].rpartition(":")[2]))
    places = {key: hint.places[key] for key in keys}
    one = len(set(places.values())) == 1
    shown = [place if one else f"{place} ({key})" for key, place in places.items()]
    lines = shown[0] if one else f"{', '.join(shown[:-1])} and {shown[-1]}"
    text = f"{lines} {'does' if one else 'do'} it? Then say what {'it passes' if one else 'they pass'}."
    if hint.computed and "backend" in settings:
        text += f" {' and '.join(hint.computed)} {has(hint.computed, 'is', 'are')} computed there: fill in what "
        text += has(hint.computed, "it is.", "they are.")
    return text


def _news(scene: Scene, root: Root) -> dict[str, object]:
    hint, entry = scene.hints.get(root.dir), root_config(scene.config, root.dir)
    if hint is None or root.kind is not Kind.ROOT:
        return {}
    found: dict[str, object] = {}
    if hint.var_files and (entry is None or entry.var_files is None) and hint.var_files != _taken(root):
        found["var_files"] = [*hint.var_files]
    if hint.backend and root.backend and (entry is None or entry.backend is None) and not root.backend_files:
        found["backend"] = [*hint.pairs]
    if hint.workspace and (entry is None or entry.workspace is None) and not root.workspaces:
        found["workspace"] = hint.workspace
    return found


def _taken(root: Root) -> tuple[str, ...]:
    return tuple(templates(root.var_files))


def tenants(scene: Scene) -> Iterator[Asked]:
    """Roots with var files of their own in a directory where none are looked for."""
    for root in scene.roots:
        own = scene.sources.apart.get(root.dir)
        if own and not root.var_files and scene.silent(root, "var_files") and scene.silent(root, "environments"):
            text = (
                f"Is each of the {len(own.names)} var files in {posixpath.dirname(own.template)} an environment of "
                f"{root.dir}? They are not taken for any."
            )
            lists = bool(scene.config.environments)
            comment = "# and the same names in `environments` at the top" if lists else ""
            settings: dict[str, object] = {"environments": [*own.names], "var_files": [own.template]}
            if has_one_state(root):
                settings["workspace"] = "{env}"
            yield Asked(text, [root], settings, comment)


def environments(scene: Scene) -> Iterator[Asked]:
    """Roots among directories of environments that are called like none."""
    found = scene.sources.environments
    beside = [root for root in scene.roots if found and root.dir in found.beside and not root.environments]
    asked = [root for root in beside if scene.silent(root, "environments")]
    for group in alike(asked, lambda root: root.dir if len(asked) <= SHOWN else ""):
        stand, are = has(group, "It stands", "They stand"), has(group, "is", "are")
        yield Asked(
            f"Which environments {has(group, 'does', 'do')} {named(group)} belong to? {stand} among directories of "
            f"environments and {are} called like none, so {has(group, 'it is', 'they are')} planned in none.",
            group,
            {"environments": [UNKNOWN]},
        )


def has_one_state(root: Root) -> bool:
    """Whether its backend block alone says which state it has, the same in every environment."""
    decisive = DECISIVE.get(root.backend or "", "")
    known = bool(root.backend_config.get(decisive)) and not lacking(root.backend, root.backend_config)
    return known and root.backend not in (None, "local") and not root.workspaces and not root.backend_files


def one_state(scene: Scene) -> Iterator[Asked]:
    """Roots of several environments that have one state."""
    asked = [root for root in scene.roots if root.kind is Kind.ROOT and len(_remote(scene, root)) > 1]
    asked = [root for root in asked if has_one_state(root) and scene.silent(root, "backend", "workspace")]
    for group in alike(asked, lambda root: (root.environments, len(root.var_files) > 1, likely(root))):
        names = group[0].environments
        state = group[0].backend_config.get(DECISIVE.get(group[0].backend or "", ""), "")
        about = f"{named(group)} {has(group)} one state" + (f" ({state})" if len(group) == 1 else " each")
        text = f"{about} and would be planned in {', '.join(names)}. Which one is it, or what tells them apart?"
        pair = f"{DECISIVE[group[0].backend or '']}={{name}}/{{env}}.tfstate"
        apart: dict[str, object] = {"backend": [pair]}
        alone: dict[str, object] = {"environments": [likely(group[0]) or names[-1]]}
        first, second = (apart, alone) if len(group[0].var_files) > 1 else (alone, apart)
        yield Asked(text, group, first, f'# or: workspace = "{{env}}"   or: {next(assignments(second))}')


def likely(root: Root) -> str | None:
    """The environment that stands as a word in the root's path, the last one and there the longest; None: none does."""
    for part in reversed(root.dir.lower().split("/")):
        said = [
            name
            for name in root.environments
            if re.search(rf"(?<![a-z0-9]){re.escape(name.lower())}(?![a-z0-9])", part)
        ]
        if said:
            return max(said, key=len)
    return None


def backends(scene: Scene) -> Iterator[Asked]:
    """Roots whose backend block leaves something out that nothing else says."""
    asked = [root for root in scene.roots if root.kind is Kind.ROOT and scene.silent(root, "backend")]
    asked = [root for root in asked if lacking(root.backend, root.backend_config) and not _kept_here(scene, root)]
    asked = [root for root in asked if _lacks_backend_file(scene, root)]
    for group in alike(
        asked, lambda root: (root.backend, lacking(root.backend, root.backend_config), _depth(scene, root))
    ):
        missing = lacking(group[0].backend, group[0].backend_config)
        text = (
            f"Where is the state of {named(group)}? The {group[0].backend} backend lacks {' and '.join(missing)}, and "
            f"no file for `-backend-config` was found."
        )
        pairs = backend_pairs(missing, _state_name(scene, group))
        yield Asked(text, group, {"backend": pairs}, '# or, for plans without the remote state: backend = "local"')


def _lacks_backend_file(scene: Scene, root: Root) -> bool:
    """Whether no file could be meant. Where no environment is known, any that the root sees could be."""
    if scene.environments:
        return not root.environments or bool(set(root.environments) - set(root.backend_files))
    return next(scene.sources.backend_files.seen_from(root.dir), None) is None


def _kept_here(scene: Scene, root: Root) -> bool:
    """Whether every environment of the root keeps states in files (`backend = "local"`)."""
    return bool(root.environments) and not _remote(scene, root)


def _remote(scene: Scene, root: Root) -> list[str]:
    return [name for name in root.environments if scene.config.environment_config(name).backend != "local"]


def backend_pairs(missing: Sequence[str], state: str) -> list[str]:
    """`key=value` pairs to fill in; `state` is what the state itself may be called."""
    decisive = set(DECISIVE.values())
    return [f"{name}={state if name in decisive else UNKNOWN}" for name in missing]


def _depth(scene: Scene, root: Root) -> int:
    """0 where the root's name is its alone, else how deep it is: what `_state_name` depends on."""
    twins = [
        other for other in scene.roots if other.name == root.name and set(other.environments) & set(root.environments)
    ]
    return 0 if len(twins) < 2 else root.dir.count("/") + 1


def _state_name(scene: Scene, group: Sequence[Root]) -> str:
    """A name that no other root's state would have."""
    depth = _depth(scene, group[0])
    return f"{'/'.join(f'{{parts[{at}]}}' for at in range(depth)) or '{name}'}/{{env}}.tfstate"


def workspaces(scene: Scene) -> Iterator[Asked]:
    """Roots that read `terraform.workspace` without anything to say what it is."""
    asked = []
    for root in scene.roots:
        said = scene.sources.workspaces.get(root.dir, Workspaces())
        bound = scene.sources.environments and root.dir in scene.sources.environments.by_directory
        if said.read and not bound and set(root.environments) - set(root.workspaces) and not has_one_state(root):
            asked.append(root)
    asked = [root for root in asked if scene.silent(root, "workspace") and scene.silent(root, "backend")]
    for group in alike(asked, lambda root: root.environments):
        text = f"Which workspace is it? {named(group)} {has(group, 'reads', 'read')} terraform.workspace, and the "
        text += "workspace `default` would be planned."
        yield Asked(text, group, {"workspace": "{env}"})


def var_files(scene: Scene) -> Iterator[Asked]:
    """Roots that see several var files for one environment: the nearest is taken."""
    seen: dict[str, tuple[str, ...]] = {}
    for root in scene.roots:
        if root.kind is Kind.ROOT and scene.silent(root, "var_files"):
            claims = [_templates(scene, root, name) for name in root.environments]
            longest = max(claims, key=len, default=())
            if len(longest) > 1:
                seen[root.dir] = longest
    asked = [root for root in scene.roots if root.dir in seen]
    for group in alike(asked, lambda root: seen[root.dir]):
        nearest, *others = seen[group[0].dir]
        text = (
            f"Which var files are those of {named(group)}? {nearest} is the nearest and is taken; "
            f"{' and '.join(others)} {'is' if len(others) == 1 else 'are'} there too. List them, the strongest last."
        )
        files = [f"{each}?" for each in reversed(seen[group[0].dir])]
        yield Asked(text, group, {"var_files": files})


def _templates(scene: Scene, root: Root, name: str) -> tuple[str, ...]:
    return tuple(template_of(path, name) for path in scene.sources.var_files.of(root.dir, name))


#: The weightiest first.
RULES = (wrapped, tenants, environments, one_state, backends, workspaces, var_files)
