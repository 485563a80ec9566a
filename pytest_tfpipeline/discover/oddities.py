"""Things in a repository that are wrong or surprising, a line each; everything else goes on. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from pytest_tfpipeline.config import Config, root_config
from pytest_tfpipeline.config.patterns import matches
from pytest_tfpipeline.config.suggest import did_you_mean
from pytest_tfpipeline.discover.described import Found
from pytest_tfpipeline.discover.directories import join, parent
from pytest_tfpipeline.discover.environments import Environments
from pytest_tfpipeline.discover.files import prunes
from pytest_tfpipeline.discover.roots import is_terragrunt, resolve, with_parents
from pytest_tfpipeline.discover.sharing import same_states
from pytest_tfpipeline.model import Kind, Root

_SUBMODULE = re.compile(r"^\s*path\s*=\s*(.+?)\s*$", re.MULTILINE)
#: A file of values that terraform reads unasked.
_AUTO = re.compile(r"(?:^|/)([^/]+)\.auto\.tfvars((?:\.json)?)$")
_SHOWN = 3


def oddities(
    found: Found, roots: Sequence[Root], files: Sequence[str], gitmodules: str, config: Config
) -> Iterator[str]:
    """Each a whole sentence. `gitmodules` is the text of `.gitmodules`, "" where there is none."""
    yield from _called_roots(found, roots)
    yield from _same_states(roots, config)
    yield from _read_everywhere(roots, files)
    yield from _computed_backends(found)
    yield from _absent_submodules(found, files, gitmodules)
    yield from _pointers(found)
    yield from _terragrunt(found, files)


def undeclared(environments: Environments, known: Collection[str], lent: Collection[str]) -> Iterator[str]:
    """Environments that have files or directories, and that the configuration's list does not have."""
    left = [name for name in environments.known if name not in known and name not in lent]
    if left:
        yield (
            f"Nobody declared {', '.join(left)}, for which there are var files or directories: "
            f"`environments` of the configuration does not have them, so that nothing is planned there."
        )


def idle_excludes(patterns: Sequence[str], files: Sequence[str]) -> Iterator[str]:
    """Patterns of `exclude` that leave nothing out."""
    own = {parent(file) for file in files} if patterns else set()
    directories = {each for directory in own for each in with_parents(directory)}
    for pattern in patterns:
        if not any(matches(pattern, directory) for directory in directories):
            yield f"`exclude`: `{pattern}` matches no directory{did_you_mean(pattern, sorted(directories))}"


def _called_roots(found: Found, roots: Sequence[Root]) -> Iterator[str]:
    """Terraform ignores the backend of a root that is called as a module, and deploys its resources a second time.
    Terragrunt, whose directories have no Terraform, runs it as it is."""
    for root in roots:
        by = [caller for caller in found.callers.get(root.dir, ()) if caller in found.directories]
        if by and root.backend is not None and root.kind is Kind.ROOT:
            yield (
                f"{root.dir} has a backend and is called as a module too, by {_some(by)}: it was taken for a root. "
                f"What it makes is in both states then; `exclude` it if it is only a module."
            )


def _same_states(roots: Sequence[Root], config: Config) -> Iterator[str]:
    for told, dirs in same_states(roots, config):
        own = "give each its own, or the `workspace` that tells them apart"
        configured = any(root_config(config, dir_) for dir_ in dirs)
        by = "by their backend blocks" + (" and the configuration" if configured else "")
        yield f"{_some(dirs)} have the same state {by} ({told}): {own}."


def _read_everywhere(roots: Sequence[Root], files: Sequence[str]) -> Iterator[str]:
    """Files that are called after one environment, and that terraform reads by itself in all of them."""
    by_dir = {root.dir: root for root in roots if len(root.environments) > 1}
    for path in files:
        root, found = by_dir.get(parent(path)), _AUTO.search(path)
        if root is not None and found is not None and found[1] in root.environments:
            yield (
                f"{path}: terraform reads it in every environment of {root.dir}, not in {found[1]} alone, because of "
                f"its name: call it {found[1]}.tfvars{found[2]}."
            )


def _computed_backends(found: Found) -> Iterator[str]:
    for directory in found.directories.values():
        backend = directory.backend
        if backend is not None and backend.computed and directory.dir not in found.tofu:
            file = next(name for name, facts in directory.files.items() if facts.backend is backend)
            names = ", ".join(backend.computed)
            yield (
                f"{join(directory.dir, file)}:{backend.line}: the backend block computes {names}. Terraform takes no "
                f'variables there (OpenTofu 1.8 does): say it with `backend = ["{backend.computed[0]}=..."]`.'
            )


def _absent_submodules(found: Found, files: Sequence[str], gitmodules: str) -> Iterator[str]:
    absent = [path for path in _SUBMODULE.findall(gitmodules) if not any(_inside(name, path) for name in files)]
    if not absent:
        return
    callers = sorted(
        directory.dir
        for directory in found.directories.values()
        if any(_inside(resolve(directory.dir, source), path) for source in directory.sources for path in absent)
    )
    what = f"The submodule {absent[0]} is" if len(absent) == 1 else f"The submodules {', '.join(absent)} are"
    called = f"; {_some(callers)} {'calls' if len(callers) == 1 else 'call'} modules in there" if callers else ""
    only = f" {absent[0]}" if len(absent) == 1 else ""
    yield f"{what} not checked out{called}: run `git submodule update --init{only}`."


def _pointers(found: Found) -> Iterator[str]:
    """Whole directories of pointers, of which nothing else can be said; and single files."""
    pointers = [
        dir_
        for dir_, directory in found.directories.items()
        if directory.files and all(_is_pointer(facts.problem) for facts in directory.files.values())
    ]
    if pointers:
        yield (
            f"{_some(pointers)}: every Terraform file there is a Git LFS pointer, so that nothing can be said of it: "
            f"run `git lfs pull`."
        )
    single = [
        join(dir_, name)
        for dir_, directory in found.directories.items()
        for name, facts in directory.files.items()
        if dir_ not in pointers and found.verdicts[dir_].kind is not Kind.FRAGMENT and _is_pointer(facts.problem)
    ]
    if single:
        what = "is a Git LFS pointer" if len(single) == 1 else "are Git LFS pointers"
        yield f"{_some(single)} {what}, so that what is in there is not known: run `git lfs pull`."


def _terragrunt(found: Found, files: Sequence[str]) -> Iterator[str]:
    """Directories that another program runs, with what it generates."""
    units = sorted({parent(path) for path in files if is_terragrunt(path) and not prunes(path)})
    if not units:
        return
    called = [dir_ for dir_ in found.directories if not set(units).isdisjoint(found.callers.get(dir_, ()))]
    then = "what they call is not in this repository"
    if not set(units).isdisjoint(found.directories):
        then = "what it would generate for them is missing"
    if called:
        then = (
            f"what they call is checked as modules ({_some(called)}); `include` those that are to be validated and "
            f"planned as roots"
        )
    has = "directory has" if len(units) == 1 else "directories have"
    yield f"{len(units)} {has} a terragrunt.hcl ({_some(units)}), and Terragrunt is not run here: {then}."


def _is_pointer(problem: object) -> bool:
    return getattr(problem, "rule", "") == "git-lfs-pointer"


def _inside(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")


def _some(names: Sequence[str]) -> str:
    names = ["the top directory" if name == "." else name for name in names]
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
