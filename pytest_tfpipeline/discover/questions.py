"""What the repository does not say, asked for by name, each with the lines of configuration that settle it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from pytest_tfpipeline.config import root_config
from pytest_tfpipeline.config.entries import UNKNOWN, assignments, literal, pattern_for, root_entry
from pytest_tfpipeline.discover.asking import RULES
from pytest_tfpipeline.discover.names import says_environment
from pytest_tfpipeline.discover.places import order
from pytest_tfpipeline.discover.scene import Asked, Scene, has, named
from pytest_tfpipeline.model import Kind, Question, Root


def questions(scene: Scene) -> Iterator[Question]:
    """All of them, the weightiest first. Of a root that was asked about before, the lines belong into its entry."""
    yield from _environments(scene)
    begun: set[str] = set()
    for rule in RULES:
        for asked in rule(scene):
            yield Question(asked.text, tuple(_lines(scene, asked, begun)))
            begun.update(root.dir for root in asked.roots)
    for top_rule in (_guesses, _undeclared):
        yield from top_rule(scene)


def _environments(scene: Scene) -> Iterator[Question]:
    """What environments there are, where nothing says it, or but one thing that says one of them."""
    found = scene.sources.environments
    lone = found.lone if found else ""
    if (scene.environments and not lone) or scene.sources.apart:
        return
    if any(root.kind is Kind.ROOT for root in scene.roots):
        hinted = {name for hint in scene.hints.values() for name in hint.environments}
        names = hinted or {name for name in (found.candidates if found else ()) if says_environment(name)}
        more = () if names else (UNKNOWN,) if lone else ("staging", "production")
        known = [*sorted({*scene.environments, *names}, key=order), *more]
        lines = tuple(_top(scene, {"environments": known}))
        yield Question(f"Which environments are there? {_what_is_found(lone, bool(names))}", lines)


def _what_is_found(lone: str, names: bool) -> str:
    if lone:
        return f"One is found, and {lone}."
    if names:
        return "Files are called like these. Keep those that count:"
    return "No var file and no directory says one. One name is enough."


def _lines(scene: Scene, asked: Asked, begun: Collection[str]) -> Iterator[str]:
    has_entry = [root for root in asked.roots if root.dir in begun or root_config(scene.config, root.dir)]
    fresh = [root for root in asked.roots if root not in has_entry]
    if fresh:
        yield from _entry(scene, fresh, asked.settings)
    if has_entry:
        if _shared(scene, has_entry):
            yield f"# for {named(has_entry)} alone, in an entry above the one that matches more:"
        else:
            yield f"# in the entry that {named(has_entry)} {has(has_entry)} already:"
        yield from assignments(asked.settings)
    if asked.comment:
        yield asked.comment


def _shared(scene: Scene, roots: Sequence[Root]) -> bool:
    """Whether an entry of these roots is that of others too."""
    entries = [entry for root in roots if (entry := root_config(scene.config, root.dir))]
    others = (root for root in scene.roots if root not in roots)
    return any(root_config(scene.config, root.dir) is entry for root in others for entry in entries)


def _top(scene: Scene, settings: dict[str, object]) -> Iterator[str]:
    """Lines of the configuration's top, below its header where it has one."""
    if scene.home.prefix:
        yield scene.home.header("")
    yield from assignments(settings)


def _guesses(scene: Scene) -> Iterator[Question]:
    guessed = [root for root in scene.roots if root.guessed]
    if guessed:
        text = f"Is terraform run in {named(guessed)}? That was guessed. If so (and for others, `exclude`):"
        yield Question(text, tuple(_top(scene, {"include": [literal(root.dir) for root in guessed]})))


def _undeclared(scene: Scene) -> Iterator[Question]:
    """Environments that have files and are not in the configured list."""
    found = scene.sources.environments
    left = [name for name in found.known if name not in scene.environments] if found else []
    left = [name for name in left if not scene.config.lender(name)]
    if left and scene.config.environments:
        where = "; ".join(f"{name} ({path})" for name in left if (path := _place(scene, name)))
        text = f"Files are there for environments that nobody declared: {where or ', '.join(left)}. If they count:"
        yield Question(text, tuple(_top(scene, {"environments": [*scene.config.environments, *left]})))


def _place(scene: Scene, name: str) -> str | None:
    paths = (scene.sources.var_files.of(root.dir, name) for root in scene.roots)
    return next((path[0] for path in paths if path), None)


def _entry(scene: Scene, group: Sequence[Root], settings: dict[str, object]) -> tuple[str, ...]:
    """One entry for all of them, each by its name where no pattern means them alone."""
    dirs = [root.dir for root in group]
    others = {root.dir for root in scene.roots} - set(dirs)
    return root_entry(scene.home, pattern_for(dirs, others) or [*map(literal, dirs)], settings)
