"""What Python source may read outside of its own file, by its imports and strings. Pure.

Nothing is parsed: a name too many costs a run of some tests, and what does not parse says its names all the same.
"""

from __future__ import annotations

import posixpath
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from pytest_tfpipeline.discover.changes import Python

_IMPORT = re.compile(
    r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import[ \t]+(\([^)]*\)|[^#\n]*)|import[ \t]+([^#\n]+))", re.MULTILINE
)
_PLUGINS = re.compile(r"pytest_plugins\s*=\s*([^\n]*(?:\n[ \t\])].*)*)")
_STRING = re.compile(r"\"([^\"\n]{1,200})\"|'([^'\n]{1,200})'")
_WORD = re.compile(r"[A-Za-z_]\w*")
#: Modules that are imported by a name in a string.
_BY_NAME = re.compile(r"\b(?:import_module|__import__|spec_from_file_location|run_path|run_module|exec|importorskip)\(")
#: Files that are looked for, and what leads out of the directory that they are looked for in.
_LOOKS = re.compile(r"\b(?:i?r?glob|iterdir|listdir|scandir|walk|fwalk)\b")
_LEADS_OUT = re.compile(
    r"\bparents\b|\.parent\.parent|\.\.[/\"']|\bpardir\b|\b(?:getcwd|cwd|rootpath|rootdir|invocation_dir)\b"
)
#: Programs read what they like.
_STARTS = re.compile(r"\bsubprocess\b|\bos\.(?:system|popen|exec|spawn|posix_spawn)|\bPopen\b|create_subprocess")
_UP = re.compile(r"(?:\.\./)+[\w./-]*|\.\.(?=[\"'\s:;,)]|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Module:
    """One file of Python; `walks`: nobody knows which files it looks for."""

    python: Python
    walks: bool = False
    ups: tuple[str, ...] = ()


def read_python(text: str) -> Module:
    """What one file says."""
    found = [part for match in _IMPORT.findall(text) for part in match]
    found += _PLUGINS.findall(text)
    strings = [first or second for first, second in _STRING.findall(text)]
    pieces = {piece for each in strings for piece in each.split("/") if piece not in ("", ".", "..")}
    if _BY_NAME.search(text):
        found += pieces
    imports = frozenset(word for part in found for word in _WORD.findall(part)) - sys.stdlib_module_names - {"as"}
    looks = _LOOKS.search(text) is not None
    walks = _STARTS.search(text) is not None or (looks and _LEADS_OUT.search(text) is not None)
    return Module(Python(imports, frozenset(pieces), frozenset(pieces if looks else ())), walks, ups_of(text))


def ups_of(text: str) -> tuple[str, ...]:
    """Relative paths in a text that lead out of its directory."""
    return tuple(dict.fromkeys(_UP.findall(text)))


@dataclass(frozen=True, slots=True)
class Library:
    """The Python files that others may import, by each name that an import could have for them."""

    by_name: Mapping[str, tuple[str, ...]]
    read: Callable[[str], Module]

    def closure(self, start: Iterable[str], own: Callable[[str], bool]) -> tuple[dict[str, Module], frozenset[str]]:
        """The files, and all that they import, each with what it says; and the names of all imports that are not found
        among the start's own files."""
        seen: dict[str, Module] = {}
        waiting, names = list(start), set[str]()
        while waiting:
            file = waiting.pop()
            if file in seen:
                continue
            seen[file] = module = self.read(file)
            new = module.python.imports - names
            names |= new
            waiting += [other for name in new for other in self._of(name, own)]
        return seen, frozenset(name for name in names if not self._own(name, own))

    def _of(self, name: str, own: Callable[[str], bool]) -> Iterable[str]:
        """What a name may be; where it is one of the start's own files, no other."""
        return () if self._own(name, own) else self.by_name.get(name, ())

    def _own(self, name: str, own: Callable[[str], bool]) -> bool:
        return any(own(file) for file in self.by_name.get(name, ()))


def library(files: Iterable[str], read: Callable[[str], Module]) -> Library:
    """The library of these files: a module goes by its name, and by those of the packages around it."""
    found: dict[str, list[str]] = {}
    for file in files:
        stem = posixpath.basename(file).removesuffix(".py")
        folders = file.split("/")[:-1]
        for name in {*folders, *(() if stem == "__init__" else (stem,))}:
            found.setdefault(name, []).append(file)
    return Library({name: tuple(paths) for name, paths in found.items()}, read)
