"""What `uv pip install` is told for each file that a suite's environment is built from: pure, over those files."""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from pytest_tfpipeline.suites import poetry

#: Extras and dependency groups that hold what the tests need.
TEST_GROUPS = ("test", "tests", "testing", "dev")

_PYTHON_REQUIRES = re.compile(r"python_requires\s*=\s*[\"']([^\"']+)[\"']")


def install_arguments(tree: Path, requirements: Sequence[str]) -> tuple[str, ...]:
    """Arguments of `uv pip install` for these files, pytest included; a suite that pins pytest keeps its pin."""
    arguments = ["pytest"]
    for name in requirements:
        arguments += _arguments_of(tree / name)
    return tuple(arguments)


def required_python(tree: Path, requirements: Sequence[str]) -> SpecifierSet:
    """Every version of Python that all of these files allow; what cannot be understood allows any."""
    found = SpecifierSet()
    for name in requirements:
        try:
            found &= SpecifierSet(_python_versions(tree / name))
        except InvalidSpecifier:
            continue
    return found


def with_included(tree: Path, requirements: Sequence[str]) -> Iterator[Path]:
    """The files, and those of the tree that they include with `-r` or `-c`, each once."""
    tree = tree.resolve()
    waiting, seen = [tree / name for name in requirements], set[Path]()
    while waiting:
        path = waiting.pop(0)
        if path in seen or not path.is_file() or not path.is_relative_to(tree):
            continue
        seen.add(path)
        yield path
        waiting += _included(path)


def _arguments_of(path: Path) -> list[str]:
    if path.name == "pyproject.toml":
        return _pyproject_arguments(path)
    if path.name == "Pipfile":
        tables = _toml(path)
        packages = {**tables.get("packages", {}), **tables.get("dev-packages", {})}
        return [text for name, wanted in packages.items() if (text := _from_pipfile(name, wanted))]
    if path.name in ("setup.py", "setup.cfg"):
        return _setuptools_arguments(path)
    return ["-c" if "constraint" in path.name else "-r", str(path)]


def _pyproject_arguments(path: Path) -> list[str]:
    tables = _toml(path)
    groups = [name for name in TEST_GROUPS if name in tables.get("dependency-groups", {})]
    arguments = [text for name in groups for text in ("--group", f"{path}:{name}")]
    if "project" in tables:
        extras = [name for name in TEST_GROUPS if name in tables["project"].get("optional-dependencies", {})]
        arguments += ["-r", str(path), *_extras(extras)]
    if "poetry" in tables.get("tool", {}):
        arguments += poetry.dependencies(tables["tool"]["poetry"], path.parent, TEST_GROUPS)
    return arguments


def _setuptools_arguments(path: Path) -> list[str]:
    """`setup.py`, or a `setup.cfg` that stands alone: a setup.py beside it reads it anyway."""
    text = _text(path)
    if path.name == "setup.cfg":
        parser = _ini(text)
        told = parser.has_section("options") and not path.with_name("setup.py").exists()
        extras = parser.options("options.extras_require") if parser.has_section("options.extras_require") else []
        return ["-r", str(path), *_extras([name for name in TEST_GROUPS if name in extras])] if told else []
    _, _, behind = text.partition("extras_require")
    named = [name for name in TEST_GROUPS if re.search(rf"[\"']{name}[\"']\s*:", behind)]
    return ["-r", str(path), *_extras(named)]


def _extras(names: Sequence[str]) -> list[str]:
    return [text for name in names for text in ("--extra", name)]


def _from_pipfile(name: str, wanted: object) -> str:
    """One Pipfile entry as a requirement; local paths and repositories are left to a command of the suite's own."""
    if isinstance(wanted, str):
        return name if wanted == "*" else f"{name}{wanted}"
    if not isinstance(wanted, dict) or not {"version", "extras", "markers", "index"}.issuperset(wanted):
        return ""
    extras = f"[{','.join(wanted['extras'])}]" if wanted.get("extras") else ""
    version = wanted.get("version", "*").removeprefix("*")
    marker = f" ; {wanted['markers']}" if wanted.get("markers") else ""
    return f"{name}{extras}{version}{marker}"


def _python_versions(path: Path) -> str:
    """What the file says about Python, as PEP 440 specifiers."""
    if path.name == "pyproject.toml":
        tables = _toml(path)
        said = tables.get("project", {}).get("requires-python", "")
        return str(said) or poetry.python_versions(tables.get("tool", {}).get("poetry", {}))
    if path.name == "Pipfile":
        wanted = _toml(path).get("requires", {})
        version = str(wanted.get("python_version") or wanted.get("python_full_version") or "")
        return f"=={'.'.join(version.split('.')[:2])}.*" if version.strip("*") else ""
    if path.name == "setup.cfg":
        return _ini(_text(path)).get("options", "python_requires", fallback="")
    found = _PYTHON_REQUIRES.search(_text(path)) if path.name == "setup.py" else None
    return found[1] if found else ""


def _ini(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        # setuptools says better what is wrong with it.
        return configparser.RawConfigParser()
    return parser


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # uv says better what is wrong with it.
        return {"project": {}} if path.name == "pyproject.toml" else {}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _included(path: Path) -> list[Path]:
    if path.suffix not in (".txt", ".in"):
        return []
    words = [line.split() for line in _text(path).splitlines()]
    starts = ("-r", "--requirement", "-c", "--constraint")
    return [(path.parent / each[1]).resolve() for each in words if len(each) > 1 and each[0] in starts]
