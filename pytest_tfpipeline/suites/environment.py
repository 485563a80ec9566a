"""A suite's own Python environment: built with uv from its requirements, kept by the hash of what it is made from."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from pytest_tfpipeline.model import Suite
from pytest_tfpipeline.process import Outcome, Request, Runner
from pytest_tfpipeline.suites.requirements import digest, install_arguments, python_of

_READY = ".tfpipeline-ready"
_TIMEOUT = 1200.0
_KEPT_SECONDS = 30 * 86400


@dataclass(frozen=True, slots=True)
class Prepared:
    """An environment, or why there is none: `problem` is a text for the user, "" where all is well."""

    path: Path
    problem: str = ""

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
    python = python_of(tree, suite.requirements, suite.python)
    path = cache / digest(tree, suite.requirements, python)
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        if (path / _READY).is_file() and (path / "bin" / "python").exists():
            (path / _READY).touch()
            return Prepared(path)
        shutil.rmtree(path, ignore_errors=True)
        problem = _make(runner, uv, suite, tree, path, python, environ)
        if problem:
            shutil.rmtree(path, ignore_errors=True)
            return Prepared(path, problem)
        (path / _READY).touch()
    _forget_old(cache)
    return Prepared(path)


def _forget_old(cache: Path) -> None:
    """Remove environments that no run has used for a month: each change of requirements leaves one behind."""
    for marker in cache.glob(f"*/{_READY}"):
        if time.time() - marker.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(marker.parent, ignore_errors=True)


def _make(
    runner: Runner, uv: str, suite: Suite, tree: Path, path: Path, python: str, environ: Mapping[str, str]
) -> str:
    cwd = tree / suite.dir
    arguments = install_arguments(tree, suite.requirements)
    steps = (
        (uv, "venv", "--quiet", "--no-project", "--python", python, str(path)),
        (uv, "pip", "install", "--quiet", "--python", str(path / "bin" / "python"), *arguments),
    )
    for argv in steps:
        outcome = runner.run(Request(argv, cwd=cwd, env=environ, only_env=True, timeout=_TIMEOUT, grace=5.0))
        if not outcome.ok:
            return _explain(outcome, suite, argv)
    return ""


def _explain(outcome: Outcome, suite: Suite, argv: tuple[str, ...]) -> str:
    built_from = ", ".join(suite.requirements) or "pytest alone: the suite names no requirements"
    why = f"no answer within {outcome.seconds:.0f} s" if outcome.timed_out else outcome.error
    lines = [line.rstrip() for line in outcome.stderr.splitlines() if line.strip()][-15:]
    said = "\n".join(f"  {line}" for line in (*lines, *([why] if why else [])))
    return (
        f"environment not prepared: uv {argv[1]} failed ({built_from})\n{said}\n"
        "-> correct the requirements, or make them reachable (uv's own settings, UV_INDEX_URL and UV_FIND_LINKS, "
        "count); once it is built, the environment is kept and no connection is needed"
    )
