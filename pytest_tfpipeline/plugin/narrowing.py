"""Options that narrow, reorder or cut short a run: with one of them nobody can say that everything was judged."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from itertools import pairwise

import pytest

#: (long or short form, its value in `config.option`, what counts as not given)
_NARROWING = (
    ("-k", "keyword", ""),
    ("-m", "markexpr", ""),
    ("--lf", "lf", False),
    ("--ff", "failedfirst", False),
    ("--nf", "newfirst", False),
    ("--sw", "stepwise", False),
    ("--stepwise-skip", "stepwise_skip", False),
    ("--deselect", "deselect", None),
    ("--ignore", "ignore", None),
    ("--ignore-glob", "ignore_glob", None),
    ("-x/--maxfail", "maxfail", 0),
    ("--collect-only", "collectonly", False),
    ("--setup-only", "setuponly", False),
    ("--setup-plan", "setupplan", False),
    ("--runxfail", "runxfail", False),
    ("--pyargs", "pyargs", False),
    ("--looponfail", "looponfail", False),
    ("--continue-on-collection-errors", "continue_on_collection_errors", False),
)

#: Plugins that may be switched off without taking anything from the run.
_HARMLESS = ("no:cacheprovider", "no:xdist", "no:randomly")


def narrowing(config: pytest.Config) -> tuple[str, ...]:
    """What was typed (or came from PYTEST_ADDOPTS) that takes something away from the run, as typed.

    What the repository's own ini file says under `addopts` belongs to its committed configuration and does not count.
    """
    typed = _typed(config)
    committed = _addopts(config)
    found = [
        flag
        for flag, dest, nothing in _NARROWING
        if getattr(config.option, dest, nothing) not in (nothing, None, [])
        and not (_names(flag, committed) and not _names(flag, typed))
    ]
    if config.args_source is pytest.Config.ArgsSource.ARGS:
        found.append(f"a path argument ({' '.join(config.option.file_or_dir)})")
    found += [f"-p {name}" for name in _disabled_plugins(typed)]
    found += [f"-o {ini}" for ini in _values(typed, "-o", "--override-ini")]
    return tuple(found)


def typed_with(config: pytest.Config, flag: str) -> bool:
    """Whether a loosening option was really typed on the command line, not in ini, PYTEST_ADDOPTS or an @file."""
    return _names(flag, list(config.invocation_params.args))


def _typed(config: pytest.Config) -> list[str]:
    extra = shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
    return [*map(str, config.invocation_params.args), *extra]


def _addopts(config: pytest.Config) -> list[str]:
    return [str(word) for word in config.getini("addopts")]


def _names(flag: str, words: Sequence[str]) -> bool:
    """Whether one of the words is the flag: `-k`, `-kexpr`, `--deselect`, `--deselect=x`."""
    forms = flag.split("/")
    return any(
        word == form or word.startswith(f"{form}=") or (len(form) == 2 and word.startswith(form))
        for form in forms
        for word in words
    )


def _disabled_plugins(words: Sequence[str]) -> list[str]:
    named = [value.strip() for value in _values(words, "-p")]
    return [name for name in named if name.startswith("no:") and name not in _HARMLESS]


def _values(words: Sequence[str], *flags: str) -> list[str]:
    """What was given to these flags, joined to them or as the word after."""
    joined = [word[len(flag) :].lstrip("=") for flag in flags for word in words if word.startswith(flag)]
    apart = [after for word, after in pairwise(words) if word in flags]
    return [*filter(None, joined), *apart]
