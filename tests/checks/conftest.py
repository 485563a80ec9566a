"""A repository, and a run of the static checks over it, with the real tools."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.checks import perform
from pytest_tfpipeline.context import Context, open_context
from pytest_tfpipeline.model import Check, CheckKind, Module, Record, Repository, Root, Run, Suite, Target
from pytest_tfpipeline.workspace import prepare_output


@dataclass
class Bench:
    """Write files, then perform checks: the copy of the tree is made at the first one."""

    path: Path
    roots: list[str] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    suites: list[str] = field(default_factory=list)
    run: dict[str, Any] = field(default_factory=dict)
    #: Fields of the repository that are more than the directories' names.
    described: dict[str, Any] = field(default_factory=dict)
    context: Context | None = None

    @property
    def repository(self) -> Path:
        return self.path / "my repo's «tree»"

    def write(self, name: str, text: str) -> None:
        path = self.repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def perform(self, kind: CheckKind, directory: str, environment: str | None = None) -> Record:
        self.context = self.context or self.open()
        name = f"{kind}[{environment}]" if environment else str(kind)
        return perform(
            self.context, Check(f"{directory}/{_anchor(directory, self)}::{name}", kind, directory, environment)
        )

    def open(self) -> Context:
        output = prepare_output(self.path / "output" / ".tfpipeline")
        work = output / "runs" / "one"
        work.mkdir(parents=True)
        found = [path for path in self.repository.rglob("*") if path.is_file()]
        (work / "files.json").write_text(
            json.dumps({each.relative_to(self.repository).as_posix(): "" for each in found})
        )
        found_there = {
            "roots": tuple(Root(each, each, f"{each}/main.tf") for each in self.roots),
            "modules": tuple(Module(each, each, f"{each}/main.tf") for each in self.modules),
            "suites": tuple(Suite(each, each, f"{each}/test_it.py") for each in self.suites),
        }
        described = Repository(str(self.repository), **{**found_there, **self.described})
        targets = tuple(Target(each, "staging") for each in self.roots)
        run = {"mode": "plan", "targets": targets, **self.run}
        return open_context(
            Run(
                "one",
                repository=described,
                output_path=str(output),
                work_path=str(work),
                files_path=str(work / "files.json"),
                **run,
            )
        )


def _anchor(directory: str, bench: Bench) -> str:
    return "test_it.py" if directory in bench.suites else "main.tf"


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    return Bench(tmp_path)
