"""What the operator fixes, in a file that lives outside of the checkout: a branch may only be stricter than that.

`tighten` puts it over the repository's configuration; `overruled` says where the repository wanted something looser.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr

from pytest_tfpipeline.config.check_names import chains
from pytest_tfpipeline.config.document import read_document
from pytest_tfpipeline.config.keys import Config, EnvironmentConfig, IdentityConfig, Table, ToolsConfig
from pytest_tfpipeline.config.problems import raise_problems
from pytest_tfpipeline.config.types import EnvironmentName, Items, ProviderPattern, ResourceType
from pytest_tfpipeline.errors import ConfigurationError
from pytest_tfpipeline.given import given_path, way_to
from pytest_tfpipeline.model import Repository

T = TypeVar("T")

_DOCUMENTED = "docs/configuration.md describes it"
_APPROVALS = ("none", "manual", "signed")
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH
#: The keys whose value is a file, relative to the operator's.
_FILES = ("signers", "waivers", "allow_destroy")
#: The same, and the one that only limits the repository's own.
_NAMED = (*_FILES, "baseline")


def _named(value: str) -> str:
    if not value:
        raise ValueError("expected a file, relative to the operator's own")
    return value


def _file_or_none(value: object) -> object:
    if value is False or (isinstance(value, str) and value):
        return value
    raise ValueError("expected a file, relative to the operator's own, or false, so that none counts")


FileName = Annotated[str, AfterValidator(_named)]
FileOrNone = Annotated[str | Literal[False] | None, BeforeValidator(_file_or_none)]


class OperatorEnvironment(Table):
    """One environment. It is real unless `emulator` is here; every other key that is not here is the repository's."""

    emulator: Literal["aws"] | None = None
    after: EnvironmentName | None = None
    approval: Literal["none", "manual", "signed"] | None = None
    signatures: int | None = Field(default=None, ge=1)
    protect: Items[ResourceType] | None = None
    identity: IdentityConfig | None = None


class Operator(Table):
    """The whole file."""

    signers: FileName | None = None
    waivers: FileOrNone = None
    allow_destroy: FileOrNone = None
    baseline: FileOrNone = None
    isolation: Literal["process", "jobs"] | None = None
    providers: Items[ProviderPattern] | None = None
    tools: ToolsConfig = ToolsConfig()
    environment: dict[EnvironmentName, OperatorEnvironment] = Field(default_factory=dict)

    _source: str = PrivateAttr(default="")

    @property
    def source(self) -> str:
        """The file it was read from, as messages name it."""
        return self._source

    def from_file(self, source: str, files: Mapping[str, str | bool | None]) -> Operator:
        """The same, which knows where it was read, with these values for the keys that name files."""
        copy = self.model_copy(update=files)
        copy._source = source
        return copy


def read_operator(path: Path, top: Path) -> Operator:
    """The operator's file, the files that it names made absolute. `top` is the repository's.

    Raises ConfigurationError (exit code 4) where it is inside of the checkout, is not there, could be written by
    others, or cannot be read as what it should be.
    """
    shown = given_path(path, Path.cwd())
    name = str(shown)
    _refuse_place(path, top, name)
    operator = read_document(shown, name, Operator, _DOCUMENTED)
    given = {key: getattr(operator, key) for key in _NAMED}
    files = {key: str(given_path(value, shown.parent)) if value else value for key, value in given.items()}
    return operator.from_file(name, files)


def require_files(operator: Operator) -> None:
    """Raise ConfigurationError where a file that it names is not there: nobody would miss one that is hardly used."""
    for key in _NAMED:
        file = getattr(operator, key)
        if file and not Path(file).is_file():
            mend = "name a file that is; a path is relative to the operator's file"
            raise ConfigurationError(f"`{file}` is not there", where=f"{operator.source}: {key}", mend=mend)


def check_order(operator: Operator, config: Config, repository: Repository, asked: Sequence[str]) -> None:
    """Raise ConfigurationError where an `after` of the operator's names no environment, or closes a circle.

    `config` is what counts, and the repository's own was found right. Of the operator's tables, those count that are of
    an environment of this repository or of one that was `asked` for: one file may serve many repositories.
    """
    known = {*config.environments, *repository.environments, *asked}
    names = [name for name, one in operator.environment.items() if one.after is not None and name in known]
    raise_problems(operator.source, "", [*chains(config, repository, names)], {}, _DOCUMENTED)


