"""Digests of plans: what an approval is bound to, and what a promotion and a review are compared by.

**The same** for the same plan made again on another machine, on another day, in another order: the plan's time, its
JSON's order, refreshed values that nothing uses, and the path of the private copy do not count.
**Different** for whatever an apply would do otherwise: everything in terraform's JSON plan that is not named in
`_NOT_APPLIED` counts, so what a newer terraform adds counts too. An expression is there by its references alone; its
text counts as the bytes of its file, and the values that it will read as those of `late_values`.
**Telling nothing.** Whatever may hold a secret enters as HMAC-SHA256 under the key, whole: values before and after with
their names, outputs, variables, the configuration (a provider's argument may be a constant), backend arguments, and
the hashes of files, since a file with a weak secret could be guessed by its plain hash. Terraform's marks of what is
sensitive are not relied on. Without the key nobody can confirm a guess, be it ever so good.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pytest_tfpipeline.errors import PlanReadError
from pytest_tfpipeline.gate.canonical import canonical, digest, seal
from pytest_tfpipeline.gate.late import configured, late_values, place_of
from pytest_tfpipeline.terraform.bound import Bound
from pytest_tfpipeline.terraform.plan import Plan, ResourceChange
from pytest_tfpipeline.terraform.unknown import UNKNOWN

__all__ = ["AddressChange", "Bound", "address_changes", "only_became_known", "plan_digest", "set_digest"]

_KEY_BYTES = 32
#: Of the plan's JSON: when it was made, the state (bound by lineage and serial, and by `late_values`), what follows
#: from the rest, and what terraform says for people.
_NOT_APPLIED = frozenset({"timestamp", "prior_state", "planned_values", "resource_drift", "relevant_attributes"})
_CHANGES = "resource_changes"
#: Why terraform does it; what it does is in the actions.
_WHY = "action_reason"
#: Values that `==` compares as JSON does, once their types agree.
_PLAIN = (str, bool, int, type(None))
#: Of a change's JSON, what is compared as part of the typed plan, or follows from what is.
_TYPED = frozenset(
    {"actions", "before", "after", "after_unknown", "before_sensitive", "after_sensitive", "replace_paths"}
)
#: Compared value by value in `only_became_known`.
_BECOMING = frozenset({_CHANGES, "output_changes", "checks"})


@dataclass(frozen=True, slots=True)
class AddressChange:
    """One change that a plan makes, to compare plans of other runs, commits or machines by.

    `type` is "output" for an output, whose address is `output.NAME`. A deposed object's address says so, as terraform's
    own output does, and the private copy's path in an address is `.`. The digest covers the values, the arguments in
    the configuration and the provider's name; not the text of a provisioner's template, which is a file's. `because`
    names arguments, for whoever reads: what an update changes, or what forces a replacement. Nothing is compared by it.
    """

    address: str
    type: str
    actions: tuple[str, ...]
    digest: str
    previous_address: str | None = None
    importing: bool = False
    because: tuple[str, ...] = field(default=(), compare=False, repr=False)


def plan_digest(plan: Plan, bound: Bound, key: bytes) -> str:
    """`sha256:` and 64 hex digits over the plan and what it is bound to; raises PlanReadError for what is no plan."""
    raw = _whole(plan, key)
    plain = {name: getattr(bound, name) for name in Bound.__slots__ if name not in {"backend", "files", "tree"}}
    return digest(
        {
            "kind": "tfpipeline plan 1",
            **plain,
            "backend": seal(key, "backend", bound.backend, bound.tree),
            "files": seal(key, "files", bound.files),
            "plan": {name: _part(name, value, key, bound.tree) for name, value in raw.items() if _counts(name)},
            "late": [seal(key, "late", asdict(each), bound.tree) for each in late_values(plan)],
        }
    )


def address_changes(plan: Plan, tree: str, key: bytes) -> tuple[AddressChange, ...]:
    """What the plan does to managed resources (moves, imports and forgetting included) and outputs, by address.

    Independent of commit, serial and machine; `tree` is the path of the private copy.
    """
    raw, config = _whole(plan, key), configured(plan)
    items = zip(plan.resources, raw.get(_CHANGES) or (), strict=True)
    resources = [
        _address_change(change, {"change": _applied(item), "configuration": config.get(place_of(change))}, tree, key)
        for change, item in items
        if change.mode == "managed" and not _is_idle(item)
    ]
    outputs = [
        AddressChange(
            f"output.{name}", "output", each.actions, _digest_of(name, raw["output_changes"][name], tree, key)
        )
        for name, each in plan.outputs.items()
        if each.actions != ("no-op",)
    ]
    return tuple(sorted((*resources, *outputs), key=lambda each: (each.address, each.digest)))


def set_digest(environment: str, roots: Mapping[str, str]) -> str:
    """The digest over all roots of an environment: each by its plan's digest, "unchanged", or "deferred:UPSTREAMS"."""
    return digest({"kind": "tfpipeline plan set 1", "environment": environment, "roots": dict(roots)})


