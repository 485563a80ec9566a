from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.config import Config
from pytest_tfpipeline.discover import discover
from pytest_tfpipeline.model import Directory, Repository, Root
from pytest_tfpipeline.process import Runner

#: Writes files (path to text) below a fresh top and describes them.
Describe = Callable[..., "Described"]


class Described:
    """A repository, with its rows and roots by directory."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.rows: dict[str, Directory] = {row.dir: row for row in repository.directories}
        self.roots: dict[str, Root] = {root.dir: root for root in repository.roots}

    def kind(self, directory: str) -> str:
        return self.rows[directory].kind.value

    def rule(self, directory: str) -> str:
        return self.rows[directory].rule


@pytest.fixture
def describe(tmp_path: Path) -> Describe:
    def run(
        files: Mapping[str, str | bytes] | None = None,
        config: Mapping[str, Any] | None = None,
        cache: Path | None = None,
    ) -> Described:
        write(tmp_path, files or {})
        settings = Config.model_validate_json(_json(config or {}))
        return Described(discover(tmp_path, settings, cache, Runner()))

    return run


def write(top: Path, files: Mapping[str, str | bytes]) -> None:
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value)
