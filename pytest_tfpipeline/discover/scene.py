"""What questions are asked about, and a question before it is put into words of configuration."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_tfpipeline.config import Config, root_config
from pytest_tfpipeline.config.entries import Home
from pytest_tfpipeline.discover.settled import Sources
from pytest_tfpipeline.discover.wrappers import Hint
from pytest_tfpipeline.given import said
from pytest_tfpipeline.model import Root

SHOWN = 4


@dataclass(frozen=True, slots=True)
class Scene:
    """What questions are asked about: the repository as it was found, its configuration, and where that is written."""

    roots: Sequence[Root]
    sources: Sources
    config: Config
    home: Home
    environments: Sequence[str]
    hints: Mapping[str, Hint] = field(default_factory=dict)

    def silent(self, root: Root, *keys: str) -> bool:
        """Whether neither the configuration nor a wrapper says any of these of the root."""
        entry, hint = root_config(self.config, root.dir), self.hints.get(root.dir)
        unsaid = entry is None or all(getattr(entry, key) is None for key in keys)
        return unsaid and not any(getattr(hint, key, None) for key in keys if key != "environments")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about some roots, and what to say of them: settings of their entry, and a comment below them."""

    text: str
    roots: Sequence[Root]
    settings: dict[str, object]
    comment: str = ""


def alike(roots: Sequence[Root], key: Callable[[Root], Hashable]) -> list[list[Root]]:
    groups: defaultdict[Hashable, list[Root]] = defaultdict(list)
    for root in roots:
        groups[key(root)].append(root)
    return list(groups.values())


def named(roots: Sequence[Root]) -> str:
    shown = ", ".join(said(root.dir) for root in roots[:SHOWN])
    return f"{shown} and {len(roots) - SHOWN} more" if len(roots) > SHOWN else shown


def has(roots: Sequence[object], one: str = "has", several: str = "have") -> str:
    return one if len(roots) == 1 else several
