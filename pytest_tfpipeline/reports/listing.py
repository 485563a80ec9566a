"""`--tf-list`: every directory, what it was taken for, and why. Pure."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict

from pytest_tfpipeline.model import Directory, Kind, Repository

_KEYS = ("dir", "kind", "rule", "guessed", "name", "environments", "after", "callers", "apply")
#: Columns; only a path may be longer.
_WIDTH = 60
_INDENT = " " * 9


def listing_json(repository: Repository) -> str:
    """The array that `--tf-list=json` prints, without a newline at its end."""
    rows = [{key: row[key] for key in _KEYS} for row in map(asdict, repository.directories)]
    return json.dumps(rows, indent=2, ensure_ascii=False)


def listing_table(repository: Repository) -> str:
    """A row for each directory, what there is to say of it indented below, and the environments at the end."""
    lines = [line for row in repository.directories for line in _row(row)]
    return "\n".join([*(lines or ["No Terraform and no Python suite here."]), "", *_ending(repository)])


def _row(row: Directory) -> Iterator[str]:
    yield f"{row.kind.value:<8} {row.dir}"
    rule = row.rule if row.kind is Kind.SUITE else f"rule {row.rule}"
    yield from _wrapped(f"{rule} (guessed)" if row.guessed else rule, _INDENT)
    if row.kind in (Kind.ROOT, Kind.EXAMPLE):
        yield from _wrapped(f"environments: {', '.join(row.environments) or 'none'}", _INDENT)
        if row.environments and not row.apply:
            yield f"{_INDENT}not applied unless configured or emulated"
    if row.after:
        yield from _wrapped(f"after: {', '.join(row.after)}", _INDENT)


def _ending(repository: Repository) -> Iterator[str]:
    counts = Counter(row.kind for row in repository.directories)
    if counts:
        yield from _wrapped(", ".join(f"{counts[kind]} {_plural(kind, counts[kind])}" for kind in Kind if counts[kind]))
    yield from _wrapped(f"Environments: {', '.join(repository.environments) or 'none found'}")
    if repository.candidates:
        yield from _wrapped(f"Not taken for environments: {', '.join(repository.candidates)}")
    for note in repository.notes:
        yield from _wrapped(f"Note: {note}")


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _plural(kind: Kind, count: int) -> str:
    if count == 1:
        return kind.value
    return "libraries" if kind is Kind.LIBRARY else f"{kind.value}s"
