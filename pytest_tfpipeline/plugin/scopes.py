"""Which items belong together, and how heavy each group of them is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from pytest_tfpipeline.pipeline.remaining import Expectation
from pytest_tfpipeline.plugin.fixtures import Subject, subject_id
from pytest_tfpipeline.plugin.state import State


class Scopes:
    """The group of a node id, and how heavy each group is."""

    def __init__(self, state: State, config: pytest.Config) -> None:
        self._state = state
        self._config = config
        self._by_anchor = {anchor: checks[0].dir for anchor, checks in state.checks.items()}
        self._by_parameter = _parameters(state)
        self._dependants = Counter(root for target in state.run.targets for root in target.after)
        self._expectation = Expectation(state.run.timings)
        self._seconds: dict[str, float] = {}
        self._sizes: Counter[str] = Counter()

    def scope(self, nodeid: str) -> str:
        """The directory that a check or policy test is about; for any other test its file."""
        file = self._state.key(self._config, nodeid).split("::", 1)[0]
        parameter = nodeid.rpartition("[")[2].rstrip("]")
        return self._by_anchor.get(file) or self._by_parameter.get(parameter) or file

    def weigh(self, nodeids: Sequence[str]) -> None:
        """Add up what is expected of the items of each group."""
        for nodeid in nodeids:
            scope, key = self.scope(nodeid), self._state.key(self._config, nodeid)
            seconds = 0.0 if key in self._state.reused else self._expectation.of(key) or 0.0
            self._seconds[scope] = self._seconds.get(scope, 0.0) + seconds
            self._sizes[scope] += 1

    def weight(self, scope: str) -> tuple[int, float, int]:
        """Roots that others depend on first, then by the seconds to expect, then by the number of items."""
        return self._dependants[scope], self._seconds.get(scope, 0.0), self._sizes[scope]


def _parameters(state: State) -> dict[str, str]:
    found = {name: directory for directory, name in state.names.items()}
    for target in state.run.targets:
        found[subject_id(state, Subject(target.root, target.environment))] = target.root
    return found
