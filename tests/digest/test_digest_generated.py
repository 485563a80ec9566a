"""Digests over generated plans, in both directions: equal exactly where an apply would do the same on the same."""

from __future__ import annotations

import copy
import json
import random
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from plan_json import BOUND, KEY, TREE, change, configured, refers, resource, stored

from pytest_tfpipeline.gate.digest import address_changes, only_became_known, plan_digest
from pytest_tfpipeline.terraform.plan import parse_plan

IDLE = ["no-op"]
ACTIONS = (["create"], ["update"], ["delete"], ["delete", "create"], ["create", "delete"], ["forget"], IDLE)
#: Where something is made or destroyed, provisioners run.
RUNS = {"create", "delete"}
#: Compared apart, or not at all.
APART = ("timestamp", "resource_drift", "resource_changes", "checks", "prior_state")
Raw = dict[str, Any]

_texts = st.text('ab"é/\0', max_size=3) | st.just(f"{TREE}/x")
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | _texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_texts, inner, max_size=2),
    max_leaves=4,
)
_members = st.dictionaries(st.sampled_from("xyz"), _values, max_size=3)


@st.composite
def _resources(draw: st.DrawFn, name: str) -> Raw:
    actions = draw(st.sampled_from(ACTIONS))
    unknown = dict.fromkeys(draw(st.frozensets(st.sampled_from("uv"))), True) if "create" in actions else {}
    importing = {"importing": {"id": draw(_texts)}} if actions == IDLE and draw(st.booleans()) else {}
    more: Raw = {"previous_address": "terraform_data.old"} if actions == IDLE and draw(st.booleans()) else {}
    if actions == ["delete"] and draw(st.booleans()):
        more["deposed"] = "1f"
    made = change(actions, draw(_members), draw(_members), after_unknown=unknown, **importing)
    return resource(name, made, **more)


@st.composite
def plans(draw: st.DrawFn) -> Raw:
    """A plan of some resources, outputs, variables and checks; some of the resources have a provisioner that reads a
    data source."""
    names = draw(st.lists(st.sampled_from("abcde"), unique=True, max_size=4))
    runs = [{"type": "local-exec", "expressions": {"command": refers("data.external.source.result")}}]
    config = [configured(name, {}, provisioners=runs if draw(st.booleans()) else []) for name in names]
    outputs = {
        name: change(["update"], draw(_values), draw(_values)) for name in draw(st.frozensets(st.sampled_from("op")))
    }
    checks = [
        {"address": {"to_display": name}, "status": "pass"} for name in draw(st.frozensets(st.sampled_from("qr")))
    ]
    source = stored("source", {"result": draw(_values)}, "data")
    return {
        "format_version": "1.2",
        "complete": True,
        "timestamp": "2025-01-01T00:00:00Z",
        "resource_changes": [draw(_resources(name)) for name in names],
        "output_changes": outputs,
        "variables": {name: {"value": draw(_values)} for name in draw(st.frozensets(st.sampled_from("st")))},
        "checks": checks,
        "configuration": {"root_module": {"resources": [*config, configured("source", {}, "data")]}},
        "prior_state": {"values": {"root_module": {"resources": [source]}}},
    }


def is_idle(item: Raw) -> bool:
    made = item["change"]
    return made["actions"] == IDLE and "importing" not in made and "previous_address" not in item


def meant(raw: Raw) -> str:
    """What the plan does and stands on, written down once more: who approved the one has approved the other."""
    text = json.dumps
    doing = [item for item in raw["resource_changes"] if not is_idle(item)]
    made = sorted(
        text({key: each for key, each in item.items() if key != "action_reason"}, sort_keys=True) for item in doing
    )
    config = raw["configuration"]["root_module"]["resources"]
    running = {item["name"] for item in config if item.get("provisioners")}
    read = [item for item in doing if item["name"] in running and RUNS & set(item["change"]["actions"])]
    result = raw["prior_state"]["values"]["root_module"]["resources"][0]["values"]["result"] if read else None
    checks = sorted(text(check, sort_keys=True) for check in raw["checks"])
    others = {key: raw[key] for key in sorted(raw) if key not in APART}
    return text([made, config, bool(read), result, checks, others], sort_keys=True)


def with_another_value(raw: Raw, chance: random.Random) -> None:
    """Edit one value of a resource, an output, a variable, or what the provisioners read."""
    sides = ("before", "after")
    places = [(item["change"][side], chance.choice("xyz")) for item in raw["resource_changes"] for side in sides]
    places += [(item, side) for item in raw["output_changes"].values() for side in sides]
    places += [(item, "value") for item in raw["variables"].values()]
    places.append((raw["prior_state"]["values"]["root_module"]["resources"][0]["values"], "result"))
    where, name = chance.choice(places)
    where[name] = chance.choice([None, True, 1, "else", ["else"], {"else": 1}])


def with_one_less(raw: Raw, chance: random.Random) -> None:
    if raw["resource_changes"]:
        raw["resource_changes"].pop(chance.randrange(len(raw["resource_changes"])))


