"""What the repository's Python reads: its suites, its policy tests, and what pytest loads beside them."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path

from pytest_tfpipeline.discover.changes import Place, Python, ancestors
from pytest_tfpipeline.discover.files import prunes
from pytest_tfpipeline.discover.python import Library, Module, library, read_python, ups_of
from pytest_tfpipeline.discover.test_files import test_files
from pytest_tfpipeline.model import Repository, Suite

#: What a test that asks for our fixtures, or a conftest.py that hands them on, has in it.
_OURS = re.compile(r"\btf_(?:plan|configuration|outputs|policy)\b")
_PLUGIN = re.compile(r"-p[ \t=]*([A-Za-z_][\w.]*)")
_INI = re.compile(r"(?:^|/)(?:\.?pytest\.ini|\.?pytest\.toml|tox\.ini|pyproject\.toml|setup\.cfg)$")
_TEXTS = (".py", ".toml", ".txt", ".cfg", ".ini", ".sh", ".in", "Makefile", "Pipfile", ".mk")
_LONGEST = 200_000
#: Commands that run nothing but the suite's own tests.
_RUNNERS = frozenset({"pytest", "python", "python3"})


class PythonPlaces:
    """Read once; files that no place needs are not read at all. `where` are the places, files or directories, in which
    pytest looks for tests; () is everywhere."""

    def __init__(self, top: Path, files: Sequence[str], repository: Repository, where: tuple[str, ...]) -> None:
        self._top, self._repository, self._where = top, repository, where
        self._files = [file for file in files if not prunes(file)]
        self._python = [file for file in self._files if file.endswith(".py")]
        self._suites = {suite.dir for suite in repository.suites}
        self._module = cache(lambda file: read_python(self._text(file)))

    def suites(self) -> tuple[Place, ...]:
        """The suites; each may read whatever its files name, and those that it imports."""
        return tuple(map(self._suite, self._repository.suites))

    def tests(self) -> tuple[Place, ...]:
        """The modules of policy tests, by their file: each with the conftest.py that count for it."""
        return tuple(map(self._test, self._tests))

    def governing(self) -> tuple[Place, ...]:
        """What pytest loads into every run: what these import can change any check."""
        found = [self._imports(file) for file in self._conftests]
        for file in (each for each in self._files if _INI.search(each) and not self._in_suite(each)):
            words = (word for name in _PLUGIN.findall(self._text(file)) for word in name.split("."))
            found.append(Place(file, python=Python(frozenset(words))))
        return tuple(one for one in found if one.python.imports or one.reads)

    def _suite(self, suite: Suite) -> Place:
        inside = [file for file in self._files if file.startswith(f"{suite.dir}/")]
        own = frozenset(inside)
        start = [file for file in inside if file.endswith(".py")]
        modules, imports = self._library.closure(start, own.__contains__)
        reads = dict.fromkeys((*suite.requirements, *modules), f"{suite.dir} needs it")
        for file in inside:
            if file.endswith(_TEXTS) and not file.endswith(".py"):
                reads |= self._led_to(file, suite.dir, ups_of(self._text(file)))
        reads |= {path: f"{file} names it" for file in modules for path in self._ups(file, suite.dir, modules[file])}
        reads = {path: why for path, why in reads.items() if path not in own}
        return Place(suite.dir, reads, python=_joined(modules, imports), anything=_anything(suite, modules))

    def _test(self, file: str) -> Place:
        """Its data lies beside it, or is named."""
        folder = posixpath.dirname(file)
        above = [each for each in self._conftests if _is_above(posixpath.dirname(each), file)]
        modules, imports = self._library.closure([file, *above], {file}.__contains__)
        reads = {file: "it changed", **{each: f"{file} imports it" for each in modules if each != file}}
        reads |= {path: f"{each} names it" for each in modules for path in self._ups(each, folder, modules[each])}
        walks = next((each for each, module in modules.items() if module.walks), "")
        why = f"{walks} looks for files, or starts programs" if walks else ""
        return Place(file, reads, python=_joined(modules, imports), anything=why)

    def _imports(self, file: str) -> Place:
        modules, imports = self._library.closure([file], {file}.__contains__)
        reads = {each: f"{file} imports it" for each in modules if each != file}
        return Place(file, reads, python=Python(imports))

    def _ups(self, file: str, place: str, module: Module) -> dict[str, str]:
        return self._led_to(file, place, module.ups)

    def _led_to(self, file: str, place: str, ups: Iterable[str]) -> dict[str, str]:
        """Where relative paths that go up lead, from the file's directory and from the place that it is run in."""
        bases = {posixpath.dirname(file), place}
        paths = (posixpath.normpath(posixpath.join(base, up)) for up in ups for base in bases)
        return {path: f"{file} names it" for path in paths if not path.startswith("..")}

    @cached_property
    def _library(self) -> Library:
        return library(self._python, self._module)

    @cached_property
    def _tests(self) -> list[str]:
        """Tests of the repository's own that may ask for our fixtures, by themselves or by a conftest.py that does."""
        outside = [file for file in self._python if not self._in_suite(file) and self._is_collected(file)]
        outside = [file for file in outside if file not in set(self._conftests)]
        named = set(test_files(self._top, outside))
        by_conftest = any(_OURS.search(self._text(file)) for file in self._conftests)
        return [file for file in outside if (by_conftest and file in named) or _OURS.search(self._text(file))]

    @cached_property
    def _conftests(self) -> list[str]:
        found = (file for file in self._python if posixpath.basename(file) == "conftest.py")
        return [file for file in found if not self._in_suite(file) and self._is_loaded(file)]

    def _is_collected(self, file: str) -> bool:
        return not self._where or any(f"{file}/".startswith(f"{place}/") or place == "." for place in self._where)

    def _is_loaded(self, conftest: str) -> bool:
        """pytest loads those on the way to anything that it collects."""
        folder = posixpath.dirname(conftest)
        ways = (*self._where, *(one.dir for one in self._repository.directories))
        return self._is_collected(conftest) or any(_is_above(folder, f"{way}/") for way in ways)

    def _in_suite(self, file: str) -> bool:
        return any(above in self._suites for above in ancestors(file))

    def _text(self, file: str) -> str:
        try:
            return (self._top / file).read_text("utf-8", "replace")[:_LONGEST]
        except OSError:
            return ""


def _anything(suite: Suite, modules: dict[str, Module]) -> str:
    """What of a suite may read everything."""
    if suite.command and posixpath.basename(suite.command[0]) not in _RUNNERS:
        return f"{suite.dir} has a `command` of its own"
    walks = next((file for file, module in modules.items() if module.walks), "")
    return f"{walks} looks for files, or starts programs" if walks else ""


def _joined(modules: Mapping[str, Module], imports: frozenset[str]) -> Python:
    said = [module.python for module in modules.values()]
    names = frozenset(name for one in said for name in one.names)
    return Python(imports, names, frozenset(name for one in said for name in one.folders))


def _is_above(folder: str, file: str) -> bool:
    return not folder or file.startswith(f"{folder}/")
