"""What discovery needs to know of one Terraform file, as data that can be kept as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

#: Changes whenever the dataclasses below, or what they mean, change: kept facts of another schema are not used.
SCHEMA = 2


@dataclass(frozen=True, slots=True)
class Backend:
    """A `backend` block (`type` is its label) or a `cloud` block (`type` is `cloud`); `config` its literal settings,
    `computed` the names of those that read a variable or a local value."""

    type: str
    config: dict[str, str] = field(default_factory=dict)
    line: int = 1
    computed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A `module` block; `source` is "" where it is not a literal."""

    name: str
    source: str
    line: int = 1


@dataclass(frozen=True, slots=True)
class DeclaredVariable:
    """A `variable` block."""

    name: str
    required: bool
    type: str = ""
    description: str = ""
    sensitive: bool = False
    line: int = 1


@dataclass(frozen=True, slots=True)
class StateRead:
    """A `terraform_remote_state` data source; `config` its settings as written, without the quotes."""

    name: str
    backend: str
    config: dict[str, str] = field(default_factory=dict)
    line: int = 1


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a file could not be read, or only in part. `serious`: terraform cannot read it either."""

    rule: str
    text: str
    line: int | None = None
    serious: bool = True


@dataclass(frozen=True, slots=True)
class FileFacts:
    """The facts of one file. `kinds` are its top-level block types, sorted.

    `placeholders`: there is a `$name` where terraform wants a literal, so that something else fills it in first.
    `workspaces`: the names that its text holds `terraform.workspace` against; `reads_workspace`: it reads it at all.
    """

    kinds: tuple[str, ...] = ()
    backend: Backend | None = None
    provider: bool = False
    aliases: bool = False
    placeholders: bool = False
    calls: tuple[Call, ...] = ()
    variables: tuple[DeclaredVariable, ...] = ()
    states: tuple[StateRead, ...] = ()
    required_version: str = ""
    reads_workspace: bool = False
    workspaces: tuple[str, ...] = ()
    problem: Problem | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain data; what is empty is left out."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> FileFacts:
        """The facts back. Raises TypeError, KeyError, ValueError or AttributeError where `data` is something else."""
        backend, problem = data.get("backend"), data.get("problem")
        return cls(
            kinds=tuple(map(str, data.get("kinds", ()))),
            backend=Backend(**{**backend, "computed": tuple(backend.get("computed", ()))}) if backend else None,
            provider=bool(data.get("provider")),
            aliases=bool(data.get("aliases")),
            placeholders=bool(data.get("placeholders")),
            calls=tuple(Call(**call) for call in data.get("calls", ())),
            variables=tuple(DeclaredVariable(**variable) for variable in data.get("variables", ())),
            states=tuple(StateRead(**state) for state in data.get("states", ())),
            required_version=str(data.get("required_version", "")),
            reads_workspace=bool(data.get("reads_workspace")),
            workspaces=tuple(map(str, data.get("workspaces", ()))),
            problem=Problem(**problem) if problem else None,
        )