def with_one_more(raw: Raw, chance: random.Random) -> None:
    raw["resource_changes"].append(resource("more", change(chance.choice(ACTIONS), {"x": 1}, {"x": 2})))


def with_one_twice(raw: Raw, chance: random.Random) -> None:
    if raw["resource_changes"]:
        raw["resource_changes"].append(copy.deepcopy(chance.choice(raw["resource_changes"])))


def with_other_actions(raw: Raw, chance: random.Random) -> None:
    for item in raw["resource_changes"][:1]:
        item["change"]["actions"] = chance.choice(ACTIONS)


def with_something_new(raw: Raw, chance: random.Random) -> None:
    """What a newer terraform might say of a change, or of the whole."""
    where = chance.choice([raw, *(item["change"] for item in raw["resource_changes"])])
    where["something_new"] = chance.randrange(3)


def with_a_check_less(raw: Raw, chance: random.Random) -> None:
    raw["checks"] = raw["checks"][1:]


def with_another_day(raw: Raw, chance: random.Random) -> None:
    raw["timestamp"] = f"{chance.randrange(2000, 3000)}-01-01T00:00:00Z"
    raw["resource_drift"] = [{"address": "terraform_data.drifted", "change": {"actions": ["update"]}}]
    for item in raw["resource_changes"]:
        item["action_reason"] = "replace_because_tainted"


def in_another_order(raw: Raw, chance: random.Random) -> None:
    for name in ("resource_changes", "checks"):
        chance.shuffle(raw[name])
    for name in ("output_changes", "variables"):
        raw[name] = dict(chance.sample(list(raw[name].items()), len(raw[name])))


HARMLESS = (with_another_day, in_another_order)
EDITS = (
    *(with_another_value, with_another_value, with_another_value, with_one_less, with_one_more, with_one_twice),
    *(with_other_actions, with_something_new, with_a_check_less),
)
_chances = st.randoms(use_true_random=False)


def edited(raw: Raw, edits: list[Any], chance: random.Random) -> Raw:
    other = copy.deepcopy(raw)
    for edit in edits:
        edit(other, chance)
    return other


def digest_of(raw: Raw, tree: str = TREE) -> str:
    return plan_digest(parse_plan(raw), replace(BOUND, tree=tree), KEY)


def elsewhere(raw: Raw, tree: str) -> Raw:
    found: Raw = json.loads(json.dumps(raw).replace(TREE, tree))
    return found


@given(plans(), st.lists(st.sampled_from([*HARMLESS, *EDITS]), min_size=1, max_size=3), _chances)
@settings(deadline=None, max_examples=200)
def test_plans_agree_in_the_digest_exactly_where_they_do_the_same(
    raw: Raw, edits: list[Any], chance: random.Random
) -> None:
    other = edited(raw, edits, chance)
    assert (digest_of(raw) == digest_of(other)) == (meant(raw) == meant(other))


@given(plans(), _chances)
@settings(deadline=None)
def test_the_same_plan_made_elsewhere_is_the_same(raw: Raw, chance: random.Random) -> None:
    other = elsewhere(edited(raw, [*HARMLESS], chance), "/another/place")
    assert digest_of(other, "/another/place") == digest_of(raw)
    there = address_changes(parse_plan(other), "/another/place", KEY)
    assert sorted(map(repr, there)) == sorted(map(repr, address_changes(parse_plan(raw), TREE, KEY)))


@given(plans(), _chances)
@settings(deadline=None)
def test_one_edit_shows_at_the_addresses_that_it_concerns(raw: Raw, chance: random.Random) -> None:
    """Whoever compares by address sees every resource and output that would be changed otherwise, and no other."""
    other = edited(raw, [with_another_value], chance)
    old, new = (address_changes(parse_plan(each), TREE, KEY) for each in (raw, other))
    doing = [[item for item in each["resource_changes"] if not is_idle(item)] for each in (raw, other)]
    moved = {one["address"] for one, two in zip(*doing, strict=True) if json.dumps(one) != json.dumps(two)}
    values = (raw["output_changes"], other["output_changes"])
    moved |= {f"output.{name}" for name in values[0] if json.dumps(values[0][name]) != json.dumps(values[1][name])}
    assert {each.address.split(" ")[0] for each in set(old) ^ set(new)} == moved


@given(plans(), _values, _chances)
@settings(deadline=None)
def test_an_approval_outlives_what_becomes_known_and_no_edit(raw: Raw, value: Any, chance: random.Random) -> None:
    approved, known = parse_plan(raw), edited(raw, [*HARMLESS], chance)
    for item in known["resource_changes"]:
        item["change"]["after"] |= dict.fromkeys(item["change"]["after_unknown"], value)
        item["change"]["after_unknown"] = {}
    assert only_became_known(approved, parse_plan(known))
    other = edited(known, [chance.choice(EDITS)], chance)
    if meant(other) != meant(known):
        assert not only_became_known(approved, parse_plan(other))
