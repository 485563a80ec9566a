"""What a user's policy test sees: `PlanView` is the fixture `tf_plan`, `ConfigurationView` is `tf_configuration`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from pytest_tfpipeline.model import PlanResult
from pytest_tfpipeline.terraform.plan import Plan, read_plan


@dataclass(frozen=True, slots=True)
class ResourceView:
    """One managed resource instance of a plan.

    `before` and `after` are mappings of its arguments and attributes, None where there is nothing (before a create,
    after a delete). In `after`, a value that is known only after apply is `UNKNOWN`.
    """

    address: str
    type: str
    name: str
    actions: tuple[str, ...]
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


class PlanView:
    """The plan of one root in one environment."""

    def __init__(self, root: str, environment: str, plan: Plan) -> None:
        self.root = root
        self.environment = environment
        self._plan = plan

    @classmethod
    def read(cls, result: PlanResult) -> PlanView:
        """The view of a plan that was made; raises PlanReadError."""
        return cls(result.root, result.environment, read_plan(result.json_path or ""))

    def __repr__(self) -> str:
        return f"<plan of {self.root} in {self.environment}: {len(self._plan.resources)} resources>"

    def resources(
        self,
        type: str | None = None,  # noqa: A002
        actions: str | Iterable[str] | None = None,
    ) -> tuple[ResourceView, ...]:
        """The managed resources, those that stay as they are (`no-op`) included.

        `type` may be a glob (`aws_s3_*`). `actions` keeps those with at least one of them; a replacement has both
        `delete` and `create`.
        """
        wanted = None if actions is None else {actions} if isinstance(actions, str) else set(actions)
        return tuple(
            ResourceView(each.address, each.type, each.name, each.actions, each.before, each.after)
            for each in self._plan.resources
            if each.mode == "managed"
            and (type is None or fnmatchcase(each.type, type))
            and (wanted is None or wanted.intersection(each.actions))
        )

    @property
    def outputs(self) -> dict[str, Any]:
        """The root's outputs as they will be, by name; `UNKNOWN` where apply will tell. Removed ones are not there."""
        return {name: each.after for name, each in self._plan.outputs.items() if "delete" not in each.actions}

    @property
    def variables(self) -> dict[str, Any]:
        """The root's input variables as this plan was made with them."""
        return dict(self._plan.variables)
