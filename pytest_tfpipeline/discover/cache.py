"""Facts of files, kept by content between runs. What is kept is only ever a saving: anything odd in it is ignored."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pytest_tfpipeline.discover.facts import SCHEMA, FileFacts
from pytest_tfpipeline.discover.hcl import parse_bytes, unreadable


class FactsCache:
    """Reads files through the kept facts; `save` keeps what this run used, and nothing else, in one file.

    The key is the SHA-256 of a file's bytes; the kept file's name carries the version of python-hcl2 and the schema.
    `directory` None keeps nothing.
    """

    def __init__(self, directory: Path | None) -> None:
        self._directory = directory
        self._used: dict[str, dict[str, Any]] = {}
        self._changed = False

    def facts(self, path: Path) -> FileFacts:
        """The facts of that file, as `hcl.parse_file` has them."""
        try:
            data = path.read_bytes()
        except OSError as error:
            return unreadable(error)
        is_json = path.name.endswith(".json")
        key = f"{hashlib.sha256(data).hexdigest()}{'.json' if is_json else ''}"
        facts = self._kept_facts(key)
        if facts is not None:
            self._used[key] = self._kept[key]
            return facts
        facts = parse_bytes(data, is_json=is_json)
        self._used[key] = facts.to_json()
        self._changed = True
        return facts

    def save(self) -> None:
        """Write what was used, atomically. A directory that cannot be written is no error: the next run reads anew."""
        if self._directory is None or not self._changed:
            return
        with suppress(OSError):
            self._directory.mkdir(parents=True, exist_ok=True)
            number, name = tempfile.mkstemp(dir=self._directory, prefix=".hcl-")
            try:
                with os.fdopen(number, "w", encoding="utf-8") as file:
                    json.dump(self._used, file)
                Path(name).replace(self._file)
            except OSError:
                Path(name).unlink()
                raise

    @property
    def _file(self) -> Path:
        directory = self._directory or Path()
        return directory / f"hcl-{SCHEMA}-{version('python-hcl2')}.json"

    def _kept_facts(self, key: str) -> FileFacts | None:
        kept = self._kept.get(key)
        if not isinstance(kept, dict):
            return None
        try:
            return FileFacts.from_json(kept)
        except (TypeError, KeyError, ValueError, AttributeError):
            return None

    @cached_property
    def _kept(self) -> dict[str, Any]:
        if self._directory is None:
            return {}
        try:
            kept = json.loads(self._file.read_bytes())
        except (OSError, ValueError, RecursionError):
            return {}
        return kept if isinstance(kept, dict) else {}
