"""`--tf-changed`: what a run is narrowed to, and why."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.match import root_config
from pytest_tfpipeline.discover.cache import FactsCache
from pytest_tfpipeline.discover.changes import Terrain, affected
from pytest_tfpipeline.discover.files import repository_files
from pytest_tfpipeline.discover.terrain import Ground, survey
from pytest_tfpipeline.model import Changed, Check, Module, Repository, Root, Run, Suite
from pytest_tfpipeline.pipeline.earlier import became
from pytest_tfpipeline.pipeline.since import read_since
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.reports.listing import foremost
from pytest_tfpipeline.workspace.tree import matching


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What the command line asks for: the commit (None: where the default branch was left), and what counts besides.

    `everything` are files that count for everything, `named` anchors that were named on the command line, with what is
    said of them; files of native tests count as their directory's. `where` are the places in which pytest looks for
    tests, () is everywhere. With `planned` everything counts that a plan in any environment could read.
    """

    ref: str | None = None
    everything: tuple[Path, ...] = ()
    named: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    planned: bool = False


def what_changed(
    top: Path,
    asked: Narrowing,
    repository: Repository,
    config: Config,
    environments: Sequence[str],
    runner: Runner,
    cache: Path | None,
) -> Changed:
    """What a change since that commit can affect. Raises UsageError where git cannot say what changed."""
    since = read_since(runner, top, asked.ref)
    files = repository_files(top, runner)
    facts = FactsCache(cache).facts
    environments = repository.environments if asked.planned else environments
    ground = Ground(top, files, repository, config, tuple(environments), asked.where, os.environ, facts)
    terrain = _with_copies(survey(ground, _everything(top, asked, config)), ground)
    copied = [path for place in terrain.places for path, why in place.reads.items() if why == _COPIED]
    known = dict(_named(repository, asked.named))
    if since.paths or copied:
        before = became(top, repository, files, since, config, runner, cache)
        gone = "what was here before cannot be described"
        known |= dict.fromkeys((one.dir for one in terrain.places), gone) if before is None else before
    impact = affected(terrain, (*since.paths, *copied), known)
    return Changed(
        since=since.name,
        commit=since.commit,
        paths=since.paths,
        reasons=dict(impact.reasons),
        tests=dict(impact.tests),
        total=len(terrain.places),
    )


_COPIED = "`copy_in` brings it, and git cannot say whether it changed"


def _with_copies(terrain: Terrain, ground: Ground) -> Terrain:
    """Files that git ignores and that a root has copied in: nobody knows what they were."""
    found: dict[str, dict[str, str]] = {}
    for root in ground.repository.roots:
        entry = root_config(ground.config, root.dir)
        for pattern in entry.copy_in if entry else ():
            found.setdefault(root.dir, {}).update(dict.fromkeys(matching(ground.top, pattern), _COPIED))
    places = (replace(one, reads={**one.reads, **found.get(one.dir, {})}) for one in terrain.places)
    return replace(terrain, places=tuple(places))


def _everything(top: Path, asked: Narrowing, config: Config) -> Mapping[str, str]:
    """Files that the configuration names and that count for every check."""
    named = (config.waivers, config.allow_destroy, config.baseline, config.signers)
    found = {str(PurePosixPath(name)): "the configuration names it" for name in named if name}
    for path in asked.everything:
        if path.is_relative_to(top):
            found[path.relative_to(top).as_posix()] = "what the run is configured by"
    return found


def _named(repository: Repository, anchors: Sequence[str]) -> Iterator[tuple[str, str]]:
    for one in _checked(repository):
        if not {one.anchor, *one.tests}.isdisjoint(anchors):
            yield one.dir, "it was named on the command line"


def left_out(run: Run) -> tuple[str, ...]:
    """Directories whose checks are not in the run because nothing that changed can affect them."""
    if run.changed is None:
        return ()
    known = {*run.changed.reasons, *run.not_judged}
    return tuple(dict.fromkeys(one.dir for one in _checked(run.repository) if one.dir not in known))


def _checked(repository: Repository) -> Iterator[Root | Module | Suite]:
    yield from repository.roots
    yield from repository.modules
    yield from repository.suites


def narrowed(checks: Iterable[Check], changed: Changed | None) -> tuple[Check, ...]:
    """Those of directories that the change can affect; all where the run is not narrowed."""
    return tuple(check for check in checks if changed is None or check.dir in changed.reasons)


def changed_notes(changed: Changed | None) -> tuple[str, ...]:
    """The one line that says what a run is narrowed to."""
    return () if changed is None else (changed.said,)


def nothing_note(changed: Changed | None) -> tuple[str, ...]:
    """What is said at the end of a run in which there was nothing to check."""
    if changed is None or not changed.nothing:
        return ()
    return (f"nothing that changed since {changed.since} can affect a check, so none was made (--tf-changed)",)


def reason_lines(changed: Changed | None) -> list[str]:
    """Why, a line for each directory."""
    if changed is None:
        return []
    told = {**changed.reasons, **changed.tests}
    return [f"  {name}: {'; '.join(foremost(whys))}" for name, whys in told.items()]
