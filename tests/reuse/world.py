"""A small repository of roots, modules and a Python suite, and what its static checks depend on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pytest_tfpipeline.context import Context, open_context
from pytest_tfpipeline.model import Check
from pytest_tfpipeline.pipeline.build import Wish, build_run, describe
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.reuse.inputs import Inputs
from pytest_tfpipeline.reuse.memory import _files
from pytest_tfpipeline.reuse.tree import Tree

_ROOT = """terraform {
  backend "local" {}
}

module "outer" {
  providers = {
  }

  source = "../../modules/outer"
}

resource "terraform_data" "it" {
  input = "hello"
}
"""
_FILES = {
    "tfpipeline.toml": 'environments = ["staging"]\n',
    "README.md": "Nothing of Terraform.\n",
    "infra/a/main.tf": _ROOT,
    "infra/b/main.tf": 'terraform {\n  backend "local" {}\n}\n\nresource "terraform_data" "it" {}\n',
    "modules/outer/main.tf": 'module "inner" {\n  source = "../inner"\n}\n',
    "modules/inner/main.tf": 'resource "terraform_data" "it" {}\n',
    "lambdas/one/requirements.txt": "",
    "lambdas/one/one.py": "X = 1\n",
    "lambdas/one/tests/test_one.py": "def test_one():\n    assert True\n",
    "lambdas/one/nested/requirements.txt": "",
    "lambdas/one/nested/tests/test_two.py": "def test_two():\n    assert True\n",
    "shared/text.json": "{}\n",
    "config/staging.tfvars": "",
}
LOCK = """provider "registry.terraform.io/hashicorp/aws" {
  version = "5.100.0"
  hashes = [
    "h1:Ijt7pOlB7Tr7maGQIqtsLFbl7pSMIj06TVdkoSBcYOw=",
  ]
}
"""
#: Variables of the surrounding process that count, and must not here.
_DROPPED = ("TF_", "TFLINT_", "RUFF_", "AWS_", "TFPIPELINE_CACHE")


class World:
    """The repository at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path / "repository"
        for name, text in _FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> Path:
        """A file of the repository."""
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def append(self, name: str, text: str) -> None:
        """The same, behind what is there."""
        file = self.path / name
        self.write(name, (file.read_text("utf-8") if file.exists() else "") + text)

    def context(self, env: Mapping[str, str] | None = None, wish: Wish | None = None) -> Context:
        """A run's; `env` is what its processes inherit beyond the usual."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_DROPPED)}
        runner, wanted = Runner({**kept, **(env or {})}), wish or Wish()
        run, _ = build_run(self.path, wanted, describe(self.path, wanted, runner), runner)
        return open_context(run, runner=runner)

    def describe(self, check: str, env: Mapping[str, str] | None = None, wish: Wish | None = None) -> str:
        """All that the check depends on. Raises Unknowable."""
        ctx = self.context(env, wish)
        return Inputs(ctx, Tree(self.path, _files(ctx, self.path))).describe(check_of(ctx, check))


def check_of(ctx: Context, name: str) -> Check:
    """The run's check of that id."""
    return next(check for check in ctx.run.checks if check.id == name)
