"""The way into suites: to their anchors, and to what was named inside of them, past pytest's own collection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pytest_tfpipeline.plugin.cases import CaseFile, Pasted
from pytest_tfpipeline.plugin.items import CheckFile
from pytest_tfpipeline.plugin.state import state_of


class SuiteFolder(pytest.File):
    """A suite's directory, or one in it, that leads to anchors and to what was named, and to nothing else.

    A `pytest.File` although it is a directory: of a `pytest.Directory` pytest imports the conftest.py, and a suite's
    belongs to the suite's own process.
    """

    def __init__(self, *, pasted: tuple[Pasted, ...] = (), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._pasted = pasted

    def collect(self) -> Iterator[pytest.Collector]:
        """What is right here, and the ways to what is further down."""
        anchors = state_of(self.config).anchors
        named = {pasted.path for pasted in self._pasted}
        inside = [path for path in (*anchors, *named) if self.path in path.parents]
        for path in sorted({self.path / path.relative_to(self.path).parts[0] for path in inside}):
            if path in anchors:
                yield CheckFile.from_parent(self, path=path)
            elif path in named:
                own = tuple(pasted for pasted in self._pasted if pasted.path == path)
                yield CaseFile.from_parent(self, path=path, pasted=own)
            else:
                yield SuiteFolder.from_parent(self, path=path, pasted=self._pasted)
