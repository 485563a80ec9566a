"""Options that narrow, reorder or cut short a run: with one of them nobody can say that everything was judged."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from pytest_tfpipeline.plugin.place import top_of

#: (long or short form, its value in `config.option`, what counts as not given)
_NARROWING = (
    ("-k", "keyword", ""),
    ("-m", "markexpr", ""),
    ("--lf", "lf", False),
    ("--ff", "failedfirst", False),
    ("--nf", "newfirst", False),
    ("--sw", "stepwise", False),
    ("--stepwise-skip", "stepwise_skip", False),
    ("--tf-changed", "tf_changed", None),
    ("--deselect", "deselect", None),
    ("--ignore", "ignore", None),
    ("--ignore-glob", "ignore_glob", None),
    ("-x/--maxfail", "maxfail", 0),
    ("--collect-only", "collectonly", False),
    ("--setup-only", "setuponly", False),
    ("--setup-plan", "setupplan", False),
    ("--runxfail", "runxfail", False),
    ("--trace", "trace", False),
    ("--pyargs", "pyargs", False),
    ("--looponfail", "looponfail", False),
    ("--noconftest", "noconftest", False),
    ("--confcutdir", "confcutdir", None),
    ("-c", "inifilename", None),
    ("--disable-plugin-autoload", "disable_plugin_autoload", False),
    ("--continue-on-collection-errors", "continue_on_collection_errors", False),
)

#: These count wherever they stand: what they leave out depends on the cache of an earlier run, on another commit, or on
#: what is answered to a debugger, which takes the end of its input for a test that passed.
_ANYWHERE = ("--lf", "--sw", "--stepwise-skip", "--tf-changed", "--trace")

#: What the plugin sets by itself: it counts only where it was typed.
_ALSO_OURS = ("--continue-on-collection-errors",)

#: Plugins that may be switched off without taking anything from the run.
_HARMLESS = ("no:cacheprovider", "no:xdist", "no:randomly")


def narrowing(config: pytest.Config) -> tuple[str, ...]:
    """What was typed (or came from PYTEST_ADDOPTS) that takes something away from the run, as typed.

    What the repository's own ini file says under `addopts` belongs to its committed configuration and does not count,
    unless what it means depends on an earlier run or on what is answered.
    """
    typed = _typed(config)
    committed = _addopts(config)
    found = [
        flag
        for flag, dest, nothing in _NARROWING
        if getattr(config.option, dest, nothing) not in (nothing, None, [])
        and (flag in _ANYWHERE or _names(flag, typed) or not (flag in _ALSO_OURS or _names(flag, committed)))
    ]
    if config.args_source is pytest.Config.ArgsSource.ARGS:
        found.append(f"a path argument ({' '.join(config.option.file_or_dir)})")
    start, top = config.invocation_params.dir, top_of(config.rootpath)
    if not start.samefile(top):  # pytest collects where it is started: tests elsewhere would not even be missed
        found.append(f"{start} to start in (and not {top})")
    found += _from_environment()
    found += [f"-p {name}" for name in _disabled_plugins(typed)]
    found += [f"-o {ini}" for ini in _values(typed, "-o", "--override-ini")]
    return tuple(found)


def is_committed(config: pytest.Config, flag: str) -> bool:
    """Whether the ini file's `addopts` has the flag, and nobody typed it."""
    return _names(flag, _addopts(config)) and not _names(flag, _typed(config))


def selects(config: pytest.Config) -> bool:
    """Whether somebody chose the tests of this run, by `-k`, `-m` or a path."""
    option = config.option
    return bool(option.keyword or option.markexpr) or config.args_source is pytest.Config.ArgsSource.ARGS


def leaves_out(config: pytest.Config) -> bool:
    """Whether it may well be that only some of the checks are selected."""
    return selects(config) or any(
        getattr(config.option, dest, None) for dest in ("lf", "stepwise", "deselect", "ignore", "ignore_glob")
    )


def typed_values(config: pytest.Config, flag: str) -> tuple[str, ...]:
    """The values of an option that were really typed: not in the ini file, PYTEST_ADDOPTS or an @file."""
    return tuple(_values([str(word) for word in config.invocation_params.args], flag))


def _from_environment() -> list[str]:
    """What Python's and pytest's own variables take away: asserts, and the plugins that are not named."""
    found = ["python -O or PYTHONOPTIMIZE, which takes away asserts,"] if sys.flags.optimize else []
    return found + [name for name in ("PYTEST_DISABLE_PLUGIN_AUTOLOAD",) if os.environ.get(name)]


def _typed(config: pytest.Config) -> list[str]:
    extra = shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))
    words = [*map(str, config.invocation_params.args), *extra]
    return [each for word in words for each in _spelled_out(word, config.invocation_params.dir)]


def _spelled_out(word: str, start: Path) -> list[str]:
    """The word, or the lines of the file that `@file` names."""
    if word.startswith("@") and (start / word[1:]).is_file():
        return (start / word[1:]).read_text("utf-8", "replace").splitlines()
    return [word]


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
