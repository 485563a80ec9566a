"""The variables of a repository's roots that nothing gives a value to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.match import known_environments
from pytest_tfpipeline.discover.unfilled import unfilled
from pytest_tfpipeline.model import Kind, Repository, Root, Target, Variable
from pytest_tfpipeline.pipeline.targets import resolve_targets
from pytest_tfpipeline.reports.listing import Wanting


def wanting(repository: Repository, config: Config, environ: Mapping[str, str]) -> tuple[Wanting, ...]:
    """The variables that nothing gives a value to, by root. Roots with `prepare` commands are left out: what these
    write is not known yet."""
    names = known_environments(config, repository.environments)
    targets = resolve_targets(repository, config, names, environ)
    return tuple(found for root in repository.roots for found in _of_root(root, targets, repository, environ))


def _of_root(
    root: Root, targets: Sequence[Target], repository: Repository, environ: Mapping[str, str]
) -> Iterator[Wanting]:
    found: dict[tuple[Variable, ...], list[str]] = {}
    if root.kind is Kind.ROOT and not root.environments:
        found[unfilled(root, Path(repository.path), (), (), environ)] = []
    for target in targets:
        if target.root == root.dir and not target.prepare:
            names = {*environ, *target.env, *target.plan_env}
            missing = unfilled(root, Path(repository.path), target.var_files, target.vars, names)
            found.setdefault(missing, []).append(target.environment)
    yield from (Wanting(root.dir, missing, tuple(names)) for missing, names in found.items() if missing)
