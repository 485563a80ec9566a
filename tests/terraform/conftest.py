"""A repository of tiny roots that need no provider, and a run over it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.context import Context, open_context
from pytest_tfpipeline.model import RemoteState, Repository, Root, Run, Target, Tool, Variable
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.tools import find_tool
from pytest_tfpipeline.workspace import prepare_output


@dataclass
class Playground:
    """Write files, then open a context over them."""

    path: Path

    @property
    def repository(self) -> Path:
        return self.path / "my repo's «tree»"

    def write(self, name: str, text: str) -> Path:
        path = self.repository / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def open(
        self,
        *targets: Target,
        roots: tuple[Root, ...] = (),
        mode: str = "plan",
        tofu: Mapping[str, str] | None = None,
        **run: Any,
    ) -> Context:
        """A context; roots that are not given are made of the targets. `tofu` is what OpenTofu runs, and why."""
        known = {root.dir for root in roots}
        made = tuple(_root(target.root) for target in targets if target.root not in known)
        output = prepare_output(self.path / "output")
        work = output / "runs" / f"run-{len(list(output.glob('runs/*')))}"
        work.mkdir(parents=True)
        files = work / "files.json"
        files.write_text(json.dumps(self._files()))
        repository = Repository(str(self.repository), roots=(*roots, *made), tofu=dict(tofu or {}))
        return open_context(
            Run(work.name, mode, repository, str(output), str(work), targets=targets, files_path=str(files), **run)
        )

    def _files(self) -> Mapping[str, str]:
        found = (path for path in self.repository.rglob("*") if not path.is_dir() and ".git" not in path.parts)
        return {path.relative_to(self.repository).as_posix(): "" for path in found}


def _root(directory: str) -> Root:
    return Root(directory, directory, f"{directory}/main.tf", backend=None)


@pytest.fixture
def playground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Playground:
    monkeypatch.delenv("TF_CLI_CONFIG_FILE", raising=False)
    return Playground(tmp_path)


UP = """
resource "terraform_data" "lake" {
  input = "lake"
}

output "lake" {
  value = terraform_data.lake.output
}
"""

DOWN = """
data "terraform_remote_state" "up" {
  backend = "local"
  config = {
    path = "../up/terraform.tfstate"
  }
}

resource "terraform_data" "reader" {
  input = data.terraform_remote_state.up.outputs.lake
}
"""


@pytest.fixture
def chain(playground: Playground) -> Playground:
    """Two roots; `down` reads the state of `up`."""
    playground.write("up/main.tf", UP)
    playground.write("down/main.tf", DOWN)
    return playground


@pytest.fixture
def chain_roots() -> tuple[Root, ...]:
    state = RemoteState("up", "local", {"path": "../up/terraform.tfstate"}, "down/main.tf", 2)
    return (Root("up", "up", "up/main.tf"), Root("down", "down", "down/main.tf", after=("up",), remote_states=(state,)))


@pytest.fixture
def chain_targets() -> tuple[Target, Target]:
    return Target("up", "staging", apply=True), Target("down", "staging", after=("up",), apply=True)


@pytest.fixture
def needy(playground: Playground) -> tuple[Playground, Root]:
    """A root with two required variables."""
    playground.write(
        "needy/main.tf",
        'variable "account" {\n  type        = string\n  description = "the account"\n}\n\n'
        'variable "size" {\n  type = number\n}\n\nresource "terraform_data" "a" {\n  input = var.account\n}\n',
    )
    variables = (
        Variable("account", True, "string", "the account", file="needy/main.tf", line=1),
        Variable("size", True, "number", file="needy/main.tf", line=6),
    )
    return playground, Root("needy", "needy", "needy/main.tf", variables=variables)


@pytest.fixture(scope="session")
def tofu() -> Tool:
    """The real OpenTofu: built with Go where it is not there yet, which takes minutes."""
    return find_tool("tofu", version=None, runner=Runner(), progress=print)


@pytest.fixture
def tofu_environ(tofu: Tool) -> dict[str, str]:
    """For a run with an empty home, which would not find it."""
    return {"TFPIPELINE_TOFU": tofu.path}
