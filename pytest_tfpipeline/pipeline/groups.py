"""Groups: which part of the repository `--tf-group` restricts a run to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pytest_tfpipeline.config.keys import Config, GroupConfig
from pytest_tfpipeline.config.patterns import matches_any
from pytest_tfpipeline.config.suggest import did_you_mean
from pytest_tfpipeline.errors import UsageError
from pytest_tfpipeline.model import Check, Repository, Run, Target


@dataclass(frozen=True, slots=True)
class Scope:
    """What a run is about: the directories of roots, modules and suites, and those that it leaves out.

    `read` are the roots outside of it whose state it reads, as it is.
    """

    group: str | None
    judged: frozenset[str]
    not_judged: tuple[str, ...] = ()
    read: tuple[str, ...] = ()

    def targets(self, targets: Iterable[Target]) -> tuple[Target, ...]:
        """Those of its roots."""
        return tuple(target for target in targets if target.root in self.judged)

    def checks(self, checks: Iterable[Check]) -> tuple[Check, ...]:
        """Those of its directories."""
        return tuple(check for check in checks if check.dir in self.judged)

    def notes(self) -> Iterator[str]:
        """What a reader of the verdict must know."""
        if self.group is not None:
            yield f"only the group {self.group} is judged; not judged: {', '.join(self.not_judged) or 'nothing'}"
        for root in self.read:
            yield f"{root} is not of the group {self.group}: its state is read as it is; what is pending there waits"


def scope_of(repository: Repository, config: Config, name: str | None) -> Scope:
    """The scope of `--tf-group NAME`; everything without one. Raises UsageError for a name that no group has."""
    everything = _directories(repository)
    if name is None:
        return Scope(None, frozenset(everything))
    group = _group(config, name)
    roots = [root for root in repository.roots if matches_any(group.roots, root.dir)]
    modules = {module for root in roots for module in root.modules}
    own = {root.dir for root in roots} | modules
    suites = {suite.dir for suite in repository.suites if _has_suite(suite.dir, own, repository, config, group)}
    judged = own | suites
    read = dict.fromkeys(up for root in roots for up in _upstreams(repository, root.dir) if up not in own)
    return Scope(name, frozenset(judged), tuple(one for one in everything if one not in judged), tuple(read))


def not_judged(run: Run) -> tuple[str, ...]:
    """A note for the verdict, where the run was restricted to a group."""
    if run.group is None:
        return ()
    return (f"only the group {run.group} was judged; not judged: {', '.join(run.not_judged) or 'nothing'}",)


def _group(config: Config, name: str) -> GroupConfig:
    found = next((group for group in config.group if group.name == name), None)
    if found is None:
        known = [group.name for group in config.group]
        mend = f"known groups: {', '.join(known)}" if known else "no group is configured: add a [[group]]"
        raise UsageError(f"unknown group `{name}`{did_you_mean(name, known)}", mend=mend)
    return found


def _has_suite(suite: str, own: Iterable[str], repository: Repository, config: Config, group: GroupConfig) -> bool:
    """Whether the suite belongs to the group: below one of its roots or modules, named by it, or nobody else's."""
    holders = [one for one in _directories(replace(repository, suites=())) if _within(suite, one)]
    nearest = max(holders, key=len, default=None)
    if nearest is not None and nearest in own:
        return True
    if group.suites is not None:
        return matches_any(group.suites, suite)
    elsewhere = any(matches_any(other.suites or (), suite) for other in config.group if other is not group)
    return nearest is None and not elsewhere


def _within(inner: str, outer: str) -> bool:
    return outer != "." and (inner == outer or inner.startswith(f"{outer}/"))


def _upstreams(repository: Repository, directory: str) -> Sequence[str]:
    return next(root.after for root in repository.roots if root.dir == directory)


def _directories(repository: Repository) -> tuple[str, ...]:
    own = (*(one.dir for one in repository.roots), *(one.dir for one in repository.modules))
    return tuple(dict.fromkeys((*own, *(one.dir for one in repository.suites))))
