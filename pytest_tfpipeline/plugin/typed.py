"""The command line as pytest must see it: before pytest knows our options, it takes their values for places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import pytest

#: Options whose value is a path.
_PATHS = ("--tf-output", "--tf-config", "--tf-operator", "--tf-prior", "--approval")


def join_paths(config: pytest.Config) -> None:
    """Let `--tf-output DIR` reach pytest-xdist's workers as `--tf-output=DIR`.

    pytest looks for its configuration before it knows the options of plugins, and a separate word that names an
    existing path is a place to look for it then. Workers get the words that were typed, and by that time the output
    directory is there. Raises pytest.UsageError where pytest itself was led away.
    """
    typed = config.invocation_params
    words = [str(word) for word in typed.args]
    split = [(option, value) for option, value in pairwise(words) if option in _PATHS]
    if not split:
        return
    from pytest_tfpipeline.plugin.place import top_of

    there = any((typed.dir / value).exists() for _, value in split)
    if there and top_of(config.rootpath) != top_of(typed.dir):
        joined = " ".join(f"{option}={value}" for option, value in split)
        raise pytest.UsageError(f"pytest took that path for a place of its own; write it with an equals sign: {joined}")
    config.invocation_params = pytest.Config.InvocationParams(
        args=tuple(_joined(words)), plugins=typed.plugins, dir=typed.dir
    )


def _joined(words: Sequence[str]) -> Iterator[str]:
    waiting = iter(words)
    for word in waiting:
        value = next(waiting, None) if word in _PATHS else None
        yield word if value is None else f"{word}={value}"
