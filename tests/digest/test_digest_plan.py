"""The plan's digest in both directions: what must not count, and everything that must."""

from __future__ import annotations

import copy
import hashlib
import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_json import BOUND, KEY, RAW, TREE, change, edited, resource

from pytest_tfpipeline.errors import PlanReadError
from pytest_tfpipeline.gate.canonical import canonical
from pytest_tfpipeline.gate.digest import Bound, address_changes, plan_digest, set_digest
from pytest_tfpipeline.terraform.plan import Plan, parse_plan

#: Lists whose order means nothing.
UNORDERED = ("resource_changes", "checks", "instances")
NOT_APPLIED = ("timestamp", "planned_values", "resource_drift", "relevant_attributes", "prior_state")
PLAN = parse_plan(RAW)


def of(raw: dict[str, Any], bound: Bound = BOUND, key: bytes = KEY) -> str:
    return plan_digest(parse_plan(raw), bound, key)


DIGEST = of(RAW)


def shuffled(value: Any, chance: random.Random, name: str = "") -> Any:
    """The same JSON with members, and lists that are sets, in another order."""
    if isinstance(value, dict):
        members = [(key, shuffled(each, chance, key)) for key, each in value.items()]
        return dict(chance.sample(members, len(members)))
    if isinstance(value, list):
        items = [shuffled(each, chance) for each in value]
        return chance.sample(items, len(items)) if name in UNORDERED else items
    return value


def moved(value: Any, tree: str) -> Any:
    """The same JSON from a copy at another place."""
    return json.loads(json.dumps(value).replace(TREE, json.dumps(tree)[1:-1]))


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every scalar, and of every empty container."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    if not items or not value:
        yield path
    for step, each in items:
        yield from leaves(each, (*path, step))


def idle(path: tuple[Any, ...]) -> bool:
    """Whether it is of the resource that the plan leaves alone."""
    return path[:2] == ("resource_changes", 3)


APPLIED = [path for path in leaves(RAW) if path[0] not in NOT_APPLIED and not idle(path)]


@given(st.randoms(use_true_random=False), st.text("abcß /«", min_size=1, max_size=9), st.dates())
@settings(deadline=None)
def test_order_day_and_place_do_not_count(chance: random.Random, place: str, day: Any) -> None:
    tree = f"/{place.strip('/ ') or 'x'}/tree"
    raw = shuffled(moved({**RAW, "timestamp": day.isoformat()}, tree), chance)
    bound = replace(BOUND, tree=tree, files=shuffled(dict(BOUND.files), chance))
    assert of(raw, bound) == DIGEST


@pytest.mark.parametrize("path", APPLIED, ids=lambda path: ".".join(map(str, path))[:90])
def test_every_value_of_the_plan_counts(path: tuple[Any, ...]) -> None:
    assert len(APPLIED) > 150
    # What parse_plan itself wants to be of a type keeps it.
    kinds = {"format_version": "1.9", "actions": "else", "importing": {"id": "i-2"}}
    value = kinds.get(str(path[0]), kinds.get(str(path[-2]) if len(path) > 1 else "", {"something": "else"}))
    if path[-1] in ("address", "name", "type", "mode", "module_address", "references"):
        value = "else"
    assert of(edited(value, *path)) != DIGEST


@pytest.mark.parametrize(
    "path",
    [path for path in APPLIED if path[0] == "resource_changes" and len(path) > 4],
    ids=lambda path: str(path[1:]),
)
def test_a_removed_member_counts(path: tuple[Any, ...]) -> None:
    raw = edited(None, *path)
    place: Any = raw
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    assert of(raw) != DIGEST


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("repository", "acme/other"),
        ("environment", "staging"),
        ("account", "210987654321"),
        ("account", None),
        ("root", "terraform/other"),
        ("backend_type", None),
        ("backend", {"bucket": "other", "key": "core"}),
        ("workspace", "blue"),
        ("lineage", "9e6c"),
        ("serial", 8),
        ("terraform", "1.11.5"),
        ("providers", {"registry.terraform.io/hashicorp/aws": ("5.100.1", ("h1:abc", "zh:def"))}),
        ("providers", {"registry.terraform.io/hashicorp/aws": ("5.100.0", ("h1:abc", "zh:other"))}),
        ("providers", {}),
        ("files", {"terraform/core/main.tf": "0" * 64, "build/code.zip": "2" * 64}),
        ("files", {"terraform/core/main.tf": "0" * 64}),
        ("files", {"terraform/core/main.tf": "0" * 64, "build/kode.zip": "1" * 64}),
    ],
)
def test_everything_that_it_is_bound_to_counts(name: str, value: Any) -> None:
    assert of(RAW, replace(BOUND, **{name: value})) != DIGEST


