"""What an apply reads that no planned value shows: arguments of provisioners and providers, and parts of the unknown.

A plan's JSON form names only the references of an expression, and where its result is not known yet, or never planned
(`provisioner`, `connection`, `provider`), the values that it will be made of are in the refreshed state alone. One that
has moved since the plan was approved would be applied unseen, so these values are looked up here.

Local values are not in that form. An expression that uses one is taken to read every data source of its module: their
values come from outside. Managed resources behind a local value are held by the state's serial, as far as nobody
changes them by hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from pytest_tfpipeline.terraform.plan import Plan, ResourceChange
from pytest_tfpipeline.terraform.unknown import UNKNOWN

#: Path of a module: the names of its calls, without instance keys.
ModulePath = tuple[str, ...]
#: Where a resource's configuration stands: its module, and its address there without an instance key.
Place = tuple[ModulePath, str]

_CALL = re.compile(r'module\.([^.\[]+)(?:\[(?:"(?:[^"\\]|\\.)*"|\d+)\])?')
#: As an expression that uses a local value.
_ANYTHING = {"references": ["local"]}
_BRACKETS = re.compile(r"\[[^\]]*\]")
#: A step of a reference that is an index or a key.
_INDEX = "[]"


@dataclass(frozen=True, slots=True)
class Late:
    """One value that is read at apply: `source` is an address in the state, `attribute` the path in it ("" for all).

    With `open_only`, what is marked sensitive is None.
    """

    source: str
    attribute: str
    value: Any
    open_only: bool = False

    @property
    def name(self) -> tuple[str, str, bool]:
        """What it is the value of."""
        return self.source, self.attribute, self.open_only


def late_values(plan: Plan) -> tuple[Late, ...]:
    """What the apply will read from the refreshed state, in the order of their addresses; without duplicates."""
    walk = _Walk(plan.raw)
    for change in plan.resources:
        _of_resource(walk, change)
    top = walk.modules.get((), {})
    for name, output in (top.get("outputs") or {}).items():
        if name in plan.outputs and has_unknown(plan.outputs[name].after):
            walk.expressions((), output.get("expression"))
    for provider in ((plan.raw.get("configuration") or {}).get("provider_config") or {}).values():
        # What a provider logs in with may be new each time, and says who applies, not what; the account is bound.
        walk.expressions(module_path(provider.get("module_address", "")), provider.get("expressions"), open_only=True)
    return tuple(walk.found[name] for name in sorted(walk.found))


def module_path(address: str) -> ModulePath:
    """`module.a["x"].module.b` -> ("a", "b")."""
    return tuple(_CALL.findall(address))


def configured(plan: Plan) -> dict[Place, Mapping[str, Any]]:
    """The configuration of every resource, by its place."""
    modules = _modules(((plan.raw.get("configuration") or {}).get("root_module")) or {}, ())
    return {(path, item["address"]): item for path, module in modules for item in module.get("resources") or ()}


def place_of(change: ResourceChange) -> Place:
    """Where the configuration of a resource instance stands."""
    name = f"{change.type}.{change.name}"
    return module_path(change.module), f"data.{name}" if change.mode == "data" else name


def has_unknown(value: object) -> bool:
    """Whether anything in it is known only after apply."""
    if isinstance(value, Mapping):
        return any(map(has_unknown, value.values()))
    return value is UNKNOWN or (isinstance(value, list) and any(map(has_unknown, value)))


def _of_resource(walk: _Walk, change: ResourceChange) -> None:
    place = place_of(change)
    config = walk.resources.get(place)
    if config is None or change.actions == ("no-op",):
        return
    after, arguments = change.after or {}, config.get("expressions") or {}
    read = [each for name, each in arguments.items() if change.mode == "data" or has_unknown(after.get(name))]
    if set(change.actions) & {"create", "delete"}:
        provisioners = config.get("provisioners") or ()
        # How to connect is not in the plan's JSON form.
        connected = any(each.get("type") != "local-exec" for each in provisioners)
        read += [*provisioners, *([_ANYTHING] if connected else ())]
    walk.expressions(place[0], read, each_of=config.get("for_each_expression"))


class _Walk:
    """Follows references through modules to values of the refreshed state."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        top = (raw.get("configuration") or {}).get("root_module") or {}
        self.modules = dict(_modules(top, ()))
        self.resources = {
            (path, item["address"]): item for path, each in self.modules.items() for item in each.get("resources") or ()
        }
        self.found: dict[tuple[str, str, bool], Late] = {}
        self._seen: set[tuple[ModulePath, str, bool]] = set()
        self._instances: dict[Place, list[Mapping[str, Any]]] = {}
        state = ((raw.get("prior_state") or {}).get("values") or {}).get("root_module") or {}
        for path, item in _instances(state, ()):
            name = f"{item['type']}.{item['name']}"
            place = path, f"data.{name}" if item["mode"] == "data" else name
            self._instances.setdefault(place, []).append(item)

    def expressions(self, path: ModulePath, value: Any, *, each_of: Any = None, open_only: bool = False) -> None:
        """Follow every reference at any depth; `each_of` is what `each` stands for, and `open_only` leaves values out
        that are marked sensitive."""
        references = set(_references(value))
        if any(reference.startswith("each.") for reference in references):
            references |= set(_references(each_of))
        for reference in sorted(references):
            if (path, reference, open_only) not in self._seen:
                self._seen.add((path, reference, open_only))
                self._follow(path, _BRACKETS.sub(f".{_INDEX}", reference).split("."), open_only)

    def _follow(self, path: ModulePath, steps: list[str], open_only: bool) -> None:
        kind, name, rest = steps[0], "".join(steps[1:2]), _without_index(steps[2:])
        if kind == "local":
            for place in self._instances:
                if place[0] == path and place[1].startswith("data."):
                    self._read(place, [], open_only)
        elif kind == "var" and path:
            call = (self.modules.get(path[:-1], {}).get("module_calls") or {}).get(path[-1], {})
            argument, each_of = (call.get("expressions") or {}).get(name), call.get("for_each_expression")
            self.expressions(path[:-1], argument, each_of=each_of, open_only=open_only)
        elif kind == "module":
            outputs = self.modules.get((*path, name), {}).get("outputs") or {}
            for each in rest[:1] if rest and rest[0] in outputs else tuple(outputs):
                self.expressions((*path, name), outputs[each].get("expression"), open_only=open_only)
        elif kind == "data" and rest:
            self._read((path, f"data.{name}.{rest[0]}"), _without_index(rest[1:]), open_only)
        else:
            self._read((path, f"{kind}.{name}"), rest, open_only)

    def _read(self, place: Place, steps: list[str], open_only: bool) -> None:
        for item in self._instances.get(place, ()):
            value = item.get("values") or {}
            if open_only:
                value = _open(value, item.get("sensitive_values"))
            taken = []
            for step in steps:
                if not isinstance(value, Mapping) or step not in value:
                    break
                taken.append(step)
                value = value[step]
            late = Late(item["address"], ".".join(taken), value, open_only)
            self.found[late.name] = late