def only_became_known(approved: Plan, now: Plan) -> bool:
    """Whether `now` does what was approved, and differs in nothing but values that were unknown and are known now.

    Both must be plans of the same private copy, on the same state and files. Addresses, actions, known values, outputs,
    configuration and variables are the same; values that only the apply reads have not moved; a data source that was to
    be read during the apply may have been read; a check whose outcome was unknown may pass. Resources with nothing to
    do must be the same ones: another root's apply does not change them. In doubt the answer is no, and an approval is
    asked for again.
    """
    before, after = _others(approved), _others(now)
    return (
        canonical(before) == canonical(after)
        and _same_resources(approved, now)
        and approved.outputs.keys() == now.outputs.keys()
        and all(_became(_facts(each), _facts(now.outputs[name])) for name, each in approved.outputs.items())
        and _said_besides(now).items() <= _said_besides(approved).items()
        and _checks_held(approved, now)
        and _late_held(approved, now)
    )


def _whole(plan: Plan, key: bytes) -> Mapping[str, Any]:
    """The plan's JSON; a digest over less than that, or under a key that is none, would bind nothing."""
    if "format_version" not in plan.raw:
        raise PlanReadError("has no JSON form to make a digest of", mend="plan again")
    if len(key) < _KEY_BYTES:
        raise ValueError(f"a digest key has at least {_KEY_BYTES} bytes")
    return plan.raw


def _counts(name: str) -> bool:
    return name not in _NOT_APPLIED


def _part(name: str, value: Any, key: bytes, tree: str) -> Any:
    """One member of the plan's JSON. Its lists are sets: terraform promises no order."""
    if not isinstance(value, list):
        return seal(key, name, value, tree)
    items = [_applied(item) for item in value if not _is_idle(item)] if name == _CHANGES else value
    return sorted(seal(key, name, _sorted_instances(item) if name == "checks" else item, tree) for item in items)


def _sorted_instances(check: Any) -> Any:
    instances = check.get("instances") if isinstance(check, dict) else None
    return {**check, "instances": sorted(instances, key=canonical)} if isinstance(instances, list) else check


def _is_idle(item: Mapping[str, Any]) -> bool:
    """Whether nothing is done to the resource: neither changed, moved nor imported."""
    change = item["change"]
    moved = item.get("previous_address") is not None
    return change.get("actions") == ["no-op"] and not moved and change.get("importing") is None


def _applied(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name != _WHY}


def _address_change(change: ResourceChange, facts: Mapping[str, Any], tree: str, key: bytes) -> AddressChange:
    address = f"{change.address} (deposed object {change.deposed})" if change.deposed else change.address
    return AddressChange(
        _without(tree, address),
        change.type,
        change.actions,
        _digest_of(change.address, facts, tree, key),
        change.previous_address and _without(tree, change.previous_address),
        change.importing is not None,
        _because(change),
    )


