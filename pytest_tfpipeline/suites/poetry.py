"""Poetry's dependency tables as requirements (PEP 508), and lock files as constraints: pure, over parsed files.

uv would ask poetry to build the project for them, and fail where there is nothing to build: a suite is often no
package.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_CLAUSE = re.compile(r"(\^|~=?|[<>!=]=?=?)?\s*([0-9][\w.*+!-]*)")


def dependencies(tables: Mapping[str, Any], directory: Path, extras: tuple[str, ...]) -> list[str]:
    """Arguments of `uv pip install` for `[tool.poetry]`: its dependencies, every group that is not optional, and what
    these extras add. `directory` is where relative paths begin."""
    wanted = {name for extra in extras for name in tables.get("extras", {}).get(extra, ())}
    groups = [group for group in tables.get("group", {}).values() if not group.get("optional")]
    found: list[str] = []
    for table in (tables, {"dependencies": tables.get("dev-dependencies", {})}, *groups):
        for name, entry in table.get("dependencies", {}).items():
            if name.lower() != "python":
                found += _requirements(name, entry, directory, wanted)
    return found


def python_versions(tables: Mapping[str, Any]) -> str:
    """What `[tool.poetry.dependencies]` says about Python, as PEP 440; "" where it says nothing that this could be."""
    entry = tables.get("dependencies", {}).get("python", "")
    return specifiers(entry) if isinstance(entry, str) else ""


def specifiers(text: str) -> str:
    """Poetry's version constraint as PEP 440 specifiers: `^1.2` is `>=1.2,<2`. "" for any version, and for
    alternatives (`||`), which PEP 440 cannot say."""
    if "|" in text:
        return ""
    return ",".join(clause for operator, version in _CLAUSE.findall(text) if (clause := _clause(operator, version)))


def _clause(operator: str, version: str) -> str:
    parts = [int(part) for part in re.findall(r"^\d+|(?<=\.)\d+", version.partition("-")[0])]
    if operator == "^":
        index = next((place for place, part in enumerate(parts) if part), len(parts) - 1)
        return f">={version},<{_next(parts, index)}"
    if operator == "~":
        return f">={version},<{_next(parts, min(1, len(parts) - 1))}"
    return f"{operator or '=='}{version}"


def _next(parts: list[int], index: int) -> str:
    return ".".join(str(part) for part in (*parts[:index], parts[index] + 1))


def _requirements(name: str, entry: object, directory: Path, wanted: set[str]) -> Iterator[str]:
    if isinstance(entry, list):
        for each in entry:
            yield from _requirements(name, each, directory, wanted)
    elif isinstance(entry, str):
        yield f"{name}{specifiers(entry)}"
    elif isinstance(entry, dict) and (not entry.get("optional") or name in wanted):
        yield _detailed(name, entry, directory)


def _detailed(name: str, entry: Mapping[str, Any], directory: Path) -> str:
    extras = f"[{','.join(entry['extras'])}]" if entry.get("extras") else ""
    if "path" in entry:
        return f"{(directory / str(entry['path'])).resolve()}{extras}"
    markers = [f"({entry['markers']})"] if entry.get("markers") else []
    pythons = _CLAUSE.findall(specifiers(str(entry.get("python", ""))))
    markers += [f"python_full_version {operator} '{version}'" for operator, version in pythons]
    marker = f" ; {' and '.join(markers)}" if markers else ""
    if "git" in entry:
        revision = next((f"@{entry[key]}" for key in ("rev", "tag", "branch") if key in entry), "")
        return f"{name}{extras} @ git+{entry['git']}{revision}{marker}"
    if "url" in entry:
        return f"{name}{extras} @ {entry['url']}{marker}"
    return f"{name}{extras}{specifiers(str(entry.get('version', '*')))}{marker}"
