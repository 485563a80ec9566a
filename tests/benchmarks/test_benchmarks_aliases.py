"""Made-up aliases of a provider: every module has those that it uses, and says what each of them is set to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random

import pytest
from test_benchmarks_generated import SCHEMA

from benchmarks.aliases import CALLS, MODULE, Aliases, around, call, draw
from benchmarks.blocks import Block, as_json
from benchmarks.generated import Configuration, Generator


def made(seed: int, *, planned: bool = False) -> Configuration:
    return Generator(SCHEMA, Random(seed), planned).configuration()  # noqa: S311


MADE = [made(seed, planned=bool(seed % 2)) for seed in range(60)]


def blocks(configuration: Configuration, kind: str, place: str) -> Iterator[Block]:
    """Of that kind in the root or the module."""
    for name, found in configuration.blocks.items():
        if name.startswith(f"{MODULE}/") == (place == MODULE):
            yield from (block for block in found if block.kind == kind)


def configured(configuration: Configuration, place: str) -> set[str]:
    return {block.attributes.get("alias", "").strip('"') for block in blocks(configuration, "provider", place)}


def test_most_have_aliases_planned_or_not_and_some_have_none() -> None:
    for planned in (False, True):
        counts = [one.configured() for one in MADE if one.planned == planned]
        assert sum(map(bool, counts)) > len(counts) / 2
        assert 0 in counts
        assert max(counts) > 2


def test_resources_of_the_root_and_of_the_module_use_them() -> None:
    for place in ("", MODULE):
        used = {
            b.attributes["provider"]
            for one in MADE
            for b in blocks(one, "resource", place)
            if "provider" in b.attributes
        }
        assert len(used) > 1, place


@pytest.mark.parametrize("place", ["", MODULE])
def test_what_is_used_is_there(place: str) -> None:
    for one in MADE:
        known = configured(one, place) | (set(one.aliases.given) if place else set())
        for kind in ("resource", "data", "ephemeral"):
            for block in blocks(one, kind, place):
                assert block.attributes.get("provider", "aws.").removeprefix("aws.") in known | {""}


def test_every_call_passes_what_the_module_is_to_be_given() -> None:
    for one in MADE:
        for block in blocks(one, "module", ""):
            passed = json.loads(as_json([block]))["module"][block.labels[0]][0].get("providers", {})
            assert set(passed) - {"aws"} == {f"aws.{name}" for name in one.aliases.given}
            assert {name.removeprefix("aws").removeprefix(".") for name in passed.values()} <= configured(one, "")


def test_there_are_modules_that_are_given_some_that_have_their_own_and_that_are_called_twice() -> None:
    assert any(one.aliases.given for one in MADE)
    assert any(one.aliases.own for one in MADE)
    assert {len(list(blocks(one, "module", ""))) for one in MADE} == set(range(1, len(CALLS) + 1))


def test_each_configuration_is_said_in_a_plan() -> None:
    aliases = Aliases(("east",), ("first",), ("own",))
    found = around(aliases, Random(1))  # noqa: S311
    for place, names in (("providers", ("east",)), (f"{MODULE}/providers", ("first", "own"))):
        said = {block.labels[1] for block in found[place] if block.labels[0] == "terraform_data"}
        assert said == {"of_", *(f"of_{name}" for name in names)}
        asked = {(b.labels[1], b.attributes.get("provider")) for b in found[place] if b.kind == "data"}
        assert asked == {("of_", None), *((f"of_{name}", f"aws.{name}") for name in names)}


def test_without_aliases_there_is_one_provider_and_one_call() -> None:
    found = around(Aliases(), Random(1))  # noqa: S311
    assert [(block.kind, block.labels) for block in found["providers"]] == [
        ("provider", ("aws",)),
        ("module", ("child",)),
    ]
    assert found[f"{MODULE}/providers"] == []


def test_what_is_refused_takes_no_provider_and_no_call_with_it() -> None:
    aliases = draw(Random(1))  # noqa: S311
    one = Configuration({"main": [Block("resource", ("x_thing", "a"))], **around(aliases, Random(1))}, aliases)  # noqa: S311
    pruned = one.pruned({"", "x_thing.a"})
    assert pruned.blocks["main"] == []
    assert pruned.blocks["providers"] == one.blocks["providers"]


def test_what_is_refused_in_either_call_of_the_module_is_taken_out_of_it() -> None:
    for name in CALLS:
        one = Configuration({f"{MODULE}/main": [Block("resource", ("x_thing", "a"))]})
        assert one.pruned({f"module.{name}.x_thing.a"}).resources() == 0


def test_a_call_passes_addresses_in_json_too() -> None:
    passed = {"aws": "aws.east", "aws.first": "aws"}
    (said,) = json.loads(as_json([call("child", passed)]))["module"]["child"]
    assert said == {"source": "./child", "providers": passed}