def test_the_case_above_leaves_nothing_out_but_the_place() -> None:
    (mark,) = test_everything_that_it_is_bound_to_counts.pytestmark  # type: ignore[attr-defined]
    assert {name for name, _ in mark.args[1]} == {field.name for field in fields(Bound)} - {"tree"}


@pytest.mark.parametrize(
    "added",
    [
        resource("new", change(["create"], None, {"input": 1})),
        resource("new", change(["no-op"], {}, {}), previous_address="terraform_data.older"),
        resource("new", change(["no-op"], {}, {}, importing={"identity": {"id": 1}})),
        resource("new", change(["forget"], {}, None)),
        resource("new", change(["delete"], {}, None), deposed="1f"),
        RAW["resource_changes"][0],
    ],
)
def test_one_change_more_counts(added: dict[str, Any]) -> None:
    assert of({**RAW, "resource_changes": [*RAW["resource_changes"], added]}) != DIGEST


def test_a_plan_turned_round_and_made_elsewhere_is_the_same() -> None:
    def turned(value: Any, name: str = "") -> Any:
        if isinstance(value, dict):
            return {key: turned(each, key) for key, each in reversed(value.items())}
        if isinstance(value, list):
            return [turned(each) for each in (reversed(value) if name in UNORDERED else value)]
        return value

    place = ("prior_state", "values", "root_module", "resources", 0, "values", "output")
    raw = edited({"value": f"{TREE}/x"}, "variables", "size", raw=edited(f"{TREE}/run.sh", *place))
    there = turned(moved(raw, "/elsewhere/tree"))
    bound = replace(BOUND, backend={"path": f"{TREE}/state"})
    assert of(raw, bound) == of(
        there, replace(bound, tree="/elsewhere/tree", backend={"path": "/elsewhere/tree/state"})
    )


def test_what_is_left_alone_does_not_count() -> None:
    more = [*RAW["resource_changes"], resource("idle", change(["no-op"], {"a": 1}, {"a": 1}))]
    assert of({**RAW, "resource_changes": more}) == DIGEST
    assert of(edited({"input": "drifted"}, "resource_changes", 3, "change", "before")) == DIGEST
    assert of(edited("replace_because_tainted", "resource_changes", 1, "action_reason")) == DIGEST
    # The input of a resource that nothing reads drifts.
    assert of(edited("!", "prior_state", "values", "root_module", "resources", 1, "values", "input")) == DIGEST


def test_what_a_newer_terraform_adds_counts() -> None:
    assert of({**RAW, "deferred_changes": []}) != DIGEST
    deferred = [{"reason": "unknown", "resource_change": RAW["resource_changes"][0]}]
    assert of({**RAW, "deferred_changes": deferred}) != of({**RAW, "deferred_changes": []})
    assert of({**RAW, "action_invocations": [{"address": "action.x"}]}) != DIGEST


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        pytest.param(0, "output", "rm -rf /", id="the provisioner's command"),
        pytest.param(2, "result", {"x": "2"}, id="an unknown argument, through a module's variable"),
        pytest.param(3, "host", "h2", id="where the provider goes"),
    ],
)
def test_what_is_read_at_apply_counts(place: int, name: str, value: Any) -> None:
    assert of(edited(value, "prior_state", "values", "root_module", "resources", place, "values", name)) != DIGEST


