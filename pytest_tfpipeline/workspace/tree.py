"""Make a private copy of the repository's files."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from pytest_tfpipeline.errors import WorkspaceError
from pytest_tfpipeline.workspace.digest import sha256
from pytest_tfpipeline.workspace.write import explain_disk

#: Never copied, whatever a glob says.
_NEVER = {".git", ".terraform", ".tfpipeline"}


def make_copy(source: Path, target: Path, files: Mapping[str, str], copy_in: Collection[str] = ()) -> None:
    """Copy `files` ({relative path: SHA-256, or "" for any}) and what the globs `copy_in` match to `target`.

    `target` appears whole or not at all. Modes and times are kept, and symlinks that stay inside. Raises WorkspaceError
    where a file is not the one that was named, or a symlink leads outside.
    """
    unfinished = target.with_name(f"{target.name}.part")
    with explain_disk(target):
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        for name, expected in files.items():
            _copy(source, name, unfinished, expected)
        for name in _matching(source, copy_in):
            if name not in files:
                _copy(source, name, unfinished, "")
        unfinished.rename(target)


def _copy(source: Path, name: str, target: Path, expected: str) -> None:
    old, new = source / name, target / name
    try:
        mode = old.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        if expected:
            raise _changed(name) from None
        return
    new.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(mode):
        _link(source, old, new)
    elif stat.S_ISDIR(mode):
        _copy_folder(source, old, target)
    elif stat.S_ISREG(mode):
        shutil.copy2(old, new)
        new.chmod(stat.S_IMODE(mode) | stat.S_IWUSR | stat.S_IRUSR)
        if expected and sha256(new) != expected:
            raise _changed(name)


def _copy_folder(source: Path, folder: Path, target: Path) -> None:
    """A git submodule, which git lists as one name."""
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _NEVER]
        for name in files:
            if name not in _NEVER:
                _copy(source, (Path(here) / name).relative_to(source).as_posix(), target, "")


def _link(source: Path, old: Path, new: Path) -> None:
    top, pointed = Path(os.path.realpath(source)), Path(os.path.realpath(old))
    if not pointed.is_relative_to(top):
        raise WorkspaceError(
            f"is a symlink that leads out of the repository, to {old.readlink()}",
            where=old.relative_to(source).as_posix(),
            mend="replace it by the file, or let git ignore it: a private copy of the tree must not depend on it",
        )
    text = old.readlink()
    if text.is_absolute():
        text = Path(os.path.relpath(pointed, os.path.realpath(old.parent)))
    new.symlink_to(text)


def _matching(source: Path, patterns: Collection[str]) -> Iterator[str]:
    for pattern in patterns:
        for path in sorted(source.glob(pattern)):
            name = path.relative_to(source)
            if not _NEVER.intersection(name.parts) and not path.is_dir():
                yield name.as_posix()


def _changed(name: str) -> WorkspaceError:
    return WorkspaceError(
        "changed while the run was going on",
        where=name,
        mend="run again, and leave the tree alone until it has ended: what is checked must be what is applied",
    )
