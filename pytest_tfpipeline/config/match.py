"""Which entry of the configuration a root, a suite or a test file belongs to, and what it says of its name."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_tfpipeline.config.keys import Config, RootConfig, SuiteConfig, TestConfig
from pytest_tfpipeline.config.patterns import matches_any
from pytest_tfpipeline.config.placeholders import Place, expand


def root_config(config: Config, directory: str) -> RootConfig | None:
    """The first `[[root]]` entry that matches the directory, or None."""
    return next((entry for entry in config.root if matches_any(entry.match, directory)), None)


def suite_config(config: Config, directory: str) -> SuiteConfig | None:
    """The first `[[suite]]` entry that matches the directory, or None."""
    return next((entry for entry in config.suite if matches_any(entry.match, directory)), None)


def native_test_config(config: Config, file: str) -> TestConfig:
    """The first `[[test]]` entry that matches the file of native tests; all defaults without any."""
    return next((entry for entry in config.test if matches_any(entry.match, file)), TestConfig(match=("**",)))


def configured_name(config: Config, directory: str) -> str | None:
    """The name that the configuration gives the root in that directory; None where it gives none.

    Raises PlaceholderError (a ValueError) where the name has a `{parts[...]}` that the directory does not have.
    """
    entry = root_config(config, directory)
    return None if entry is None or entry.name is None else expand(entry.name, Place(directory))


def declared_after(config: Config, directory: str, name: str) -> tuple[str, ...]:
    """The names or directories that the configuration's `after` gives for that root, placeholders replaced."""
    entry = root_config(config, directory)
    return () if entry is None else tuple(expand(text, Place(directory, name)) for text in entry.after)


def known_environments(config: Config, found: Iterable[str]) -> tuple[str, ...]:
    """Every environment, in order: the configured `environments`, else those found and those that have a table.

    `found` are the ones that discovery saw in the repository.
    """
    return config.environments or tuple(dict.fromkeys((*found, *config.environment)))
