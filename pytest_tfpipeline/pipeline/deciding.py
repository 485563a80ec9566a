"""The files beside Terraform that decide what a run demands and lets through, and whether they are the commit's."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.model import Baseline, Deciding, Run
from pytest_tfpipeline.pipeline.source import tracked
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.workspace.digest import sha256

#: Links that are followed before a path is taken for one that leads nowhere, as the kernel does.
_LINKS = 40


def deciding_files(top: Path, config: Config, baseline: Baseline | None, ini: Path | None) -> tuple[Deciding, ...]:
    """What this run was told by files, with their SHA-256 as they are now. `ini` is pytest's own.

    What an operator's file names outside of the repository is not among them: nobody reviews that with the commit.
    """
    found = {name: Deciding(name, role, _sha256(top / name)) for name, role in _named(top, config, baseline, ini)}
    return tuple(found.values())


def changed_deciding(run: Run) -> tuple[str, ...]:
    """Those that are not any more what the run was told by."""
    top = Path(run.repository.path)
    return tuple(one.file for one in run.deciding if _sha256(top / one.file) != one.sha256)


def not_committed(runner: Runner, run: Run) -> tuple[Deciding, ...]:
    """Those that the commit does not have, or has only as a link to something else."""
    top = Path(run.repository.path)
    ways = {one: [*_way(top, top / one.file)] for one in run.deciding}
    names = {_below(top, step) for way in ways.values() for step in way} - {None}
    committed = tracked(runner, top, sorted(filter(None, names))) if names else frozenset()
    return tuple(one for one, way in ways.items() if not all(_below(top, step) in committed for step in way))


def _named(top: Path, config: Config, baseline: Baseline | None, ini: Path | None) -> Iterator[tuple[str, str]]:
    """Paths, each with what that file does; where one file does two things, the last counts."""
    if ini is not None:
        yield _below(top, ini) or str(ini), "tells pytest what to run"
    if config.source:
        yield config.source, "configures the run"
    if config.waivers is not None and _may_be_reviewed(top, config.waivers):
        yield config.waivers, "waives findings"
    if config.allow_destroy is not None and _may_be_reviewed(top, config.allow_destroy):
        yield config.allow_destroy, "allows deletions"
    if config.signers is not None and _may_be_reviewed(top, config.signers):
        yield config.signers, "says who may sign"
    if baseline is not None:
        yield baseline.file, "lets findings through"


def _may_be_reviewed(top: Path, name: str) -> bool:
    """A relative path is the repository's own word; an absolute one is the operator's."""
    return not Path(name).is_absolute() or Path(name).is_relative_to(top)


def _way(top: Path, path: Path) -> Iterator[Path]:
    """The file, and before it every link inside of the repository that leads to it."""
    for _ in range(_LINKS):
        path = Path(os.path.normpath(path))
        link = next((one for one in (*reversed(path.parents), path) if top in one.parents and one.is_symlink()), None)
        if link is None:
            break
        yield link
        path = link.parent / link.readlink() / path.relative_to(link)
    yield Path(os.path.realpath(path))


def _below(top: Path, path: Path) -> str | None:
    base = next((one for one in (top, top.resolve()) if path.is_relative_to(one)), None)
    return path.relative_to(base).as_posix() if base else None


def _sha256(path: Path) -> str:
    return sha256(path) if path.is_file() else ""