def _because(change: ResourceChange) -> tuple[str, ...]:
    """Names of arguments, never a value of one; terraform's word for it where a replacement has another reason."""
    if change.replaces:
        forcing = {str(path[0]) for path in change.replace_paths if path}
        return tuple(sorted(forcing)) or ((change.action_reason,) if change.action_reason else ())
    if change.actions != ("update",) or change.before is None or change.after is None:
        return ()
    before, after = change.before, change.after
    return tuple(
        name for name in sorted({*before, *after}) if canonical(before.get(name)) != canonical(after.get(name))
    )


def _digest_of(address: str, facts: object, tree: str, key: bytes) -> str:
    return digest({"kind": "tfpipeline change 1", "change": seal(key, "change", [address, facts], tree)})


def _without(tree: str, address: str) -> str:
    return address.replace(tree, ".") if len(tree) > 1 else address


def _others(plan: Plan) -> dict[str, Any]:
    return {name: value for name, value in plan.raw.items() if _counts(name) and name not in _BECOMING}


def _same_resources(approved: Plan, now: Plan) -> bool:
    old, new = _by_address(approved), _by_address(now)
    read = {name for name, each in old.items() if each.mode == "data" and name not in new}
    return (
        len(old) == len(approved.resources)
        and len(new) == len(now.resources)
        and old.keys() - read == new.keys()
        and all(_became(_facts(old[name]), _facts(new[name])) for name in new)
    )


def _by_address(plan: Plan) -> dict[tuple[str, str | None], ResourceChange]:
    return {(each.address, each.deposed): each for each in plan.resources}


def _said_besides(plan: Plan) -> dict[tuple[str, str | None], bytes]:
    """Of every change what the typed plan does not hold, by address: a newer terraform may say more of one."""
    resources = {(item["address"], item.get("deposed")): item for item in plan.raw.get(_CHANGES) or ()}
    changed = (plan.raw.get("output_changes") or {}).items()
    outputs = {(f"output.{name}", None): {"change": each} for name, each in changed}
    return {name: canonical(_untyped(item)) for name, item in (resources | outputs).items()}


def _untyped(item: Mapping[str, Any]) -> dict[str, Any]:
    return {**_applied(item), "change": {name: each for name, each in item["change"].items() if name not in _TYPED}}


def _facts(item: Any) -> dict[str, Any]:
    """What must hold of a change or an output. What is sensitive is known only where the value is; of a resource with
    nothing to do, the values may drift."""
    left_out = {"after_sensitive", _WHY}
    idle = isinstance(item, ResourceChange) and item.actions == ("no-op",)
    if idle and item.previous_address is None and item.importing is None:
        left_out |= {"before", "after", "before_sensitive"}
    return {name: getattr(item, name) for name in item.__slots__ if name not in left_out}


def _became(approved: object, now: object) -> bool:
    """Whether `now` is the approved value, with anything where UNKNOWN was."""
    if approved is UNKNOWN:
        return True
    if isinstance(approved, Mapping) and isinstance(now, Mapping):
        return approved.keys() == now.keys() and all(_became(each, now[name]) for name, each in approved.items())
    if isinstance(approved, list | tuple) and isinstance(now, list | tuple):
        return len(approved) == len(now) and all(map(_became, approved, now))
    if type(approved) is type(now) and isinstance(approved, _PLAIN):
        return approved == now
    return canonical(approved) == canonical(now)


def _checks_held(approved: Plan, now: Plan) -> bool:
    """Whether every check says what it said, or passes where nobody knew."""
    old, new = dict(_statuses(approved)), dict(_statuses(now))
    return old.keys() == new.keys() and all(
        new[name] == status or (status, new[name]) == ("unknown", "pass") for name, status in old.items()
    )


def _late_held(approved: Plan, now: Plan) -> bool:
    """Whether no value has moved that both will read at apply."""
    old = {each.name: each.value for each in late_values(approved)}
    both = [each for each in late_values(now) if each.name in old]
    return all(canonical(old[each.name]) == canonical(each.value) for each in both)


def _statuses(plan: Plan) -> Iterator[tuple[bytes, Any]]:
    for check in plan.checks:
        yield canonical(check.get("address")), check.get("status")
        for each in check.get("instances") or ():
            yield canonical([check.get("address"), each.get("address")]), each.get("status")
