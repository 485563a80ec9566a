"""Lock files as constraints: what the suite's authors run is what is installed. Pure, over the files."""

from __future__ import annotations

import json
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

#: poetry's, uv's, pdm's and pipenv's.
NAMES = ("poetry.lock", "uv.lock", "pdm.lock", "Pipfile.lock")

_PLACES = frozenset({"editable", "virtual", "directory", "git", "url", "path"})


def constraints(files: Sequence[Path]) -> str:
    """The text of a constraints file. A package that is locked in several versions is left free, and a lock file that
    cannot be read constrains nothing."""
    versions: defaultdict[str, set[str]] = defaultdict(set)
    for path in files:
        for name, version in _locked(path):
            versions[name].add(version)
    return "".join(f"{name}=={min(found)}\n" for name, found in sorted(versions.items()) if len(found) == 1)


def _locked(path: Path) -> Iterator[tuple[str, str]]:
    try:
        text = path.read_text(encoding="utf-8")
        yield from _pipenv(json.loads(text)) if path.name == "Pipfile.lock" else _packages(tomllib.loads(text))
    except (OSError, ValueError, AttributeError, TypeError):
        return


def _packages(tables: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The tables of poetry, uv and pdm."""
    for package in tables.get("package", ()):
        if "version" in package and not _is_local({**package, **package.get("source", {})}):
            yield package["name"], package["version"]


def _is_local(source: dict[str, Any]) -> bool:
    """What comes from a directory or a repository has no version to be had. poetry names the kind, others the place."""
    if "type" in source:
        return bool(source["type"] != "legacy")
    return not _PLACES.isdisjoint(source)


def _pipenv(tables: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for section in ("default", "develop"):
        for name, package in tables.get(section, {}).items():
            if str(package.get("version", "")).startswith("=="):
                yield name, package["version"].removeprefix("==")
