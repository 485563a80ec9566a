"""`--tf-list`: every directory, what it was taken for, and why. Pure."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from pytest_tfpipeline.model import Changed, Directory, Kind, Question, Repository, Root, Variable

_KEYS = ("dir", "kind", "rule", "guessed", "name", "environments", "after", "callers", "apply")
#: Columns; only a path may be longer.
_WIDTH = 60
_INDENT = " " * 9


def listing_json(repository: Repository, changed: Changed | None = None) -> str:
    """The array that `--tf-list=json` prints, without a newline at its end; of what is affected, with `changed`."""
    rows = [{key: row[key] for key in _KEYS} for row in map(asdict, _shown(repository, changed))]
    return json.dumps(rows, indent=2, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Wanting:
    """Variables of a root that nothing gives a value to, in these environments; () for a root of none."""

    root: str
    variables: tuple[Variable, ...]
    environments: tuple[str, ...]


def listing_table(repository: Repository, wanting: Sequence[Wanting] = (), changed: Changed | None = None) -> str:
    """A row for each directory, what there is to say of it indented below; at the end the environments, and what only
    the user can say. With `changed`, a row for each directory that is affected, and why."""
    roots = {root.dir: root for root in repository.roots}
    lacks = {row.dir: [one for one in wanting if one.root == row.dir] for row in repository.directories}
    lines: list[str] = []
    for row in _shown(repository, changed):
        lines += _row(row, roots.get(row.dir), lacks[row.dir])
        for why in foremost(changed.reasons[row.dir]) if changed else ():
            lines += _wrapped(f"affected: {why}", _INDENT)
    none = "No Terraform and no Python suite here." if changed is None else "Nothing that is checked is affected."
    ending = [*_narrowed(changed), *_ending(repository), *_questions(repository.questions, repository.answers)]
    return "\n".join([*(lines or [none]), "", *ending])


def _shown(repository: Repository, changed: Changed | None) -> Sequence[Directory]:
    return [row for row in repository.directories if changed is None or row.dir in changed.reasons]


def foremost(whys: Sequence[str], shown: int = 3) -> list[str]:
    """The first reasons, and how many more there are."""
    more = len(whys) - shown
    return [*whys[:shown], *([f"and {more} more"] if more > 0 else [])]


def _narrowed(changed: Changed | None) -> Iterator[str]:
    if changed is not None:
        for file, whys in changed.tests.items():
            yield from _wrapped(f"Policy tests of {file}, on everything: {'; '.join(foremost(whys))}")
        yield from _wrapped(f"{changed.said[:1].upper()}{changed.said[1:]}")


def _row(row: Directory, root: Root | None, wanting: Sequence[Wanting]) -> Iterator[str]:
    yield f"{row.kind.value:<8} {row.dir}"
    rule = row.rule if row.kind is Kind.SUITE else f"rule {row.rule}"
    yield from _wrapped(f"{rule} (guessed)" if row.guessed else rule, _INDENT)
    if root is not None and row.kind is not Kind.SUITE:
        yield from _wrapped(f"environments: {', '.join(row.environments) or 'none'}", _INDENT)
        for ground in root.grounds:
            yield from _wrapped(f"because {ground}", f"{_INDENT}  ")
        if root.workspaces:
            yield from _wrapped(f"workspace of its name: {', '.join(root.workspaces)}", _INDENT)
        for one in wanting:
            names = ", ".join(f"{each.name} ({each.kind})" if each.kind else each.name for each in one.variables)
            where = f" in {', '.join(one.environments)}" if one.environments else ""
            yield from _wrapped(f"no value{where}: {names}", _INDENT)
        if row.environments and not row.apply:
            yield from _wrapped("not applied unless emulated, or its [[root]] says `apply = true`", _INDENT)
    if row.after:
        yield from _wrapped(f"after: {', '.join(row.after)}", _INDENT)


def _ending(repository: Repository) -> Iterator[str]:
    counts = Counter(row.kind for row in repository.directories)
    if counts:
        yield from _wrapped(", ".join(f"{counts[kind]} {_plural(kind, counts[kind])}" for kind in Kind if counts[kind]))
    doubt = f" ({repository.lone})" if repository.lone else ""
    yield from _wrapped(f"Environments: {', '.join(repository.environments) or 'none found'}{doubt}")
    if repository.candidates:
        yield from _wrapped(f"Not taken for environments: {', '.join(repository.candidates)}")
    for note in repository.notes:
        yield from _wrapped(f"Note: {note}")


def _questions(questions: Sequence[Question], answers: str) -> Iterator[str]:
    """The lines to paste are as they are, whatever their length."""
    if questions:
        yield ""
        yield from _wrapped(f"Only you can say, in {answers} (`python -m pytest_tfpipeline init` writes the rest):")
    for number, question in enumerate(questions, 1):
        yield ""
        yield from _wrapped(f"{number}. {question.text}")
        yield from (f"     {line}" for line in question.lines)


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
