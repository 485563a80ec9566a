"""Read the configuration: `[tool.tfpipeline]` in pyproject.toml, or `tfpipeline.toml`, or the file that was named."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pytest_tfpipeline.config.entries import Home
from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.config.problems import found, from_error, raise_problems
from pytest_tfpipeline.config.suggest import closest
from pytest_tfpipeline.config.toml import parse_toml
from pytest_tfpipeline.errors import ConfigurationError

_PYPROJECT = "pyproject.toml"
_OWN = "tfpipeline.toml"
_PREFIX = "tool.tfpipeline."


@dataclass(frozen=True, slots=True)
class _Table:
    """The configuration's table as it stands in a file, and what its keys start with there."""

    file: str
    prefix: str
    values: dict[str, Any]


def load_config(repository: Path, explicit: Path | None = None) -> Config:
    """The repository's configuration; all defaults where it has none.

    `explicit` (from `--tf-config`) is read in the place of the repository's own files. Raises ConfigurationError
    (exit code 4) that names every problem at once: file, key, what was expected, what was found.
    """
    table = _own_table(repository) if explicit is None else _explicit_table(repository, explicit)
    return Config() if table is None else _validated(table)


def parse_config(text: str, home: Home) -> Config:
    """The configuration that a file with this text would be; raises ConfigurationError as `load_config` does."""
    values = tomllib.loads(text.removeprefix("\ufeff"))
    table = _shared_table(values, home.file) if home.prefix else _whole_file(values, home.file)
    return Config() if table is None else _validated(table)


def _validated(table: _Table) -> Config:
    try:
        config = Config.model_validate(table.values)
    except ValidationError as error:
        problems = [from_error(detail) for detail in error.errors(include_url=False)]
        raise_problems(table.file, table.prefix, problems, table.values)
        raise
    return config.from_file(table.file, table.prefix)


def _own_table(repository: Path) -> _Table | None:
    shared, own = repository / _PYPROJECT, repository / _OWN
    table = _shared_table(parse_toml(shared, _PYPROJECT), _PYPROJECT) if shared.is_file() else None
    if not (own.exists() or own.is_symlink()):
        return table
    if table is not None:
        raise ConfigurationError(
            f"there is a [tool.tfpipeline] table in {_PYPROJECT} too",
            where=_OWN,
            mend="keep one of them; both together would hide keys from each other",
        )
    return _whole_file(parse_toml(own, _OWN), _OWN)


def _explicit_table(repository: Path, path: Path) -> _Table:
    name = path.relative_to(repository).as_posix() if path.is_relative_to(repository) else str(path)
    values = parse_toml(path, name)
    if path.name == _PYPROJECT:
        table = _shared_table(values, name)
        if table is None:
            raise ConfigurationError("has no [tool.tfpipeline] table", where=name, mend="add one, or name another file")
        return table
    return _whole_file(values, name)


def _whole_file(values: dict[str, Any], name: str) -> _Table:
    """A file of our own holds the keys at its top; one pasted from pyproject.toml holds the whole table."""
    pasted = _shared_table(values, name) if set(values) == {"tool"} else None
    return pasted or _Table(name, "", values)


def _shared_table(values: dict[str, Any], name: str) -> _Table | None:
    tools = values.get("tool", {})
    if not isinstance(tools, dict):
        return None
    _refuse_misspelt([tool for tool in tools if tool != "tfpipeline"], name)
    if "tfpipeline" not in tools:
        return None
    table = tools["tfpipeline"]
    if not isinstance(table, dict):
        raise ConfigurationError(f"expected a table, found {found(table)}", where=f"{name}: tool.tfpipeline")
    return _Table(name, _PREFIX, table)


def _refuse_misspelt(tools: Iterable[str], name: str) -> None:
    """A table that nobody reads would leave every rule at its default without a word."""
    meant = next((tool for tool in tools if closest(tool.replace("-", ""), ["tfpipeline"], 0.85)), None)
    if meant is not None:
        raise ConfigurationError(
            f"no tool reads [tool.{meant}]; did you mean `[tool.tfpipeline]`?",
            where=f"{name}: tool.{meant}",
            mend="rename the table",
        )
