"""`terraform show -json PLAN`, typed. Format: terraform's documented JSON plan representation, version 1.x."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_tfpipeline.errors import PlanReadError
from pytest_tfpipeline.model import Changes
from pytest_tfpipeline.terraform.numbers import exact_float, exact_int
from pytest_tfpipeline.terraform.unknown import UNKNOWN, merge_unknown

__all__ = ["UNKNOWN", "Plan", "PlannedOutput", "ResourceChange", "changes", "destroys", "parse_plan", "read_plan"]

Actions = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """What happens to one resource instance.

    `actions` are terraform's: no-op, create, read, update, delete, forget; two of them for a replacement. `after` is
    a mapping with `UNKNOWN` for what is known only after apply, or None where nothing is left.
    """

    address: str
    type: str
    name: str
    mode: str
    provider: str
    actions: Actions
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    before_sensitive: Any = False
    after_sensitive: Any = False
    replace_paths: tuple[tuple[str | int, ...], ...] = ()
    action_reason: str = ""
    #: The id it is imported by ("" where only its identity is known); None if it is not imported.
    importing: str | None = None
    previous_address: str | None = None
    module: str = ""
    index: str | int | None = None
    #: Key of a deposed object, which is left of a replacement that failed.
    deposed: str | None = None

    @property
    def replaces(self) -> bool:
        """Whether the resource is deleted and made again, in either order."""
        return set(self.actions) >= {"delete", "create"}

    @property
    def deletes(self) -> bool:
        """Whether what is there is destroyed, be it to make it again."""
        return "delete" in self.actions

    @property
    def forgets(self) -> bool:
        """Whether terraform stops managing it and leaves it there."""
        return "forget" in self.actions


@dataclass(frozen=True, slots=True)
class PlannedOutput:
    """What happens to one output of the root; `after` may be `UNKNOWN`."""

    name: str
    actions: Actions
    before: Any
    after: Any
    sensitive: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A saved plan. `complete` is false where terraform says that another plan must follow (deferrals, -target)."""

    resources: tuple[ResourceChange, ...]
    outputs: Mapping[str, PlannedOutput]
    variables: Mapping[str, Any]
    applyable: bool
    complete: bool
    errored: bool
    terraform_version: str
    format_version: str
    deferred: tuple[str, ...] = ()
    checks: tuple[Mapping[str, Any], ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


def read_plan(path: str | Path) -> Plan:
    """The plan in that JSON file; raises PlanReadError."""
    try:
        raw = json.loads(Path(path).read_bytes(), parse_float=exact_float, parse_int=exact_int)
    except (OSError, ValueError) as error:
        raise PlanReadError(f"cannot be read as a plan: {error}", where=str(path), mend="plan again") from error
    return parse_plan(raw, where=str(path))


def parse_plan(raw: object, where: str = "plan") -> Plan:
    """The plan in terraform's JSON form; raises PlanReadError where its format is not 1.x."""
    version = str(raw.get("format_version", "")) if isinstance(raw, dict) else ""
    if not isinstance(raw, dict) or version.split(".")[0] != "1":
        raise PlanReadError(
            f"has format version {version or 'unknown'!r}, and only 1.x is known",
            where=where,
            mend="use a terraform this version of pytest-tfpipeline knows, or update pytest-tfpipeline",
        )
    return Plan(
        resources=tuple(_resource(item) for item in raw.get("resource_changes") or ()),
        outputs={name: _output(name, item) for name, item in (raw.get("output_changes") or {}).items()},
        variables={name: item.get("value") for name, item in (raw.get("variables") or {}).items()},
        # Each flag is there since terraform 1.8 or before; an older plan that was saved at all is none of the three.
        applyable=bool(raw.get("applyable", True)),
        complete=bool(raw.get("complete", True)),
        errored=bool(raw.get("errored", False)),
        terraform_version=str(raw.get("terraform_version", "")),
        format_version=version,
        deferred=tuple(str(item["resource_change"]["address"]) for item in raw.get("deferred_changes") or ()),
        checks=tuple(raw.get("checks") or ()),
        raw=raw,
    )


def changes(plan: Plan) -> Changes:
    """How many managed resources the plan touches, by what happens to them."""
    managed = [item for item in plan.resources if item.mode == "managed"]
    return Changes(
        add=sum("create" in item.actions and not item.replaces for item in managed),
        change=sum(item.actions == ("update",) for item in managed),
        replace=sum(item.replaces for item in managed),
        destroy=sum(item.deletes and not item.replaces for item in managed),
        import_=sum(item.importing is not None for item in managed),
        forget=sum(item.forgets for item in managed),
        move=sum(item.actions == ("no-op",) and item.previous_address is not None for item in managed),
        outputs=tuple(name for name, item in sorted(plan.outputs.items()) if item.actions != ("no-op",)),
    )


def destroys(plan: Plan) -> tuple[ResourceChange, ...]:
    """The managed resources whose real thing is destroyed, replacements included: for destroy protection."""
    return tuple(item for item in plan.resources if item.mode == "managed" and item.deletes)


def _resource(item: Mapping[str, Any]) -> ResourceChange:
    change = item["change"]
    importing = change.get("importing")
    return ResourceChange(
        address=item["address"],
        type=item["type"],
        name=item["name"],
        mode=item["mode"],
        provider=item.get("provider_name", ""),
        actions=tuple(change["actions"]),
        before=change.get("before"),
        after=_mapping(merge_unknown(change.get("after"), change.get("after_unknown"))),
        before_sensitive=change.get("before_sensitive", False),
        after_sensitive=change.get("after_sensitive", False),
        replace_paths=tuple(tuple(path) for path in change.get("replace_paths") or ()),
        action_reason=item.get("action_reason", ""),
        importing=None if importing is None else str(importing.get("id") or ""),
        previous_address=item.get("previous_address"),
        module=item.get("module_address", ""),
        index=item.get("index"),
        deposed=item.get("deposed"),
    )


def _output(name: str, item: Mapping[str, Any]) -> PlannedOutput:
    return PlannedOutput(
        name,
        tuple(item["actions"]),
        item.get("before"),
        merge_unknown(item.get("after"), item.get("after_unknown")),
        bool(item.get("after_sensitive") or item.get("before_sensitive")),
    )


def _mapping(value: object) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None
