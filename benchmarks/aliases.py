"""Configurations of a provider: the default one and aliases, in a root and in the module that it calls.

Each module says what each configuration that it can use is set to, so that no two can be taken for each other unseen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from random import Random

from benchmarks.blocks import Block

#: Calls of the module; an init must have known them all.
CALLS = ("child", "again")
#: The module's directory.
MODULE = "child"
_NAMES = ("east", "north", "south")
_GIVEN = ("first", "second")
_REGIONS = ("eu-west-2", "us-east-1", "eu-north-1", "ap-southeast-2")
_SETTINGS = {
    "access_key": '"x"',
    "secret_key": '"x"',
    "max_retries": "1",
    "skip_credentials_validation": "true",
    "skip_requesting_account_id": "true",
    "skip_metadata_api_check": "true",
    "skip_region_validation": "true",
}
#: The last one is unknown in a plan.
_TAGS = ('{ a = "one" }', '{ a = "two", b = "two" }', "{ a = terraform_data.it.output }")


@dataclass(frozen=True, slots=True)
class Aliases:
    """Names by who configures them: the `root`; its callers for the module (`given`); the module its `own`."""

    root: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    own: tuple[str, ...] = ()

    def usable(self, place: str) -> tuple[str, ...]:
        """Those that a resource in that file can use."""
        return self.given + self.own if place.startswith(f"{MODULE}/") else self.root


def draw(random: Random) -> Aliases:
    """One to three in the root, up to two that the module is given, and in one of four a further one of its own."""
    root, given = _NAMES[: random.randint(1, 3)], _GIVEN[: random.randint(0, 2)]
    return Aliases(root, given, ("own",) if random.random() < 0.25 else ())


def around(aliases: Aliases, random: Random) -> dict[str, list[Block]]:
    """What the resources need beside them, by file: providers, calls of the module, and what says which is which."""
    here, there = "providers", f"{MODULE}/providers"
    made = {
        here: [_provider(name, random) for name in ("", *aliases.root)],
        there: [_provider(name, random) for name in aliases.own],
    }
    made[here] += [
        call(name, _passed(aliases, random)) for name in CALLS[: random.randint(1, 2) if aliases.root else 1]
    ]
    if aliases.root:
        for place in (here, there):
            made[place] += _said(aliases.usable(place))
    return made


def call(name: str, providers: Mapping[str, str]) -> Block:
    """Of the module, which is passed these."""
    passed = ", ".join(f"{theirs} = {ours}" for theirs, ours in providers.items())
    return Block(
        "module", (name,), {"source": f'"./{MODULE}"', **({"providers": f"{{ {passed} }}"} if providers else {})}
    )


def _passed(aliases: Aliases, random: Random) -> dict[str, str]:
    ours = ["aws", *(f"aws.{name}" for name in aliases.root)]
    passed = {f"aws.{name}": random.choice(ours) for name in aliases.given}
    return {"aws": random.choice(ours), **passed} if passed or (aliases.root and random.random() < 0.5) else {}


def _provider(alias: str, random: Random) -> Block:
    named = {"alias": f'"{alias}"'} if alias else {}
    made = Block("provider", ("aws",), {**named, "region": f'"{random.choice(_REGIONS)}"', **_SETTINGS})
    if random.random() < 0.6:
        made.blocks.append(Block("default_tags", (), {"tags": random.choice(_TAGS)}))
    if random.random() < 0.2:
        made.blocks.append(Block("ignore_tags", (), {"keys": '["b"]'}))
    return made


def _said(names: Iterable[str]) -> list[Block]:
    """Two data sources that ask no cloud, and a resource in whose plan their answers are."""
    made = []
    for name in ("", *names):
        label, using = f"of_{name}", {"provider": f"aws.{name}"} if name else {}
        made += [Block("data", (kind, label), dict(using)) for kind in ("aws_region", "aws_default_tags")]
        said = f"[data.aws_region.{label}.name, data.aws_default_tags.{label}.tags]"
        made.append(Block("resource", ("terraform_data", label), {"input": said}))
    return made
