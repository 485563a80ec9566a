"""Var files that lie below a root in a directory where none are looked for: `projects/acme.tfvars`. Pure."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from pytest_tfpipeline.config.places import VAR_FILE_ENDINGS
from pytest_tfpipeline.discover.directories import join, parent
from pytest_tfpipeline.discover.places import SHARED_NAMES
from pytest_tfpipeline.discover.varfiles import Claim, Files, places


@dataclass(frozen=True, slots=True)
class Apart:
    """Var files of one root: `template` is their path with `{env}` for the name that each has, `names` those names."""

    template: str
    names: tuple[str, ...]


def apart(files: Files, roots: Sequence[str], terraform_dirs: Collection[str]) -> dict[str, Apart]:
    """By root, the files in the directory just below it that has most of them, where they are two or more."""
    found: dict[str, Apart] = {}
    for root in roots:
        below = (place for place in files.at if parent(place) == root and place != root)
        unseen = (place for place in below if place not in terraform_dirs and place not in places(root))
        best = max((one for place in unseen for one in _in(place, files.at[place])), key=_size, default=None)
        if best is not None and _size(best) > 1:
            found[root] = best
    return found


def _in(place: str, claims: Sequence[Claim]) -> Iterator[Apart]:
    for ending in VAR_FILE_ENDINGS:
        names = {
            claim.environment
            for claim in claims
            if claim.owner is None and posixpath.basename(claim.path) == f"{claim.environment}{ending}"
        }
        own = sorted(name for name in names if name.lower() not in SHARED_NAMES)
        yield Apart(join(place, f"{{env}}{ending}"), tuple(own))


def _size(one: Apart) -> int:
    return len(one.names)
