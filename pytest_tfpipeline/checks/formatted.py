"""Which directories `terraform fmt` has nothing to say about, asked for many of them in one call.

Starting terraform costs thirty times what formatting a directory does. Only "nothing to change" is taken from such a
call; any other directory is asked about alone. terraform takes several targets from 1.3 on, OpenTofu always did; an
older one refuses, and every directory is asked about alone.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_tfpipeline.model import Check, CheckKind, Run
from pytest_tfpipeline.process import Outcome
from pytest_tfpipeline.terraform import command
from pytest_tfpipeline.terraform.call import Directory

#: Directories in one call: few enough that two workers are busy, enough that the start does not count.
BATCH = 50


@dataclass(frozen=True, slots=True)
class Formatted:
    """Directories in which every file is as `terraform fmt` writes it."""

    directories: tuple[str, ...] = ()


def batches(run: Run, checks: Iterable[Check]) -> Mapping[str, tuple[str, ...]]:
    """The directories that one call may answer for, by each of them: those of the `fmt` checks given, which the same
    program formats."""
    groups: dict[object, list[str]] = {}
    for directory in sorted({check.dir for check in checks if check.kind is CheckKind.FMT}):
        program = directory in run.repository.tofu, run.root_versions.get(directory)
        groups.setdefault(program, []).append(directory)
    found = [tuple(group[start : start + BATCH]) for group in groups.values() for start in range(0, len(group), BATCH)]
    return {directory: batch for batch in found for directory in batch}


def is_formatted(directory: Directory) -> bool:
    """Whether a call over its whole batch, made by whoever needs it first, had nothing to say about this directory."""
    batch = directory.ctx.batches.get(directory.dir, ())
    if len(batch) < 2:
        return False
    key = hashlib.sha256("\0".join(batch).encode(errors="surrogateescape")).hexdigest()[:24]
    found = directory.ctx.workspace.once(f"fmt-{key}", Formatted, lambda: Formatted(tuple(_ask(directory, batch))))
    return directory.dir in found.directories


def _ask(directory: Directory, batch: tuple[str, ...]) -> Iterator[str]:
    """A file that cannot be parsed hides what is said of all others, so that they are asked about once more."""
    outcome, asked = _call(directory, batch), batch
    if _meaning(outcome) is command.Meaning.FAILED:
        broken = set(_directories(directory, command.fmt_broken(outcome.stderr)))
        asked = tuple(each for each in batch if each not in broken)
        outcome = _call(directory, asked) if asked and len(asked) < len(batch) else outcome
    if _meaning(outcome) is command.Meaning.DONE:
        yield from asked
    elif _meaning(outcome) is command.Meaning.UNFORMATTED:
        said = set(_directories(directory, outcome.stdout.splitlines()))
        if said and said <= set(asked):
            yield from (each for each in asked if each not in said)


def _call(directory: Directory, asked: tuple[str, ...]) -> Outcome:
    targets = [f"./{os.path.relpath(directory.copy / each, directory.cwd)}" for each in asked]
    return directory.run(command.fmt_list(directory.terraform.path, targets), "fmt")


def _meaning(outcome: Outcome) -> command.Meaning:
    return command.meaning("fmt", None if outcome.timed_out else outcome.code)


def _directories(directory: Directory, files: Iterable[str]) -> Iterator[str]:
    """Where terraform's files are, relative to the repository."""
    for file in files:
        place = Path(os.path.normpath(directory.cwd / file)).parent
        yield place.relative_to(directory.copy).as_posix() if place.is_relative_to(directory.copy) else ""