def test_what_a_provider_logs_in_with_does_not_count() -> None:
    place = ("prior_state", "values", "root_module", "resources", 3, "values", "token")
    assert of(edited("t2", *place)) == DIGEST


def test_no_secret_can_be_confirmed_without_the_key() -> None:
    """Whoever knows all but a weak secret, and all of this code, learns nothing from the digest."""
    other = bytes(reversed(KEY))
    for guess in ("hunter1", "hunter2"):
        raw = edited({"value": guess}, "variables", "password")
        assert (of(raw) == DIGEST) is (guess == "hunter2")
        assert of(raw, key=other) != DIGEST
    changes = {each.digest for each in address_changes(PLAN, TREE, KEY)}
    assert changes.isdisjoint(each.digest for each in address_changes(PLAN, TREE, other))


def test_nothing_but_names_is_hashed_without_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes into the plain SHA-256 holds no value of plan, backend, or file."""
    seen: list[bytes] = []
    sha256 = hashlib.sha256

    def listening(data: bytes = b"", **more: Any) -> Any:
        seen.append(data)
        return sha256(data, **more)

    monkeypatch.setattr("pytest_tfpipeline.gate.canonical.hashlib.sha256", listening)
    bound = replace(BOUND, backend={"password": "pa55-word"}, files={"secret.txt": "f00d" * 16})
    of(edited({"api": "t0ken"}, "resource_changes", 2, "change", "before"), bound)
    hashed = b"".join(seen)
    assert b"acme/platform" in hashed
    for secret in (b"hunter2", b"t0ken", b'1234"', b"pa55-word", b"f00d", b"rm -rf"):
        assert secret not in hashed


def test_a_plan_without_its_json_has_no_digest() -> None:
    with pytest.raises(PlanReadError, match="no JSON form"):
        plan_digest(Plan((), {}, {}, True, True, False, "1", "1.2"), BOUND, KEY)


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        plan_digest(PLAN, BOUND, b"")


def test_changes_by_address() -> None:
    found = {each.address: each for each in address_changes(PLAN, TREE, KEY)}
    assert {name: each.actions for name, each in found.items()} == {
        "module.m.terraform_data.inner": ("update",),
        "output.later": ("create",),
        "output.url": ("update",),
        "terraform_data.changed": ("update",),
        "terraform_data.gone": ("delete",),
        "terraform_data.let_go": ("forget",),
        "terraform_data.made": ("create",),
        "terraform_data.moved": ("no-op",),
        "terraform_data.taken": ("no-op",),
    }
    assert found["terraform_data.moved"].previous_address == "terraform_data.old"
    assert [name for name, each in found.items() if each.importing] == ["terraform_data.taken"]
    assert found["output.url"].type == "output"
    assert found["terraform_data.made"].type == "terraform_data"


def test_what_a_change_is_because_of_is_named_and_no_value_is() -> None:
    raw = copy.deepcopy(RAW)
    forced = change(["delete", "create"], {"input": 1, "id": "i"}, {"input": 2}, after_unknown={"id": True})
    tainted = change(["delete", "create"], {"input": 1}, {"input": 1})
    raw["resource_changes"] += [
        resource("forced", {**forced, "replace_paths": [["input", 0]]}),
        resource("tainted", tainted) | {"action_reason": "replace_because_tainted"},
    ]
    found = {each.address: each.because for each in address_changes(parse_plan(raw), TREE, KEY) if each.because}
    assert found == {
        "module.m.terraform_data.inner": ("input",),
        "terraform_data.changed": ("input",),
        "terraform_data.forced": ("input",),
        "terraform_data.tainted": ("replace_because_tainted",),
    }


def differing(raw: Mapping[str, Any], tree: str = TREE) -> list[str]:
    old = {each.address: each for each in address_changes(PLAN, TREE, KEY)}
    return [each.address for each in address_changes(parse_plan(raw), tree, KEY) if old.get(each.address) != each]


def test_a_change_is_compared_by_its_address_alone() -> None:
    assert differing(moved(RAW, "/elsewhere"), "/elsewhere") == []
    assert differing(edited({"input": 3}, "resource_changes", 1, "change", "after")) == ["terraform_data.changed"]
    assert differing(edited("c", "output_changes", "url", "after")) == ["output.url"]
    resources = ("configuration", "root_module", "resources")
    command = (*resources, 0, "provisioners", 0, "expressions", "interpreter", "constant_value")
    assert differing(edited(["bash"], *command)) == ["terraform_data.made"]
    inner = ("configuration", "root_module", "module_calls", "m", "module", "resources", 0, "expressions", "input")
    assert differing(edited({"constant_value": 1}, *inner)) == ["module.m.terraform_data.inner"]


def test_a_deposed_object_is_not_taken_for_its_successor() -> None:
    left = resource("made", change(["delete"], {"input": 0}, None), deposed="1f2e")
    raw = {**RAW, "resource_changes": [*RAW["resource_changes"], left]}
    assert differing(raw) == ["terraform_data.made (deposed object 1f2e)"]


def test_the_path_in_an_address_is_that_of_no_machine() -> None:
    raw = edited(f'terraform_data.made["{TREE}/x"]', "resource_changes", 0, "address")
    assert differing(raw) == ['terraform_data.made["./x"]']
    for tree in ("", "/", "/a"):
        raw = edited(f"terraform_data.made[{json.dumps(f'{tree}/b')}]", "resource_changes", 0, "address")
        found = [each.address for each in address_changes(parse_plan(raw), tree, KEY)]
        assert f'terraform_data.made["{"." if tree == "/a" else tree}/b"]' in found


@given(st.dictionaries(st.text(max_size=5), st.sampled_from([DIGEST, "unchanged", "deferred:a,b"]), max_size=5))
@settings(deadline=None)
def test_the_set_is_its_roots_and_nothing_else(roots: dict[str, str]) -> None:
    made = set_digest("staging", roots)
    assert made == set_digest("staging", dict(reversed(roots.items())))
    assert made != set_digest("production", roots)
    for root in roots:
        assert made != set_digest("staging", {**roots, root: "deferred:a"})
        assert made != set_digest("staging", {name: each for name, each in roots.items() if name != root})
    assert made.startswith("sha256:")
    assert len(made) == 71


def test_two_thousand_resources_are_told_apart() -> None:
    many = [resource(f"r{index}", change(["create"], None, {"input": index})) for index in range(2000)]
    raw = {**RAW, "resource_changes": many}
    assert len({each.digest for each in address_changes(parse_plan(raw), TREE, KEY)}) == 2002
    assert of(raw) != of(edited({"input": -1}, "resource_changes", 1999, "change", "after", raw=raw))
    assert canonical(raw) == canonical(json.loads(json.dumps(raw)))


def test_the_same_digests_come_out_on_every_machine_and_with_every_later_version() -> None:
    """Somebody may approve today what a run of tomorrow computes."""
    empty = {"format_version": "1.2"}
    made = resource("made", change(["create"], None, {"input": 1}))
    (one,) = address_changes(parse_plan({**empty, "resource_changes": [made]}), "/copy", KEY)
    elsewhere = resource("else", made["change"])
    (other,) = address_changes(parse_plan({**empty, "resource_changes": [elsewhere]}), "/copy", KEY)
    output = {"actions": ["create"], "before": None, "after": 1, "after_unknown": False}
    outputs = address_changes(parse_plan({**empty, "output_changes": {"a": output, "b": output}}), "/copy", KEY)

    assert (
        set_digest("production", {"core": "unchanged"})
        == "sha256:a21812ecdae862bf34b0e87b74ff7f88aa039351c84f0e2b1e50152e8f1bbad2"
    )
    assert one.digest == "sha256:736646f0d293c9b1835ef363271c73fe392cc848420bad7ee79dbbdbfd3f9bf4"
    assert one.digest != other.digest
    assert outputs[0].digest != outputs[1].digest
