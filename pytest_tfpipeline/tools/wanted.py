"""Which terraform a root asks for: `.terraform-version`, `.tool-versions` and `required_version`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from pytest_tfpipeline.model import Root
from pytest_tfpipeline.tools.constraints import exact_version, satisfies, version_key

_REQUIRED = re.compile(r'^\s*"?required_version"?\s*[=:]')


@dataclass(frozen=True, slots=True)
class Asked:
    """What a file asks for: an exact version, or a constraint (`~> 1.5.0`). `file` is relative to the top."""

    constraint: str
    file: str
    line: int | None = None

    @property
    def exact(self) -> str | None:
        """The one version that it names, if it does."""
        return exact_version(self.constraint)

    def allows(self, version: str) -> bool:
        """Whether that version will do. What cannot be read as a constraint is left for terraform to refuse."""
        try:
            return satisfies(version, self.constraint)
        except ValueError:
            return True


def asked_for(top: Path, root: Root, *, version_files: bool = True) -> tuple[Asked, ...]:
    """What the root in the tree at `top` asks for, by the nearest version file and by its `required_version`."""
    by_file = _nearest(top, PurePosixPath(root.dir)) if version_files else None
    found = [] if by_file is None else [by_file]
    if root.required_version:
        found.append(_required(top, root))
    return tuple(found)


def preferred_terraform(top: Path, roots: Iterable[Root]) -> str | None:
    """The exact version that files of the repository ask for; None where none does.

    A run has one terraform: of several versions the one that most roots allow, and the newest of those.
    """
    nearest = cache(_nearest)
    wishes = [
        [wish for wish in (nearest(top, PurePosixPath(root.dir)), Asked(root.required_version, root.anchor)) if wish]
        for root in roots
    ]
    exact = {asked.exact for wish in wishes for asked in wish} - {None}
    return max(
        (version for version in exact if version),
        key=lambda version: (sum(all(one.allows(version) for one in wish) for wish in wishes), version_key(version)),
        default=None,
    )


def _nearest(top: Path, directory: PurePosixPath) -> Asked | None:
    """The wish of the nearest version file, from the root's directory up to the top.

    A version manager's keyword (`latest`, `min-required`) leaves the choice to it, so it is none.
    """
    for folder in (directory, *directory.parents):
        for name, read in ((".terraform-version", _lines), (".tool-versions", _tool_versions)):
            for line, version in read(top / folder / name):
                exact = exact_version(version)
                return Asked(exact, (folder / name).as_posix(), line) if exact else None
    return None


def _tool_versions(path: Path) -> Iterator[tuple[int, str]]:
    for number, line in _lines(path):
        name, *versions = line.split()
        if name == "terraform" and versions:
            yield number, versions[0]


def _required(top: Path, root: Root) -> Asked:
    """The constraint with the place where it stands, for whoever has to change it."""
    folder = top / root.dir
    for path in sorted(path for path in folder.glob("*.*") if path.name.endswith((".tf", ".tf.json", ".tofu"))):
        for number, line in enumerate(_text(path).splitlines(), 1):
            if _REQUIRED.match(line):
                return Asked(root.required_version, (PurePosixPath(root.dir) / path.name).as_posix(), number)
    return Asked(root.required_version, root.anchor)


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines without comments and blank ones; none where there is no such file."""
    for number, raw in enumerate(_text(path).splitlines(), 1):
        if line := raw.split("#")[0].strip():
            yield number, line


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
