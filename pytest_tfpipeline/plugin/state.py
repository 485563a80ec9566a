"""What the plugin keeps on pytest's config and items, and in which process it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.gate.identity import Answer
from pytest_tfpipeline.model import Check, EnvironmentRun, Module, Record, Root, Run

if TYPE_CHECKING:
    from pytest_tfpipeline.gate.result import Source

#: The key of the run's description in pytest-xdist's `workerinput`, and of a worker's answers in `workeroutput`.
WIRE_KEY = "tfpipeline"


def is_worker(config: pytest.Config) -> bool:
    """Whether this is a pytest-xdist worker."""
    return hasattr(config, "workerinput")


@dataclass
class Phase:
    """Which items a process runs: all but the tests of outputs at first, later only the tests about some roots.

    `only` holds (root, environment) pairs: policy tests of roots that were planned again, or with `outputs` the tests
    of outputs of roots that were applied. None is the first phase.
    """

    only: frozenset[tuple[str, str]] | None = None
    wave: int = 1
    outputs: bool = False


@dataclass
class State:
    """One process's view of the run: the same description everywhere, with paths as pytest sees them."""

    run: Run
    context: Context
    top: Path
    phase: Phase = field(default_factory=Phase)
    #: Test functions that ask for a plan, and this run makes none for them, by node id.
    unplanned: set[str] = field(default_factory=set)
    #: Test functions that ask for outputs, and this run applies nothing for them.
    unapplied: set[str] = field(default_factory=set)
    #: Tests that wait for an apply, by check id; on the controller those that any process has collected.
    held: dict[str, Check] = field(default_factory=dict)
    #: The same as items, in the process that collected them.
    held_items: list[pytest.Item] = field(default_factory=list)
    #: Whose the credentials were before anything was planned, by environment; on the controller.
    identities: dict[str, tuple[Answer, ...]] = field(default_factory=dict)
    #: Results of earlier runs that stand, by check id; they are not made again.
    reused: Mapping[str, Record] = field(default_factory=dict)
    #: Environments that were asked for and that this job has no credentials for; they are not in the run.
    elsewhere: tuple[EnvironmentRun, ...] = ()
    #: What git said of the tree before anything was read, on the controller of a run that plans; whoever applies asks
    #: again right before.
    source: Source | None = None

    def __post_init__(self) -> None:
        self.describe()

    def describe(self) -> None:
        """Look up the run's checks anew."""
        self.checks: dict[str, list[Check]] = {}
        for check in self.run.checks:
            self.checks.setdefault(check.id.split("::", 1)[0], []).append(check)
        self.anchors = {self.top / anchor: anchor for anchor in self.checks}
        self.names = _names(self.run)
        self.suites = tuple(self.top / suite.dir for suite in self.run.repository.suites)

    @property
    def recording(self) -> bool:
        """Whether this run makes the baseline, and judges nothing."""
        return self.run.baseline is not None and self.run.baseline.recording

    def key(self, config: pytest.Config, nodeid: str) -> str:
        """A node id relative to the repository: pytest's are relative to rootdir, which may be below its top."""
        if config.rootpath == self.top:
            return nodeid
        path, found, name = nodeid.partition("::")
        absolute = Path(config.rootpath, path)
        try:
            return absolute.relative_to(self.top).as_posix() + found + name
        except ValueError:
            return nodeid


def _names(run: Run) -> dict[str, str]:
    """What everything is called that a configuration can be read of, by directory: by the directory itself where two
    have the same name; of a run of one group, what belongs to it."""
    left_out = set(run.not_judged)
    everything: list[Root | Module] = [*run.repository.roots, *run.repository.modules]
    own = {one.dir: one.name for one in everything if one.dir not in left_out}
    counts = Counter(own.values())
    return {directory: name if counts[name] == 1 else directory for directory, name in own.items()}


STATE = pytest.StashKey[State]()


def state_of(config: pytest.Config) -> State:
    """The state of this process; there is one wherever the plugin's objects are registered."""
    return config.stash[STATE]
