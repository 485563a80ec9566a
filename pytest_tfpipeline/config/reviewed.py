"""Files in which somebody answers for an exception: findings that are waived, deletions that are allowed.

Both are lists of entries with owner or reason and a last day. They are part of the repository, and so reviewed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from pytest_tfpipeline.config.document import read_document
from pytest_tfpipeline.config.keys import Table
from pytest_tfpipeline.config.problems import Problem, raise_problems
from pytest_tfpipeline.config.types import EnvironmentName, Items
from pytest_tfpipeline.model import Waiver

_DOCUMENTED = "docs/configuration.md describes it"
#: The rule of destroy protection, which has a file of its own.
_DESTROY = "protected-destroy"


def _day(value: object) -> object:
    """A TOML date, or its text."""
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    raise ValueError("expected a day such as 2030-01-31")


def _said(value: str) -> str:
    if not value.strip():
        raise ValueError("expected a text that says something")
    return value


def _waivable(value: str) -> str:
    if value == _DESTROY:
        raise ValueError(f"`{_DESTROY}` cannot be waived: `allow_destroy` names a file for that")
    return _said(value)


def _place(value: str) -> str:
    if not value or value.startswith("/") or value.endswith("/") or ".." in value.split("/"):
        raise ValueError("expected the directory of a root, relative to the repository's top")
    return value


Day = Annotated[date, BeforeValidator(_day)]
Said = Annotated[str, AfterValidator(_said)]


class WaiverEntry(Table):
    """A `[[waiver]]`."""

    rule: Annotated[str, AfterValidator(_waivable)]
    address: Said
    owner: Said
    reason: Said
    expires: Day
    environment: EnvironmentName | None = None


class Allowance(Table):
    """An `[[allow]]`: exactly this resource of this root may be deleted or replaced in this environment."""

    root: Annotated[str, AfterValidator(_place)]
    address: Said
    environment: EnvironmentName
    reason: Said
    expires: Day

    @property
    def name(self) -> str:
        """`root//address`, as `--allow-destroy` takes it."""
        return f"{self.root}//{self.address}"


class _Waivers(Table):
    waiver: Items[WaiverEntry] = ()


class _Allowances(Table):
    allow: Items[Allowance] = ()


def read_waivers(path: Path, name: str) -> tuple[Waiver, ...]:
    """The waivers of that file; raises ConfigurationError for all that is wrong with it."""
    entries = read_document(path, name, _Waivers, _DOCUMENTED).waiver
    _refuse_twice(name, "waiver", [(one.rule, one.address, one.environment) for one in entries])
    return tuple(_waiver(entry, f"{name}: waiver[{index}]") for index, entry in enumerate(entries))


def read_allowances(path: Path, name: str) -> tuple[Allowance, ...]:
    """The allowed deletions of that file; raises ConfigurationError for all that is wrong with it."""
    entries = read_document(path, name, _Allowances, _DOCUMENTED).allow
    _refuse_twice(name, "allow", [(one.root, one.address, one.environment) for one in entries])
    return entries


def in_force(allowances: Sequence[Allowance], environment: str, today: date) -> tuple[str, ...]:
    """What may be deleted or replaced in that environment on that day, as `root//address`."""
    return tuple(one.name for one in allowances if one.environment == environment and today <= one.expires)


def expired(allowances: Sequence[Allowance], environment: str, today: date) -> Iterator[str]:
    """Notes about entries for that environment which do not count any more."""
    for one in allowances:
        if one.environment == environment and today > one.expires:
            yield f"the deletion of {one.name} in {environment} was allowed until {one.expires}, and is no longer"


def _waiver(entry: WaiverEntry, place: str) -> Waiver:
    said = entry.model_dump(exclude={"expires"})
    return Waiver(**said, expires=entry.expires.isoformat(), place=place)


def _refuse_twice(name: str, key: str, entries: Sequence[tuple[str | None, ...]]) -> None:
    """Two entries about the same thing could contradict each other."""
    problems = [
        Problem((key, index), f"says the same as {key}[{entries.index(entry)}]; keep one of them")
        for index, entry in enumerate(entries)
        if entries.index(entry) < index
    ]
    raise_problems(name, "", problems, {}, _DOCUMENTED)
