"""The files of a tree, hashed when somebody asks for them."""

from __future__ import annotations

import hashlib
import os
import posixpath
import stat
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

#: Bytes of a whole tree beyond which nobody wants to hash it for one result.
_LARGEST_TREE = 256 * 1024**2
#: What terraform and Python leave beside the files of a tree; `.terraform.lock.hcl` among them.
_BY_PRODUCTS = (".terraform", "__pycache__", ".pytest_cache")


class Unknowable(Exception):
    """What a result depends on cannot be named, so that it is not kept: the text says why."""


class Tree:
    """The files `names` (POSIX, relative) below `top`: the repository's, or those of a private copy of it."""

    def __init__(self, top: Path, names: Iterable[str]) -> None:
        self.top = top
        self.names = frozenset(names)
        self._digests: dict[str, str] = {}
        self._contents: dict[str, bytes] = {}

    def files(self, directory: str) -> tuple[str, ...]:
        """The files directly in that directory."""
        return self._by_directory.get(directory, ())

    def below(self, directory: str) -> tuple[str, ...]:
        """The files in it and below it."""
        start = "" if directory == "." else f"{directory}/"
        return tuple(sorted(name for name in self.names if name.startswith(start)))

    def has(self, directory: str) -> bool:
        """Whether there are files directly in it."""
        return directory in self._by_directory

    def children(self, directory: str) -> tuple[str, ...]:
        """The names of the directories directly in it."""
        return tuple(sorted(self._children.get(directory, ())))

    def content(self, name: str) -> bytes:
        """A file's bytes, b"" where it is gone. Raises Unknowable for a link to a directory or out of the tree."""
        if name not in self._contents:
            self._contents[name] = self._read(name)
        return self._contents[name]

    def digest(self, name: str) -> str:
        """SHA-256 of `content`, "" where the file is gone."""
        if name not in self._digests:
            there = name in self._contents or (self.top / name).exists()
            found = self._contents.get(name)
            data = self._read(name) if found is None and there else found or b""
            self._digests[name] = hashlib.sha256(data).hexdigest() if there else ""
        return self._digests[name]

    def digests(self, names: Iterable[str]) -> dict[str, str]:
        """The digest of each."""
        return {name: self.digest(name) for name in names}

    def place(self, path: str) -> str | None:
        """What a path in the tree leads to: "directory", "file", or None. Raises Unknowable where it leads through a
        link: what is behind it is listed under another name."""
        if self.has(path):
            return "directory"
        parts = path.split("/")
        for end in range(1, len(parts) + 1):
            part = "/".join(parts[:end])
            if part in self.names and (self.top / part).is_symlink() and not (self.top / part).is_file():
                raise Unknowable(f"{part} is a link to a directory")
        return "file" if path in self.names else None

    @cached_property
    def whole(self) -> str:
        """SHA-256 over every file of the tree. Raises Unknowable for one that is too large for that."""
        total = 0
        found = hashlib.sha256()
        for name in sorted(self.names):
            total += self._size(name)
            if total > _LARGEST_TREE:
                raise Unknowable("the repository is too large to be hashed as a whole")
            found.update(f"{name}\0{self._any(name)}\0".encode("utf-8", "surrogateescape"))
        return found.hexdigest()

    def has_strays(self, directory: str, *, below: bool) -> bool:
        """Whether there is a file in the directory (or below it) that is not of the tree, but for what terraform and
        Python leave behind."""
        for here, folders, files in os.walk(self.top / directory):
            place = Path(here).relative_to(self.top)
            folders[:] = [name for name in folders if below and not name.startswith(_BY_PRODUCTS)]
            for name in files:
                if not name.startswith(_BY_PRODUCTS) and (place / name).as_posix() not in self.names:
                    return True
        return False

    @cached_property
    def _by_directory(self) -> dict[str, tuple[str, ...]]:
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name in sorted(self.names):
            found[posixpath.dirname(name) or "."].append(name)
        return {directory: tuple(names) for directory, names in found.items()}

    @cached_property
    def _children(self) -> dict[str, set[str]]:
        found: defaultdict[str, set[str]] = defaultdict(set)
        for directory in self._by_directory:
            while directory != ".":
                directory, name = posixpath.dirname(directory) or ".", posixpath.basename(directory)
                found[directory].add(name)
        return found

    def _any(self, name: str) -> str:
        """Also of a link to a directory: where it leads."""
        path = self.top / name
        if path.is_symlink() and not path.is_file():
            return os.path.relpath(os.path.realpath(path), os.path.realpath(self.top))
        return self.digest(name)

    def _size(self, name: str) -> int:
        try:
            return (self.top / name).stat().st_size
        except OSError:
            return 0

    def _read(self, name: str) -> bytes:
        path = self.top / name
        try:
            if stat.S_ISLNK(path.lstat().st_mode) and not self._leads_to_file(path):
                raise Unknowable(f"{name} is a link that leads to no file of the repository")
            return path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return b""
        except OSError as error:
            raise Unknowable(f"{name} cannot be read: {error.strerror}") from None

    def _leads_to_file(self, path: Path) -> bool:
        real = Path(os.path.realpath(path))
        return real.is_relative_to(os.path.realpath(self.top)) and real.is_file()
