"""Configuration as blocks, written in either syntax of Terraform."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

#: Attributes whose expression is an address or a list of names; JSON has them without `${}`.
_BARE = frozenset({"provider", "from", "to", "depends_on", "ignore_changes", "replace_triggered_by"})
_Labels = tuple[str, ...]


@dataclass(slots=True)
class Block:
    """`kind "label" {}`; `attributes` are expressions of HCL by name."""

    kind: str
    labels: _Labels = ()
    attributes: dict[str, str] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Of a resource, as terraform's diagnostics name it."""
        prefix = {"resource": "", "data": "data.", "ephemeral": "ephemeral."}.get(self.kind, f"{self.kind}.")
        return prefix + ".".join(self.labels)


def as_hcl(blocks: list[Block], indent: str = "") -> str:
    """Text of a `.tf` file."""
    lines = []
    for block in blocks:
        head = " ".join((block.kind, *map(json.dumps, block.labels)))
        lines += [f"{indent}{head} {{"]
        lines += [f"{indent}  {name} = {value}" for name, value in block.attributes.items()]
        lines += [as_hcl(block.blocks, indent + "  ")] if block.blocks else []
        lines += [f"{indent}}}"]
    return "\n".join(lines)


def as_json(blocks: list[Block]) -> str:
    """Text of a `.tf.json` file."""
    return json.dumps(_tree(blocks), indent=2)


def _tree(blocks: list[Block]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for block in blocks:
        *way, last = (block.kind, *block.labels)
        place = found
        for name in way:
            place = place.setdefault(name, {})
        place.setdefault(last, []).append(
            {name: _value(name, value) for name, value in block.attributes.items()} | _tree(block.blocks)
        )
    return found


def _value(name: str, expression: str) -> Any:
    """A literal as JSON has it; any other expression as a template."""
    if name == "providers":
        pairs = (pair.split(" = ") for pair in expression.strip("{ }").split(", "))
        return dict(pairs)
    if name in _BARE:
        inside = expression.removeprefix("[").removesuffix("]")
        return [each.strip() for each in inside.split(",") if each.strip()] if inside != expression else expression
    try:
        return json.loads(expression)
    except ValueError:
        return f"${{{expression}}}"
