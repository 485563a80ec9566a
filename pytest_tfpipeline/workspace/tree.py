"""Make a private copy of the repository's files."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping
from itertools import takewhile
from pathlib import Path, PurePosixPath

from pytest_tfpipeline.errors import WorkspaceError
from pytest_tfpipeline.workspace.digest import sha256
from pytest_tfpipeline.workspace.write import explain_disk

#: Never copied, whatever a glob says.
_NEVER = {".git", ".terraform", ".tfpipeline"}
#: Where a link that leads out of the repository leads in the copy: to nothing, with a name that says why.
_OUTSIDE = "/outside-of-the-repository"


def make_copy(source: Path, target: Path, files: Mapping[str, str], copy_in: Collection[str] = ()) -> None:
    """Copy `files` ({relative path: SHA-256, or "" for any}) and what the globs `copy_in` match to `target`.

    `target` appears whole or not at all. Modes and times are kept, and symlinks that stay inside; one that leads
    outside leads nowhere in the copy, so that whatever reads it fails. Raises WorkspaceError where a file is not the
    one that was named.
    """
    unfinished = target.with_name(f"{target.name}.part")
    with explain_disk(target):
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        try:
            for name, expected in files.items():
                _copy(source, name, unfinished, expected)
            for name in (name for pattern in copy_in for name in matching(source, pattern)):
                if name not in files:
                    _copy(source, name, unfinished, "")
            unfinished.rename(target)
        except BaseException:  # a full disk must have room for the evidence
            shutil.rmtree(unfinished, ignore_errors=True)
            raise


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
    text = old.readlink()
    if leads_out(source, old):
        text = Path(f"{_OUTSIDE}/{text.name}")
    elif text.is_absolute():
        text = Path(os.path.relpath(os.path.realpath(old), os.path.realpath(old.parent)))
    new.symlink_to(text)


def leads_out(top: Path, link: Path) -> bool:
    """Whether the symlink ends outside of the repository: the private copy must not depend on what is there."""
    return not Path(os.path.realpath(link)).is_relative_to(os.path.realpath(top))


def matching(source: Path, pattern: str) -> Iterator[str]:
    """Files (and symlinks) below `source` that the pattern means, relative to it; `build/**` is all below `build`."""
    from pytest_tfpipeline.config.patterns import matches

    for here, folders, files in os.walk(source / _fixed(pattern)):
        folder = Path(here).relative_to(source)
        folders[:] = sorted(set(folders) - _NEVER)
        for name in sorted(files):
            path = (folder / name).as_posix()
            if name not in _NEVER and matches(pattern, path):
                yield path


def _fixed(pattern: str) -> PurePosixPath:
    """The directory that everything the pattern can match is in."""
    parts = PurePosixPath(pattern).parts[:-1]
    return PurePosixPath(*takewhile(lambda part: not set("*?[") & set(part), parts))


def _changed(name: str) -> WorkspaceError:
    return WorkspaceError(
        "changed while the run was going on",
        where=name,
        mend="run again, and leave the tree alone until it has ended: what is checked must be what is applied",
    )
