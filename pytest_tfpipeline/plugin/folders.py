"""The way into suites: to their anchors, and to what was named inside of them, past pytest's own collection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pytest_tfpipeline.plugin.cases import CaseFile, Wanted
from pytest_tfpipeline.plugin.items import CheckFile
from pytest_tfpipeline.plugin.state import state_of


class SuiteFolder(pytest.File):
    """A suite's directory, or one in it, that leads to anchors and to what was named, and to nothing else.

    A `pytest.File` although it is a directory: of a `pytest.Directory` pytest imports the conftest.py, and a suite's
    belongs to the suite's own process.
    """

    def __init__(self, *, wanted: tuple[Wanted, ...] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._wanted = wanted

    def collect(self) -> Iterator[pytest.Collector]:
        """What is right here, and the ways to what is further down."""
        anchors = state_of(self.config).anchors
        named = {wanted.path for wanted in self._wanted}
        inside = [path for path in (*anchors, *named) if self.path in path.parents]
        for path in sorted({self.path / path.relative_to(self.path).parts[0] for path in inside}):
            if path in anchors:
                yield CheckFile.from_parent(self, path=path)
            if path in named:
                own = tuple(wanted for wanted in self._wanted if wanted.path == path)
                yield CaseFile.from_parent(self, path=path, wanted=own)
            elif path not in anchors:
                yield SuiteFolder.from_parent(self, path=path, wanted=self._wanted)
