"""Files of native tests that are named on the command line, with a run block behind the `::` or without."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.model import Check, CheckKind, Outcome, Record
from pytest_tfpipeline.plugin.items import CheckItem
from pytest_tfpipeline.plugin.state import State, state_of

#: The rule of a finding about what could not be destroyed (`terraform.testing`).
LEFT_BEHIND = "test-left-behind"
#: The endings of such files (those of `discover.nativetests`, which is not imported for every start).
TEST_FILES = (".tftest.hcl", ".tftest.json", ".tofutest.hcl", ".tofutest.json")


def check_of(state: State, path: Path) -> Check | None:
    """The check of that file; None where it is no file of native tests that is run here."""
    checks = (check for check in state.run.checks if check.kind is CheckKind.TFTEST)
    return next((check for check in checks if state.top / _file(check) == path), None)


def _file(check: Check) -> str:
    """The file, from the check's name `test[FILE]`."""
    return f"{check.dir}/{check.id.partition('::test[')[2].removesuffix(']')}"


class NamedTests(pytest.File):
    """A file of native tests that was named; its items are the run blocks that were named, or `test`, all of it."""

    def __init__(self, *, check: Check, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._check = check

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each name."""
        start = self.config.invocation_params.dir
        named = [str(arg).split("::") for arg in self.config.option.file_or_dir]
        own = [words[1:] for words in named if (start / words[0]).absolute() == self.path]
        for name in dict.fromkeys(words[0] if words else "test" for words in own):
            nodeid = f"{self.nodeid}::{name}"
            yield NamedRun.from_parent(self, name=name, nodeid=nodeid, check=self._check)


class NamedRun(CheckItem):
    """One run block, or the whole file. Run blocks build on those before them, so all of the file is run."""

    def perform(self) -> Record:
        """The record is an ordinary test's: no run that can apply takes a path."""
        record = super().perform()
        key = state_of(self.config).key(self.config, self.nodeid)
        return replace(_about(record, self.name), check=key, kind=CheckKind.TEST)


def _about(record: Record, name: str) -> Record:
    """What the file's record says about that run block; all of it for `test`, where nothing was run, and where a run
    block left something behind."""
    left = any(finding.rule == LEFT_BEHIND for finding in record.findings)
    if name == "test" or left or not record.cases:
        return record
    cases = {case.id.rpartition("::")[2]: case for case in record.cases}
    if name not in cases:
        text = f'there is no run "{name}" in it: {", ".join(cases)}'
        return replace(record, outcome=Outcome.ERROR, text=text, summary=text, cases=())
    case = cases[name]
    return replace(
        record,
        outcome=case.outcome,
        text=case.text,
        summary=case.text.partition("\n")[0],
        seconds=case.seconds,
        cases=(),
    )
