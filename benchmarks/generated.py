"""Configurations nobody wrote: right and wrong ones over the schema of a provider, each from a seed.

What makes a value pass a provider's own checks is in no schema. So most values are unknown while terraform validates
and plans, which every check lets through; and `pruned` takes out what terraform did not like all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from benchmarks.aliases import CALLS, MODULE, Aliases, around, draw
from benchmarks.blocks import Block, as_hcl, as_json
from benchmarks.mistakes import MISTAKES, RESERVED, UNKNOWN, Schema

_DEPTH = 3
#: Of all configurations so many have aliases of the provider.
_ALIASED = 0.7
#: Files of what is drawn over the schema.
_DRAWN = ("main", f"{MODULE}/main")
_KINDS = {
    "resource": "resource_schemas",
    "data": "data_source_schemas",
    "ephemeral": "ephemeral_resource_schemas",
}


@dataclass(frozen=True, slots=True)
class Configuration:
    """`blocks` by file name without the ending; in JSON if `json`; `mistake` says what was made wrong on purpose."""

    blocks: Mapping[str, list[Block]]
    aliases: Aliases = field(default_factory=Aliases)
    json: bool = False
    planned: bool = False
    mistake: str = ""

    def files(self) -> dict[str, str]:
        """Text by name, relative to the root."""
        write, ending = (as_json, ".tf.json") if self.json else (as_hcl, ".tf")
        return {name + ending: write(blocks) + "\n" for name, blocks in self.blocks.items()}

    def pruned(self, addresses: Collection[str]) -> Configuration:
        """Without the resources at these addresses, and without what refers to them."""
        drawn = {name: self.blocks.get(name, []) for name in _DRAWN}
        kept = {name: [block for block in blocks if not _named(block, addresses)] for name, blocks in drawn.items()}
        return replace(self, blocks={**self.blocks, **kept})

    def resources(self) -> int:
        """How many blocks of a provider's types were drawn."""
        return sum(block.kind in _KINDS for name in _DRAWN for block in self.blocks.get(name, ()))

    def configured(self) -> int:
        """How many configurations the provider has under an alias."""
        return sum("alias" in block.attributes for blocks in self.blocks.values() for block in blocks)


def _named(block: Block, addresses: Collection[str]) -> bool:
    if block.kind in _KINDS:
        places = ("", *(f"module.{name}." for name in CALLS))
        return any(f"{place}{block.address}" in addresses for place in places)
    said = " ".join((*block.attributes.values(), as_hcl(block.blocks)))
    return any(address in said for address in addresses)


