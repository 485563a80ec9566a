"""A suite's own Python environment: built with uv from its requirements, kept by the hash of what it is made from."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from pytest_tfpipeline.model import Suite
from pytest_tfpipeline.process import Outcome, Request, Runner
from pytest_tfpipeline.suites.explain import explain, explain_python
from pytest_tfpipeline.suites.recipe import Recipe, recipe_of, shared_arguments

_READY = ".tfpipeline-ready"
_TIMEOUT = 1200.0
_KEPT_SECONDS = 30 * 86400

#: uv's words for requirements that cannot all be met.
_CONTRADICTION = "No solution found"


@dataclass(frozen=True, slots=True)
class Prepared:
    """An environment, or why there is none: `problem` is a text for the user, "" where all is well."""

    path: Path
    problem: str = ""
    #: What a person should know about one that was made.
    note: str = ""

    @property
    def bin(self) -> Path:
        """Where its programs are."""
        return self.path / "bin"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.bin / "python"


def prepare(runner: Runner, uv: str, suite: Suite, tree: Path, cache: Path, environ: Mapping[str, str]) -> Prepared:
    """The suite's environment under `cache`; made by whoever comes first, under a lock.

    One that is there is used as it is: no process, no network. One that was left half made is made anew.
    """
    recipe = recipe_of(tree, suite)
    path = cache / recipe.digest
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        ready = path / _READY
        if ready.is_file() and (path / "bin" / "python").exists():
            os.utime(ready)
            return Prepared(path, note=ready.read_text(encoding="utf-8"))
        shutil.rmtree(path, ignore_errors=True)
        made = _make(Making(runner, uv, suite, tree, recipe, environ), path)
        if made.problem:
            shutil.rmtree(path, ignore_errors=True)
            return made
        ready.write_text(made.note, encoding="utf-8")
    _forget_old(cache)
    return made


def _forget_old(cache: Path) -> None:
    """Remove environments that no run has used for a month: each change of requirements leaves one behind."""
    for marker in cache.glob(f"*/{_READY}"):
        if time.time() - marker.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(marker.parent, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Making:
    """One environment in the making."""

    runner: Runner
    uv: str
    suite: Suite
    tree: Path
    recipe: Recipe
    environ: Mapping[str, str]

    def uv_does(self, *words: str) -> Outcome:
        """uv, in the suite's directory."""
        cwd = self.tree / self.suite.dir
        argv = (self.uv, *words)
        return self.runner.run(Request(argv, cwd=cwd, env=self.environ, only_env=True, timeout=_TIMEOUT, grace=5.0))


def _make(making: Making, path: Path) -> Prepared:
    """First with what a directory above says of tests; without that where the two cannot go together."""
    recipe = making.recipe
    outcome = making.uv_does("venv", "--quiet", "--no-project", "--python", recipe.python, str(path))
    if not outcome.ok:
        return Prepared(path, explain_python(outcome, making.recipe.files, recipe.python))
    limits = path / "constraints.txt"
    limits.write_text(recipe.constraints, encoding="utf-8")
    fixed = ("--quiet", "--python", str(path / "bin" / "python"), "-c", str(limits), *recipe.arguments)
    shared = shared_arguments(making.tree, recipe)
    outcome = making.uv_does("pip", "install", *fixed, *shared)
    if outcome.ok or not shared or _CONTRADICTION not in outcome.stderr:
        return Prepared(path, "" if outcome.ok else explain(outcome, making.recipe.files, "pip"))
    without = making.uv_does("pip", "install", *fixed)
    note = f"its environment is without {', '.join(recipe.shared)}, which contradicts the suite's own requirements"
    return Prepared(path, note=note) if without.ok else Prepared(path, explain(without, making.recipe.files, "pip"))
