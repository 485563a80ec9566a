"""The names of a suite's tests as its source has them: read, never imported, and only where `-k` may mean one of them.

What is read may differ from what is collected (a class that is a mixin, tests that a decorator makes); a run of the
suite confirms it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pytest_tfpipeline.model import Suite
from pytest_tfpipeline.suites.pytest_ini import own_ini

_WORD = re.compile(r"[^\s()]+")
_DEFINED = re.compile(r"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)", re.MULTILINE)
_OPERATORS = frozenset({"and", "or", "not"})


def words_of(expression: str) -> tuple[str, ...]:
    """What a `-k` expression looks for."""
    return tuple(word for word in _WORD.findall(expression) if word not in _OPERATORS)


def meant_tests(top: Path, suite: Suite, words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The ids, in parts, of the suite's tests that one of these words is about: `("tests/test_it.py", "TestIt",
    "test_a")`, the file relative to the suite. A word with parameters, `test_a[1]`, gives that one.

    Only files with such a word in them are parsed, and nothing else is looked at.
    """
    any_name = _names_its_own(top / suite.dir)
    for path in suite.tests:
        file = path.removeprefix(f"{suite.dir}/")
        text = _text(top / path)
        if _may_be_meant(file, text, words):
            for names in names_in(text, any_name=any_name):
                yield from ((file, *chosen) for chosen in _chosen(file, names, words))


def _may_be_meant(file: str, text: str, words: Sequence[str]) -> bool:
    """Whether it is worth parsing: one of the words is in the file's name, or in that of something that it defines."""
    wanted = [word.partition("[")[0].lower() for word in words]
    lowered = text.lower()
    if any(word in file.lower() for word in wanted):
        return True
    if not any(word in lowered for word in wanted):
        return False
    return any(word in name for name in _DEFINED.findall(lowered) for word in wanted)


def names_in(text: str, *, any_name: bool = False) -> Iterator[tuple[str, ...]]:
    """Classes and function of each test in a module's source, in order; nothing for one that this Python cannot parse.

    With `any_name`, also of functions and classes that pytest takes for tests only where it is configured to.
    """
    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError):
        return
    classes = {node.name: node for node in body if isinstance(node, ast.ClassDef)}
    for node in body:
        if isinstance(node, ast.ClassDef) and (any_name or _is_test_class(node, classes)):
            yield from ((node.name, *names) for names in _in_class(node, classes, any_name=any_name))
        elif name := _test(node, any_name=any_name):
            yield (name,)


def _chosen(file: str, names: tuple[str, ...], words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The names, or with the parameters that a word gives them; nothing where no word is about them."""
    last = names[-1].lower()
    exact = [word for word in dict.fromkeys(words) if word.lower().startswith(f"{last}[")]
    places = [place.lower() for place in (file, *names)]
    if exact:
        yield from ((*names[:-1], names[-1] + word[len(last) :]) for word in exact)
    elif any(word.lower() in place for word in words for place in places):
        yield names


def _in_class(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef], *, any_name: bool) -> Iterator[tuple[str, ...]]:
    """Its own tests and those of classes of the same file that it is made from, each once."""
    found: dict[tuple[str, ...], None] = {}
    for each in _lineage(node, classes):
        for inner in each.body:
            if name := _test(inner, any_name=any_name):
                found[name,] = None
            elif isinstance(inner, ast.ClassDef) and _is_test_class(inner, {}):
                found |= {(inner.name, *names): None for names in _in_class(inner, {}, any_name=any_name)}
    yield from found


def _lineage(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> list[ast.ClassDef]:
    found, waiting = [node], list(node.bases)
    while waiting:
        base = waiting.pop(0)
        above = classes.get(base.id) if isinstance(base, ast.Name) else None
        if above is not None and above not in found:
            found.append(above)
            waiting += above.bases
    return found


def _is_test_class(node: ast.ClassDef, classes: Mapping[str, ast.ClassDef]) -> bool:
    """Named like one, or made from something that this file does not say everything about, as unittest's are."""
    return node.name.startswith("Test") or any(
        not (isinstance(base, ast.Name) and base.id in classes) for one in _lineage(node, classes) for base in one.bases
    )


def _test(node: ast.stmt, *, any_name: bool) -> str:
    """The name of a test function; "" for anything else."""
    named = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else ""
    return named if any_name or named.startswith("test") else ""


def _names_its_own(directory: Path) -> bool:
    ini = own_ini(directory)
    return ini.mentions("python_functions") or ini.mentions("python_classes")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