@dataclass
class Generator:
    """Draws from `random` over `schema`, a provider's part of `terraform providers schema -json`."""

    schema: Schema
    random: Random
    planned: bool = False
    _count: int = field(default=0, init=False)

    def configuration(self) -> Configuration:
        """A root and the module that it calls; with `planned` of managed resources alone, which ask no cloud."""
        aliases = draw(self.random) if self.random.random() < _ALIASED else Aliases()
        blocks: dict[str, list[Block]] = {**{name: [] for name in _DRAWN}, **around(aliases, self.random)}
        for _ in range(self.random.randint(3, 14)):
            place = self.random.choice((_DRAWN[0], *_DRAWN))
            block = self._resource("resource" if self.planned else self.random.choices(tuple(_KINDS), (10, 4, 1))[0])
            if usable := aliases.usable(place):
                block.attributes |= self.random.choice(({}, *({"provider": f"aws.{name}"} for name in usable)))
            blocks[place] += [block, *self._around(block)]
        return Configuration(blocks, aliases, json=self.random.random() < 0.3, planned=self.planned)

    def wrong(self, right: Configuration) -> Configuration:
        """The same with one mistake."""
        name, make = self.random.choice(tuple(MISTAKES.items()))
        places = [key for key in _DRAWN if any(block.kind in _KINDS for block in right.blocks[key])]
        if not places:
            return right
        chosen = self.random.choice(places)
        blocks = list(right.blocks[chosen])
        at = self.random.choice([index for index, block in enumerate(blocks) if block.kind in _KINDS])
        blocks[at] = make(self.random, self.body(blocks[at].kind, blocks[at].labels[0]), blocks[at])
        return replace(right, blocks={**right.blocks, chosen: blocks}, mistake=name)

    def body(self, kind: str, type_name: str) -> Schema:
        """The schema of a resource type."""
        found: Schema = self.schema[_KINDS[kind]][type_name]["block"]
        return found

    def _resource(self, kind: str) -> Block:
        type_name = self.random.choice(sorted(self.schema[_KINDS[kind]]))
        self._count += 1
        block = Block(kind, (type_name, f"r{self._count}"))
        self._fill(block, self.body(kind, type_name), _DEPTH, reserved=RESERVED)
        if kind != "ephemeral" and self.random.random() < 0.2:
            block.attributes |= self.random.choice(({"count": "2"}, {"for_each": 'toset(["a", "b"])'}))
        if self.random.random() < 0.1:
            block.attributes["depends_on"] = "[terraform_data.it]"
        if kind == "resource" and self.random.random() < 0.15:
            block.blocks.append(Block("lifecycle", attributes=self._lifecycle(block)))
        return block

    def _lifecycle(self, block: Block) -> dict[str, str]:
        names = sorted(set(block.attributes) - RESERVED)
        ignored = {"ignore_changes": f"[{self.random.choice(names)}]"} if names else {}
        return ignored | self.random.choice(({}, {"create_before_destroy": "true"}, {"prevent_destroy": "true"}))

    def _fill(self, block: Block, schema: Schema, depth: int, reserved: Collection[str] = ()) -> None:
        for name, attribute in sorted(schema.get("attributes", {}).items()):
            if name not in reserved and "type" in attribute and self._wanted(attribute):
                block.attributes[name] = self._value(attribute["type"])
        for name, nested in sorted(schema.get("block_types", {}).items()):
            if name != "timeouts":
                block.blocks += [self._nested(name, nested, depth) for _ in range(self._times(nested, depth))]

    def _wanted(self, attribute: Schema) -> bool:
        chance = 0.5 if attribute.get("deprecated") else 0.08
        return attribute.get("required") or (bool(attribute.get("optional")) and self.random.random() < chance)

    def _times(self, nested: Schema, depth: int) -> int:
        least, most = int(nested.get("min_items", 0)), int(nested.get("max_items") or 2)
        more = depth > 0 and self.random.random() < 0.12
        return max(least, self.random.randint(1, most) if more and most <= 3 else int(more))

    def _nested(self, name: str, nested: Schema, depth: int) -> Block:
        inside = Block(name)
        self._fill(inside, nested["block"], depth - 1)
        if nested["nesting_mode"] not in ("list", "set") or self.random.random() > 0.1:
            return inside
        return Block("dynamic", (name,), {"for_each": "[1]"}, [replace(inside, kind="content")])

    def _value(self, of: Any) -> str:
        if self.random.random() < 0.6:
            return self._unknown()
        if isinstance(of, str):
            return self._literal(of)
        shape, inner = of
        if shape == "map":
            return f"{{ a = {self._value(inner)} }}"
        if shape == "object":
            return "{ " + ", ".join(f"{name} = {self._value(each)}" for name, each in inner.items()) + " }"
        return f"[{self._value(inner)}]"

    def _unknown(self) -> str:
        """While terraform validates, every variable is; in a plan it has a value."""
        return UNKNOWN if self.planned else self.random.choice((UNKNOWN, UNKNOWN, "var.any"))

    def _literal(self, of: str) -> str:
        words = {
            "string": (
                '"a"',
                '"a-${terraform_data.it.id}"',
                "jsonencode({})",
                '"arn:aws:s3:::a"',
                f"sensitive({UNKNOWN})",
            ),
            "number": ("1", "30", f"{UNKNOWN} == null ? 1 : 2"),
            "bool": ("true", "false", f"!{UNKNOWN}"),
        }
        return self.random.choice(words.get(of, (UNKNOWN,)))

    def _around(self, block: Block) -> list[Block]:
        """Blocks of other kinds that refer to a resource."""
        if block.kind == "ephemeral" or self.random.random() > 0.4:
            return []
        type_name, name = block.labels
        known = sorted(self.body(block.kind, type_name).get("attributes", {}))
        attribute = self.random.choice([*known, "id"] if known else ["id"])
        each = f"[for each in {block.address} : each.{attribute}]"
        many = {"count": each, "for_each": each}
        whole = next((many[key] for key in many if key in block.attributes), f"{block.address}.{attribute}")
        made: list[Callable[[], Block]] = [
            lambda: Block("output", (f"o_{name}",), {"value": whole, "sensitive": "true"}),
            lambda: Block("locals", (), {f"l_{name}": f"try({whole}, null)"}),
            lambda: Block(
                "check",
                (f"c_{name}",),
                blocks=[Block("assert", (), {"condition": f"{whole} != null", "error_message": '"said"'})],
            ),
            lambda: Block(
                "output",
                (f"f_{name}",),
                {"value": 'provider::aws::arn_build("aws", "s3", "", "", "a")', "depends_on": f"[{block.address}]"},
            ),
        ]
        if block.kind == "resource":
            made.append(lambda: Block("moved", (), {"from": f"{type_name}.before_{name}", "to": block.address}))
        return [self.random.choice(made)()]
