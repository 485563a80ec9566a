"""Which pytest configuration is a suite's own: the repository's must not leak into it."""

from __future__ import annotations

import configparser
import tomllib
from dataclasses import dataclass
from pathlib import Path

#: pytest's order (docs.pytest.org, "Configuration file formats"), with the table that makes a file count.
_INI = (("pytest.ini", None), (".pytest.ini", None), ("tox.ini", "pytest"), ("setup.cfg", "tool:pytest"))
_TOML = (("pytest.toml", ("pytest",)), (".pytest.toml", ("pytest",)), ("pyproject.toml", ("tool", "pytest")))


@dataclass(frozen=True, slots=True)
class SuiteIni:
    """The suite's own configuration file; None where it has none."""

    path: Path | None = None
    #: Whether it says itself which files hold tests.
    names_files: bool = False

    def mentions(self, word: str) -> bool:
        """Whether that word is anywhere in it."""
        try:
            return self.path is not None and word in self.path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return False


def own_ini(directory: Path) -> SuiteIni:
    """The configuration in the suite's directory itself, as pytest would find it there."""
    for name, section in _INI[:2]:
        if (directory / name).is_file():
            return SuiteIni(directory / name, "python_files" in _section(directory / name, section or "pytest"))
    for name, tables in _TOML:
        options = _table(directory / name, tables)
        if options is not None:
            return SuiteIni(directory / name, "python_files" in options or "python_files" in _inner(options))
    for name, section in _INI[2:]:
        keys = _section(directory / name, section or "pytest")
        if keys:
            return SuiteIni(directory / name, "python_files" in keys)
    return SuiteIni()


def _inner(options: dict[str, object]) -> dict[str, object]:
    inner = options.get("ini_options")
    return inner if isinstance(inner, dict) else {}


def _section(path: Path, section: str) -> frozenset[str]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read(path, encoding="utf-8")
    except (configparser.Error, ValueError):
        # pytest says better what is wrong with it.
        return frozenset({"unreadable"})
    return frozenset(parser[section]) if parser.has_section(section) else frozenset()


def _table(path: Path, tables: tuple[str, ...]) -> dict[str, object] | None:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    for name in tables:
        if name not in found:
            return None
        found = found[name]
    return found
