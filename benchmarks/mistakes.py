"""Mistakes that people make in a block, each of which terraform must name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random
from typing import Any, TypeAlias

from benchmarks.blocks import Block

Schema: TypeAlias = Mapping[str, Any]
#: A value that is unknown until the apply, and takes every type.
UNKNOWN = "terraform_data.it.output"
#: What terraform reserves in a block of any type.
RESERVED = frozenset({"count", "for_each", "depends_on", "provider", "lifecycle", "provisioner", "connection"})


def _attribute(schema: Schema, choose: Callable[[Schema], Any]) -> list[str]:
    known = schema.get("attributes", {})
    return sorted(name for name, each in known.items() if choose(each) and name not in RESERVED)


def _with(block: Block, **attributes: str) -> Block:
    return replace(block, attributes={**block.attributes, **attributes})


def _unknown_argument(_random: Random, _schema: Schema, block: Block) -> Block:
    return _with(block, nonsense='"a"')


def _near_argument(random: Random, schema: Schema, block: Block) -> Block:
    names = _attribute(schema, lambda each: each.get("optional") or each.get("required"))
    return _with(block, **{f"{random.choice(names or ['tag'])}x": '"a"'})


def _computed_argument(random: Random, schema: Schema, block: Block) -> Block:
    names = _attribute(schema, lambda each: each.get("computed") and not each.get("optional") and "type" in each)
    return _with(block, **{random.choice(names): UNKNOWN}) if names else _unknown_argument(random, schema, block)


def _missing_argument(random: Random, schema: Schema, block: Block) -> Block:
    names = _attribute(schema, lambda each: each.get("required"))
    dropped = random.choice(names) if names else ""
    kept = {name: value for name, value in block.attributes.items() if name != dropped}
    return replace(block, attributes=kept) if names else _unknown_argument(random, schema, block)


def _wrong_type(random: Random, schema: Schema, block: Block) -> Block:
    names = _attribute(schema, lambda each: each.get("optional") and each.get("type") in ("number", "bool"))
    return _with(block, **{random.choice(names): '"word"'}) if names else _unknown_argument(random, schema, block)


def _near_type(_random: Random, _schema: Schema, block: Block) -> Block:
    return replace(block, labels=(block.labels[0] + "s", block.labels[1]))


def _unknown_block(_random: Random, _schema: Schema, block: Block) -> Block:
    return replace(block, blocks=[*block.blocks, Block("nonsense")])


def _undeclared(_random: Random, _schema: Schema, block: Block) -> Block:
    return _with(block, depends_on=f"[{block.labels[0]}.nowhere]")


def _no_such_function(_random: Random, _schema: Schema, block: Block) -> Block:
    return _with(block, count="provider::aws::nonsense(1)")


def _no_such_attribute(_random: Random, _schema: Schema, block: Block) -> Block:
    return _with(block, count=f"length({block.labels[0]}.r0.nonsense)")


def _no_such_provider(_random: Random, _schema: Schema, block: Block) -> Block:
    return _with(block, provider="aws.nowhere")


#: What each is, and a block with it; it is given the schema of the block's type.
MISTAKES: Mapping[str, Callable[[Random, Schema, Block], Block]] = {
    "unknown argument": _unknown_argument,
    "argument of a near name": _near_argument,
    "computed argument": _computed_argument,
    "missing argument": _missing_argument,
    "wrong type": _wrong_type,
    "type of a near name": _near_type,
    "unknown block": _unknown_block,
    "undeclared resource": _undeclared,
    "function that is not there": _no_such_function,
    "attribute that is not there": _no_such_attribute,
    "alias that is not there": _no_such_provider,
}
