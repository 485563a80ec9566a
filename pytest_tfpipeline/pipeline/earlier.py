"""The repository as it was: what a change makes of directories in which no file has changed.

A call that is taken away makes a root of a module, a var file makes an environment, a version file another terraform.
No file says that of itself, so both descriptions are held against each other.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.discover import discover
from pytest_tfpipeline.errors import PipelineError
from pytest_tfpipeline.model import Module, Repository, Root, Suite
from pytest_tfpipeline.pipeline.since import Since, write_earlier
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.tools.wanted import preferred_versions

#: Longer files are no configuration; the earlier tree has only their names.
_LONGEST = 1_000_000
_READ = (".tf", ".tofu", ".json", ".hcl", ".tfvars", ".tfbackend", ".py", ".toml", ".ini", ".cfg", ".txt", ".sh", ".mk")
_READ_NAMES = frozenset({"Makefile", "makefile", "GNUmakefile", "Pipfile", "justfile", ".tool-versions", ".gitmodules"})
_VERSIONS = "-version"


def became(
    top: Path, now: Repository, files: Sequence[str], since: Since, config: Config, runner: Runner, cache: Path | None
) -> dict[str, str] | None:
    """Directories that are something else than they were, and what; None where nobody can say what was there."""
    with tempfile.TemporaryDirectory(prefix="tfpipeline-", ignore_cleanup_errors=True) as folder:
        try:
            before_top = write_earlier(runner, top, since, Path(folder) / "tree")
            before_top.mkdir(parents=True, exist_ok=True)
            _fill(top, before_top, [name for name in files if name not in set(since.paths)])
            before = discover(before_top, config, cache, runner)
        except (PipelineError, OSError, ValueError):
            return None
        return dict(_differences(_described(before_top, before), _described(top, now)))


def _fill(top: Path, target: Path, names: Sequence[str]) -> None:
    """What has not changed: the content of what discovery reads, of everything else the name."""
    for name in names:
        source, copy = top / name, target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            copy.symlink_to(source.readlink())
        elif _is_read(source):
            shutil.copyfile(source, copy)
        else:
            copy.touch()


def _is_read(path: Path) -> bool:
    name = path.name
    wanted = name.endswith((*_READ, _VERSIONS)) or name in _READ_NAMES or name.lower().startswith("taskfile.")
    return wanted and path.stat().st_size <= _LONGEST


def _described(top: Path, repository: Repository) -> dict[str, dict[str, object]]:
    """By directory, everything that discovery says of it and that does not stand in its own files."""
    found: dict[str, dict[str, object]] = {}
    versions = dict(_versions(top, repository))
    own: Sequence[Root | Module | Suite] = (*repository.roots, *repository.modules, *repository.suites)
    for one in own:
        describe: Callable[[Root | Module | Suite], Mapping[str, object]] = _SAID[type(one)]
        told = {**describe(one), "the program that runs it": versions.get(one.dir, versions.get(""))}
        found.setdefault(one.dir, {}).update(told)
    for directory in repository.tofu:
        found.get(directory, {})["OpenTofu"] = True
    return found


def _versions(top: Path, repository: Repository) -> Iterator[tuple[str, object]]:
    """By root, the version that its files and those of all others come to; under "" the one of everything else."""
    for name in ("terraform", "tofu"):
        roots = [root for root in repository.roots if (root.dir in repository.tofu) == (name == "tofu")]
        asked = preferred_versions(top, roots, (), name)
        yield from ((root.dir, (name, asked.by_root.get(root.dir, asked.preferred))) for root in roots)
        if name == "terraform":
            yield "", asked.preferred


def _of_root(root: Root | Module | Suite) -> dict[str, object]:
    names = ("kind", "environments", "after", "apply", "modules", "var_files", "backend_files", "workspaces", "tests")
    return {name.replace("_", " "): getattr(root, name) for name in (*names, "anchor")}


def _of_module(module: Module | Root | Suite) -> dict[str, object]:
    return {name: getattr(module, name) for name in ("kind", "tests", "anchor")}


def _of_suite(suite: Suite | Root | Module) -> dict[str, object]:
    names = ("requirements", "framework", "tests", "anchor")
    return {f"suite's {name}": getattr(suite, name) for name in names}


_SAID: Mapping[type, Callable[[Root | Module | Suite], Mapping[str, object]]] = {
    Root: _of_root,
    Module: _of_module,
    Suite: _of_suite,
}


def _differences(
    before: Mapping[str, Mapping[str, object]], now: Mapping[str, Mapping[str, object]]
) -> Iterator[tuple[str, str]]:
    for directory, told in now.items():
        if directory not in before:
            yield directory, "it is new here"
            continue
        differing = [key for key in {**told, **before[directory]} if told.get(key) != before[directory].get(key)]
        if differing:
            with suppress(IndexError):
                yield directory, f"the change makes its {', '.join(differing[:3])} another one"
