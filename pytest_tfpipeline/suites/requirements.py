"""What a suite's environment is built from: pure, over the files that discovery named."""

from __future__ import annotations

import hashlib
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

#: Extras and dependency groups of a pyproject.toml that hold what the tests need.
TEST_GROUPS = ("test", "tests", "testing", "dev")


def install_arguments(tree: Path, requirements: Sequence[str]) -> tuple[str, ...]:
    """Arguments of `uv pip install` for these files, pytest included; a suite that pins pytest keeps its pin."""
    arguments = ["pytest"]
    for name in requirements:
        arguments += _arguments_of(tree / name)
    return tuple(arguments)


def python_of(tree: Path, requirements: Sequence[str], asked: str | None) -> str:
    """What uv is asked for as `--python`: the suite's own choice, this interpreter where the suite's
    `requires-python` allows it, else what that says."""
    if asked:
        return asked
    required = next(
        (found for name in requirements if (found := _requires_python(tree / name)) is not None), SpecifierSet()
    )
    return sys.executable if required.contains(_own_version(), prereleases=True) else str(required)


def digest(tree: Path, requirements: Sequence[str], python: str) -> str:
    """The environment's name: changes with the content of any file it is built from, and with the Python."""
    sha = hashlib.sha256(f"1\0{python}\0{_own_version()}\0".encode())
    for path in _all_files(tree, requirements):
        sha.update(path.relative_to(tree.resolve()).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return sha.hexdigest()[:24]


def _own_version() -> str:
    return ".".join(str(part) for part in sys.version_info[:3])


def _arguments_of(path: Path) -> list[str]:
    if path.name == "pyproject.toml":
        return _pyproject_arguments(path)
    if path.name == "Pipfile":
        tables = _toml(path)
        packages = {**tables.get("packages", {}), **tables.get("dev-packages", {})}
        return [text for name, wanted in packages.items() if (text := _from_pipfile(name, wanted))]
    if path.name in ("setup.py", "setup.cfg"):
        return [str(path.parent)]
    return ["-c" if "constraint" in path.name else "-r", str(path)]


def _pyproject_arguments(path: Path) -> list[str]:
    tables = _toml(path)
    groups = [name for name in TEST_GROUPS if name in tables.get("dependency-groups", {})]
    arguments = [text for name in groups for text in ("--group", f"{path}:{name}")]
    if "project" in tables:
        extras = [name for name in TEST_GROUPS if name in tables["project"].get("optional-dependencies", {})]
        arguments += ["-r", str(path), *(text for name in extras for text in ("--extra", name))]
    elif "poetry" in tables.get("tool", {}):
        arguments += ["-r", str(path)]
    return arguments


def _from_pipfile(name: str, wanted: object) -> str:
    """One Pipfile entry as a requirement; local paths and repositories are left to a command of the suite's own."""
    if isinstance(wanted, str):
        return name if wanted == "*" else f"{name}{wanted}"
    if not isinstance(wanted, dict) or not {"version", "extras", "markers"}.issuperset(wanted):
        return ""
    extras = f"[{','.join(wanted['extras'])}]" if wanted.get("extras") else ""
    version = wanted.get("version", "*").removeprefix("*")
    marker = f" ; {wanted['markers']}" if wanted.get("markers") else ""
    return f"{name}{extras}{version}{marker}"


def _requires_python(path: Path) -> SpecifierSet | None:
    if path.name != "pyproject.toml":
        return None
    text = _toml(path).get("project", {}).get("requires-python")
    try:
        return SpecifierSet(text) if text else None
    except InvalidSpecifier:
        return None


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # uv says better what is wrong with it.
        return {"project": {}} if path.name == "pyproject.toml" else {}


def _all_files(tree: Path, requirements: Sequence[str]) -> Iterator[Path]:
    """The files, and those that they include with `-r` or `-c`, each once."""
    tree = tree.resolve()
    waiting, seen = [tree / name for name in requirements], set[Path]()
    while waiting:
        path = waiting.pop(0)
        if path in seen or not path.is_file() or not path.is_relative_to(tree):
            continue
        seen.add(path)
        yield path
        waiting += _included(path)


def _included(path: Path) -> list[Path]:
    if path.suffix not in (".txt", ".in"):
        return []
    words = [line.split() for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
    starts = ("-r", "--requirement", "-c", "--constraint")
    return [(path.parent / each[1]).resolve() for each in words if len(each) > 1 and each[0] in starts]
