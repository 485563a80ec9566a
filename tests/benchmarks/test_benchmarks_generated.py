"""Made-up configurations: the same from a seed, the same in either syntax, with the mistake that is named."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import hcl2
import pytest

from benchmarks.blocks import Block, as_hcl, as_json
from benchmarks.generated import Configuration, Generator
from benchmarks.mistakes import MISTAKES

ATTRIBUTES = {
    "name": {"type": "string", "required": True},
    "size": {"type": "number", "optional": True},
    "arn": {"type": "string", "computed": True},
    "tags": {"type": ["map", "string"], "optional": True},
}
NESTED = {"rule": {"nesting_mode": "list", "min_items": 1, "block": {"attributes": ATTRIBUTES}}}
TYPE = {"block": {"attributes": ATTRIBUTES, "block_types": NESTED}}
SCHEMA: dict[str, Any] = {
    "resource_schemas": {"x_thing": TYPE, "x_other": TYPE},
    "data_source_schemas": {"x_found": TYPE},
    "ephemeral_resource_schemas": {"x_secret": TYPE},
}


def made(seed: object, *, planned: bool = False) -> Configuration:
    return Generator(SCHEMA, Random(str(seed)), planned).configuration()  # noqa: S311


def drawn(configuration: Configuration) -> list[Block]:
    """Without providers, calls of the module and what says which provider is which."""
    return [block for name in ("main", "child/main") for block in configuration.blocks[name]]


def test_the_same_seed_makes_the_same_and_another_one_something_else() -> None:
    assert made(1).files() == made(1).files()
    assert made(1).files() != made(2).files()


def test_what_is_required_is_there_and_what_is_computed_is_not() -> None:
    blocks = [block for seed in range(20) for block in drawn(made(seed))]
    resources = [block for block in blocks if block.kind in {"resource", "data", "ephemeral"}]
    assert resources
    for block in resources:
        assert "name" in block.attributes
        assert "arn" not in block.attributes
        assert any("rule" in (inner.kind, *inner.labels) for inner in block.blocks)
    assert {block.kind for block in blocks} >= {"resource", "data", "ephemeral", "output", "check", "moved", "locals"}


def test_what_is_planned_asks_no_cloud() -> None:
    kinds = {block.kind for seed in range(20) for block in drawn(made(seed, planned=True))}
    assert not kinds & {"data", "ephemeral"}


def test_both_syntaxes_say_the_same() -> None:
    inner = Block("rule", (), {"size": "1"})
    lifecycle = Block("lifecycle", (), {"ignore_changes": "[name]"})
    block = Block("resource", ("x_thing", "a"), {"name": "var.any", "provider": "x.y"}, [inner, inner, lifecycle])
    (in_hcl,) = hcl2.loads(as_hcl([block]) + "\n")["resource"]
    in_json = json.loads(as_json([block]))["resource"]["x_thing"]["a"]
    assert in_json == [
        {
            "name": "${var.any}",
            "provider": "x.y",
            "rule": [{"size": 1}] * 2,
            "lifecycle": [{"ignore_changes": ["name"]}],
        }
    ]
    assert "x_thing" in str(in_hcl)
    assert str(in_hcl).count("size") == 2


def test_what_is_refused_is_taken_out_with_what_refers_to_it() -> None:
    refers = Block("output", ("o",), {"value": "x_thing.a.name"})
    whole = Configuration({"main": [Block("resource", ("x_thing", "a")), Block("resource", ("x_thing", "b")), refers]})
    assert [block.labels for block in whole.pruned({"x_thing.a"}).blocks["main"]] == [("x_thing", "b")]


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_changes_the_block(name: str) -> None:
    block = Block("resource", ("x_thing", "a"), {"name": '"a"'})
    assert MISTAKES[name](Random("1"), TYPE["block"], block) != block  # noqa: S311
    assert block == Block("resource", ("x_thing", "a"), {"name": '"a"'})


def test_a_wrong_configuration_has_one_mistake() -> None:
    right = made(1)
    wrong = Generator(SCHEMA, Random("2")).wrong(right)  # noqa: S311
    assert wrong.mistake in MISTAKES
    changed = [
        one
        for name, blocks in wrong.blocks.items()
        for one, before in zip(blocks, right.blocks[name], strict=True)
        if one != before
    ]
    assert len(changed) == 1