def _without_index(steps: list[str]) -> list[str]:
    return steps[1:] if steps[:1] == [_INDEX] else steps


def _open(value: Any, marks: Any) -> Any:
    """The value without what is marked sensitive."""
    if marks is True:
        return None
    if isinstance(value, Mapping) and isinstance(marks, Mapping):
        return {name: _open(each, marks.get(name)) for name, each in value.items()}
    if isinstance(value, list) and isinstance(marks, list):
        return [_open(each, mark) for each, mark in zip_longest(value, marks[: len(value)])]
    return value


def _modules(module: Mapping[str, Any], path: ModulePath) -> Iterator[tuple[ModulePath, Mapping[str, Any]]]:
    yield path, module
    for name, call in (module.get("module_calls") or {}).items():
        yield from _modules(call.get("module") or {}, (*path, name))


def _instances(module: Mapping[str, Any], path: ModulePath) -> Iterator[tuple[ModulePath, Mapping[str, Any]]]:
    for item in module.get("resources") or ():
        yield path, item
    for child in module.get("child_modules") or ():
        yield from _instances(child, module_path(child["address"]))


def _references(value: Any) -> Iterator[str]:
    """The longest references at any depth: of `a.b.c` terraform lists `a.b` as well."""
    if isinstance(value, list):
        for each in value:
            yield from _references(each)
    elif isinstance(value, Mapping):
        names = value.get("references")
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            longer = set(names)
            yield from (n for n in names if not any(o != n and o.startswith((f"{n}.", f"{n}[")) for o in longer))
        for name, each in value.items():
            if name != "references":
                yield from _references(each)