def tighten(config: Config, operator: Operator) -> Config:
    """The configuration as it counts. Raises ConfigurationError for an emulator that the operator's file does not have:
    what was tried there would count for the real environment."""
    for name in operator.environment:
        _refuse_emulator(config, operator, name)
    environments = {name: _environment(config, operator, name) for name in operator.environment}
    fixed = {key: getattr(operator, key) for key in _FILES if getattr(operator, key) is not None}
    jobs = ("isolation",) if operator.isolation == "jobs" else ()
    said = {key: f"{operator.source}: {key}" for key in (*fixed, *jobs)}
    return config.from_file(config.source, config.prefix, said).model_copy(
        update={
            **{key: value or None for key, value in fixed.items()},
            **({"baseline": None} if operator.baseline is False else {}),
            "isolation": "jobs" if "jobs" in (config.isolation, operator.isolation) else "process",
            "tools": config.tools.model_copy(update=_tools(operator.tools)),
            "environment": {**config.environment, **environments},
        }
    )


def _tools(fixed: ToolsConfig) -> dict[str, str | None]:
    """What the operator fixes. Which of terraform and OpenTofu runs is one question: the repository adds no other one
    to what is named here."""
    said: dict[str, str | None] = fixed.model_dump(exclude_none=True)
    return {"terraform": None, "tofu": None, **said} if said.keys() & {"terraform", "tofu"} else said


def overruled(config: Config, operator: Operator) -> tuple[str, ...]:
    """A note for each key that the repository has set and that does not count, or not alone."""
    now = tighten(config, operator)
    keys = (*_FILES, "isolation")
    found = [
        *_differing(config, now, keys, ""),
        *_differing(config.tools, now.tools, ToolsConfig.model_fields, "tools."),
    ]
    for name, said in config.environment.items():
        found += _differing(said, now.environment[name], OperatorEnvironment.model_fields, f"environment.{name}.")
    return tuple(found)


def _differing(said: Table, now: Table, keys: Any, above: str) -> Iterator[str]:
    for key in keys:
        wanted, counts = _plain(getattr(said, key)), _plain(getattr(now, key))
        if key in said.model_fields_set and wanted != counts and not _adds_up(key, wanted, counts):
            yield f"the operator file overrules `{above}{key}`: {_shown(counts)} counts, not {_shown(wanted)}"


def _adds_up(key: str, wanted: Any, counts: Any) -> bool:
    """Whether the repository only protects more than the operator wants, in another order."""
    return key == "protect" and set(wanted) == set(counts)


def _environment(config: Config, operator: Operator, name: str) -> EnvironmentConfig:
    said, fixed = config.environment_config(name), operator.environment[name]
    approval = max(said.approval, fixed.approval or "none", key=_APPROVALS.index)
    update = {
        "emulator": fixed.emulator,
        "after": fixed.after or said.after,
        "approval": approval,
        "signatures": _strictest_count(said, fixed),
        "protect": tuple(dict.fromkeys((*(fixed.protect or ()), *said.protect))),
        "identity": fixed.identity or said.identity,
    }
    return said.model_copy(update=update)


def _strictest_count(said: EnvironmentConfig, fixed: OperatorEnvironment) -> int:
    """The larger of both; the default of a repository that says nothing is not larger than the operator's word."""
    if fixed.signatures is None or "signatures" not in said.model_fields_set:
        return said.signatures if fixed.signatures is None else fixed.signatures
    return max(said.signatures, fixed.signatures)


def _refuse_emulator(config: Config, operator: Operator, name: str) -> None:
    said = config.environment.get(name)
    if said is not None and said.emulator is not None and operator.environment[name].emulator is None:
        where = f"{config.source}: {config.prefix}environment.{name}.emulator"
        raise ConfigurationError(
            f"`{said.emulator}` is named, and the operator file says that {name} is real",
            where=where,
            mend="take it out; or the operator says `emulator` for that environment too",
        )


def _refuse_place(path: Path, top: Path, name: str) -> None:
    try:
        mode = path.resolve(strict=True).stat().st_mode
    except (OSError, RuntimeError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise ConfigurationError(f"cannot be read: {reason}", where=name, mend="name the operator's file") from None
    if any(one.is_relative_to(top.resolve()) for one in way_to(path)):
        what = "is in the checkout, where a branch can change it"
        raise ConfigurationError(what, where=name, mend="keep the operator file outside of the repository")
    if mode & _OTHERS_MAY_WRITE:
        raise ConfigurationError("can be written by others", where=name, mend=f"run `chmod go-w {name}`")


def _plain(value: Any) -> Any:
    return value.model_dump(exclude_none=True) if isinstance(value, Table) else value


def _shown(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
