"""Which terraform, or which OpenTofu, a root asks for: version files, `.tool-versions` and `required_version`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from pytest_tfpipeline.discover.constraints import exact_version, satisfies, version_key
from pytest_tfpipeline.model import Root

#: The version manager's file of each program, and its names in `.tool-versions`.
_FILES = {"terraform": ".terraform-version", "tofu": ".opentofu-version"}
_NAMES = {"terraform": ("terraform",), "tofu": ("opentofu", "tofu")}
_Lines = tuple[tuple[int, str], ...]
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

    def only_before(self, version: str) -> bool:
        """Whether it allows nothing from that version on."""
        some = [f"{major}.{minor}.{patch}" for major in range(4) for minor in range(60) for patch in (0, 99)]
        later = [*some, *re.findall(r"\d+\.\d+\.\d+", self.constraint)]
        return not any(self.allows(each) for each in later if version_key(each) >= version_key(version))


def asked_for(top: Path, root: Root, name: str = "terraform", *, version_files: bool = True) -> tuple[Asked, ...]:
    """What the root in the tree at `top` asks for, by the nearest version file and by its `required_version`; `name` is
    the program that runs it, terraform or tofu."""
    by_file = _nearest(top, PurePosixPath(root.dir), name, _lines) if version_files else None
    found = [] if by_file is None else [by_file]
    if root.required_version:
        found.append(_required(top, root))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Versions:
    """What the roots' files ask for of one program: `preferred` is the run's own version (None where no file names an
    exact one), `by_root` what single roots are run with instead, by directory."""

    preferred: str | None
    by_root: dict[str, str]


def preferred_versions(top: Path, roots: Sequence[Root], planned: Collection[str], name: str) -> Versions:
    """Of the exact versions of `name` that files ask for, the one that most of the `planned` roots allow (of all where
    none is planned), and the newest of those; and for each root that does not allow it the newest that it does allow.
    """
    lines = cache(_lines)
    wishes = {
        root.dir: [
            wish
            for wish in (_nearest(top, PurePosixPath(root.dir), name, lines), Asked(root.required_version, root.anchor))
            if wish
        ]
        for root in roots
    }
    exact = {version for wish in wishes.values() for asked in wish if (version := asked.exact)}
    counted = [wish for directory, wish in wishes.items() if not planned or directory in planned]
    named = {version for wish in counted for asked in wish if (version := asked.exact)}
    preferred = max(
        named,
        key=lambda version: (sum(_all_allow(wish, version) for wish in counted), version_key(version)),
        default=None,
    )
    others = {
        directory: [version for version in exact if _all_allow(wish, version)]
        for directory, wish in wishes.items()
        if any(one.exact for one in wish if preferred is None) or (preferred and not _all_allow(wish, preferred))
    }
    return Versions(preferred, {directory: max(found, key=version_key) for directory, found in others.items() if found})


def _all_allow(wishes: Iterable[Asked], version: str) -> bool:
    return all(one.allows(version) for one in wishes)


def _nearest(top: Path, directory: PurePosixPath, program: str, lines_of: Callable[[str], _Lines]) -> Asked | None:
    """The wish of the nearest version file, from the root's directory up to the top.

    A version manager's keyword (`latest`, `min-required`) leaves the choice to it, so it is none.
    """
    for folder in (directory, *directory.parents):
        for name in (_FILES[program], ".tool-versions"):
            lines = lines_of(os.path.join(top, folder, name))  # noqa: PTH118 - for each root, and most are not there
            for line, version in lines if name == _FILES[program] else _tool_versions(lines, _NAMES[program]):
                exact = exact_version(version)
                return Asked(exact, (folder / name).as_posix(), line) if exact else None
    return None


def _tool_versions(lines: Iterable[tuple[int, str]], names: Sequence[str]) -> Iterator[tuple[int, str]]:
    for number, line in lines:
        name, *versions = line.split()
        if name in names and versions:
            yield number, versions[0]


def _required(top: Path, root: Root) -> Asked:
    """The constraint with the place where it stands, for whoever has to change it."""
    folder = top / root.dir
    for path in sorted(
        path for path in folder.glob("*.*") if path.name.endswith((".tf", ".tf.json", ".tofu", ".tofu.json"))
    ):
        for number, line in enumerate(_text(path).splitlines(), 1):
            if _REQUIRED.match(line):
                return Asked(root.required_version, (PurePosixPath(root.dir) / path.name).as_posix(), number)
    return Asked(root.required_version, root.anchor)


def _lines(path: str) -> _Lines:
    """Numbered lines without comments and blank ones; none where there is no such file."""
    numbered = enumerate(_text(path).splitlines(), 1)
    return tuple((number, line) for number, raw in numbered if (line := raw.split("#")[0].strip()))


def _text(path: Path | str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as stream:
            return stream.read()
    except OSError:
        return ""
