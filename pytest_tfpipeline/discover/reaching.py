"""Which files the expressions of a root and of its modules can read, as far as their strings say. Pure.

A file is read by a path, and a path is put together from strings. So every string that can lead out of its directory
counts, wherever it stands; and where one cannot be followed (`".."` behind something computed, `dirname`, a program
that is run), the directory may read anything.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pytest_tfpipeline.discover.literals import Literal, Text

#: Functions that leave a path what it is, or read it.
_PLAIN = frozenset(
    {"abspath", "basename", "can", "coalesce", "csvdecode", "file", "fileexists", "fileset", "jsondecode"}
    | {"jsonencode", "merge", "md5", "nonsensitive", "pathexpand", "sensitive", "sha1", "sha256", "sha512"}
    | {"templatefile", "textdecodebase64", "toset", "tolist", "tomap", "try", "yamldecode", "yamlencode"}
    | {f"file{name}" for name in ("base64", "base64sha256", "base64sha512", "md5", "sha1", "sha256", "sha512")}
)
#: Functions that take a path apart.
_CUTTING = frozenset(
    {"dirname", "join", "format", "formatlist", "regex", "regexall", "replace", "slice", "split", "substr"}
    | {"trim", "trimprefix", "trimsuffix", "reverse", "element", "chunklist", "concat"}
)
_BASES = ("module", "root", "cwd")


@dataclass(frozen=True, slots=True)
class Source:
    """A file with expressions: its path, the directory whose `path.module` it has, and its strings.

    `text` is None where it could not be read. `called` are the sources of its module calls, which are no files.
    """

    file: str
    dir: str
    text: Text | None
    called: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Reach:
    """What may be read: `paths`, each a file or a directory with all that is below it, with the file that names it; and
    why it may be anything, "" where it is only these."""

    paths: Mapping[str, str] = field(default_factory=dict)
    anything: str = ""


def reach_of(root: str, sources: Iterable[Source]) -> Reach:
    """What a root (or a module that is looked at alone) can read by the expressions in its files, those of its modules,
    and its values."""
    sources = tuple(sources)
    for source in sources:
        if why := _unbounded(source):
            return Reach(anything=why)
    if why := _cut_elsewhere(sources):
        return Reach(anything=why)
    anchors = _anchors(root, sources)
    paths: dict[str, str] = {}
    for source in sources:
        for path in _paths(root, source, anchors):
            paths.setdefault(path, source.file)
    return Reach(paths)


def _unbounded(source: Source) -> str:
    """Why nobody can say what the expressions of a file read."""
    if source.text is None:
        return f"{source.file} could not be followed"
    if {"data", "external"} <= source.text.blocks:
        return f'{source.file} has `data "external"`, which runs a program'
    if "dirname" in source.text.functions:
        return f"{source.file} calls dirname()"
    for one in source.text.bare:
        if not _CUTTING.isdisjoint(one.within):
            return f"{source.file} takes `path.{one.base}` apart"
    for one in source.text.literals:
        if _strays(one):
            return f"{source.file} has a path with `..` that is put together"
    return ""


def _strays(one: Literal) -> bool:
    """Whether it goes up from a place that nobody knows."""
    if any(_goes_up(text) for text in one.rest) or (one.base == "?" and _goes_up(one.head)):
        return True
    if one.base in _BASES and not _CUTTING.isdisjoint(one.within):
        return True
    if one.base == "" and _goes_up(one.head):
        pieces = [piece for piece in one.head.split("/") if piece not in ("", ".")]
        return all(piece == ".." for piece in pieces) or not _PLAIN.issuperset(one.within)
    return False


def _goes_up(text: str) -> bool:
    return ".." in text.split("/")


def _cut_elsewhere(sources: Iterable[Source]) -> str:
    """`path.module` handed on as a value, where anything takes strings apart."""
    texts = [(source, source.text) for source in sources if source.text is not None]
    handed = next((source.file for source, text in texts if any(not one.within for one in text.bare)), "")
    cut = any(not _CUTTING.isdisjoint(text.functions) for _, text in texts)
    return f"{handed} hands `path` on as a value" if handed and cut else ""


def _anchors(root: str, sources: Iterable[Source]) -> frozenset[str]:
    """Where a relative path may begin: in the directories themselves, and where a path that goes on is cut off."""
    found = {root}
    for source in sources:
        found.add(source.dir)
        for one in source.text.literals if source.text else ():
            if one.base in _BASES and not one.whole:
                found |= {path for path in _resolved(root, source, one) if path is not None}
    return frozenset(found)


def _paths(root: str, source: Source, anchors: Iterable[str]) -> Iterator[str]:
    text = source.text or Text()
    for bare in text.bare:
        yield source.dir if bare.base == "module" else root
    for one in text.literals:
        if one.base == "" and one.head in source.called:
            continue
        yield from (path for path in _resolved(root, source, one, anchors) if path is not None)


def _resolved(root: str, source: Source, one: Literal, anchors: Iterable[str] = ()) -> Iterator[str | None]:
    """The paths that it may stand for; None for one that leads out of the repository."""
    head = one.head if one.whole else one.head.rpartition("/")[0] + "/"
    if one.base in _BASES:
        yield _join(source.dir if one.base == "module" else root, head.lstrip("/"))
    elif one.base == "" and _goes_up(head):
        yield from (_join(anchor, head) for anchor in anchors)
    elif one.base == "" and _is_path(head, one):
        yield from (_join(place, head) for place in {source.dir, root})


def _is_path(text: str, one: Literal) -> bool:
    """Whether a text that stays in its directory is one; what is below the directory belongs to it anyway."""
    return "\n" not in text and not text.startswith("/") and ("/" in text or not _PLAIN.isdisjoint(one.within))


def _join(place: str, path: str) -> str | None:
    joined = posixpath.normpath(posixpath.join(place, path or "."))
    return None if joined.startswith(("..", "/")) else joined
