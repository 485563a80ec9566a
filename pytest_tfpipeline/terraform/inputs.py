"""The files that a plan could read, as hashes: what was planned on must still be there when it is applied."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath

from pytest_tfpipeline.model import Target
from pytest_tfpipeline.terraform.call import Directory
from pytest_tfpipeline.terraform.init import modules_of
from pytest_tfpipeline.terraform.plan import Plan
from pytest_tfpipeline.terraform.prepare import ensure_prepared
from pytest_tfpipeline.workspace.digest import manifest

#: A longer text in a plan is content, not a path.
_LONGEST_PATH = 1024


def inputs_of(directory: Directory, target: Target, plan: Plan) -> dict[str, str]:
    """{file: SHA-256} of the private copy, relative to it.

    Everything that was there before any terraform ran; what has come since in the root's own directory and in those of
    its modules; and every file that the plan's values name (a zip file that a data source built, say). What other
    roots made for themselves meanwhile does not count.
    """
    common = frozenset(ensure_prepared(directory.ctx, target.environment).files)
    own = {target.root, *modules_of(directory)}
    known = {*own, *(root.dir for root in directory.ctx.run.repository.roots)}
    named = named_files(directory, plan)
    return {
        name: digest
        for name, digest in manifest(directory.copy).items()
        if name in common or name in named or _owner(name, known) in own
    }


def named_files(directory: Directory, plan: Plan) -> frozenset[str]:
    """Files of the private copy that the plan's values name, relative to it."""
    return frozenset(_named(directory, plan))


def _owner(name: str, directories: Collection[str]) -> str | None:
    """The deepest of the directories that the file is in."""
    return next((str(folder) for folder in PurePosixPath(name).parents if str(folder) in directories), None)


def _named(directory: Directory, plan: Plan) -> Iterator[str]:
    top = directory.copy.resolve()
    for text in set(_texts([item.get("change", {}).get("after") for item in plan.raw.get("resource_changes") or ()])):
        if len(text) <= _LONGEST_PATH and "\n" not in text and "\0" not in text:
            path = _existing(directory.cwd / text)
            if path is not None and path.is_relative_to(top):
                yield path.relative_to(top).as_posix()


def _existing(path: Path) -> Path | None:
    try:
        return path.resolve() if path.is_file() else None
    except (OSError, RuntimeError):
        return None


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
