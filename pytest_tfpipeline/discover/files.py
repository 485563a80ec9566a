"""The repository's files: what git tracks or does not ignore, and without git what a pruned walk finds."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_tfpipeline.process import Outcome, Request, Runner

#: Never part of a repository, whether git ignores them or not: what terraform, git and this plugin leave behind.
NEVER = frozenset({".git", ".terraform", ".terragrunt-cache", ".tfpipeline"})

#: Not looked into for Terraform or Python tests: installed dependencies and caches.
PRUNED = NEVER | {
    ".eggs",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".ruff_cache",
    ".tox",
    ".venv",
    "__pycache__",
    "__pypackages__",
    "bower_components",
    "node_modules",
    "site-packages",
    "venv",
}

#: What a file begins with that stands for one which Git LFS keeps elsewhere.
LFS_POINTER = b"version https://git-lfs.github.com/spec/"

_GIT_TIMEOUT = 60.0
#: Set by git in hooks; they would make git look at another repository than the one asked about.
GIT_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


def is_pointer(path: Path) -> bool:
    """Whether the file is not itself there, but a Git LFS pointer to it."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(LFS_POINTER)) == LFS_POINTER
    except OSError:
        return False


def repository_files(top: Path, runner: Runner) -> tuple[str, ...]:
    """Paths of files and symbolic links below `top`, POSIX, relative to it, sorted.

    Files of submodules are in; a deleted file that git still lists is not, nor what lies in `NEVER`. A name that is
    not UTF-8 is left out: it could not be written to any report.
    """
    listed = _git_files(top, runner)
    found = _walked(top) if listed is None else listed
    return tuple(sorted(set(found)))


def prunes(path: str) -> bool:
    """Whether that file lies in a directory that is not looked into (`PRUNED`)."""
    return not PRUNED.isdisjoint(path.split("/")[:-1])


def _git_files(top: Path, runner: Runner) -> list[str] | None:
    """What git lists, or None where git cannot say (no git, no repository, `top` itself ignored)."""
    listed = _git(top, runner, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if not listed.ok:
        return None
    names = [name for name in listed.stdout.split("\0") if name]
    if not names and _git(top, runner, "check-ignore", "-q", ".").ok:
        return None
    return list(_existing(top, names, runner))


def _git(top: Path, runner: Runner, *arguments: str) -> Outcome:
    argv = ("git", "-c", "core.fsmonitor=false", *arguments)
    return runner.run(Request(argv, top, timeout=_GIT_TIMEOUT, unset=GIT_VARIABLES))


def _existing(top: Path, names: Iterable[str], runner: Runner) -> Iterator[str]:
    base = os.fspath(top)
    for name in names:
        if not NEVER.isdisjoint(name.split("/")):
            continue
        try:
            mode = os.lstat(f"{base}/{name}").st_mode
        except (OSError, ValueError):
            continue
        if stat.S_ISREG(mode) or stat.S_ISLNK(mode):
            yield name
        elif stat.S_ISDIR(mode) and not name.endswith("/"):
            yield from (f"{name}/{inner}" for inner in _submodule(top / name, runner))


def _submodule(path: Path, runner: Runner) -> Iterable[str]:
    """An entry of the index that is a directory is a submodule; one that was not checked out has no `.git`."""
    return repository_files(path, runner) if (path / ".git").exists() else ()


def _walked(top: Path) -> Iterator[str]:
    for here, below, files in os.walk(top):
        below[:] = sorted(name for name in below if name not in PRUNED)
        links = [name for name in below if Path(here, name).is_symlink()]
        prefix = os.path.relpath(here, top).replace(os.sep, "/")
        for name in [*files, *links]:
            path = name if prefix == "." else f"{prefix}/{name}"
            if _is_utf8(path) and (_is_file_or_link(f"{here}/{name}")):
                yield path


def _is_utf8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_file_or_link(path: str) -> bool:
    mode = os.lstat(path).st_mode
    return stat.S_ISREG(mode) or stat.S_ISLNK(mode)
