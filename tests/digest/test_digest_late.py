"""Which values of the refreshed state an apply will read, found by references alone."""

from __future__ import annotations

from typing import Any

import pytest
from plan_json import RAW, change, configured, refers, resource, stored

from pytest_tfpipeline.gate.late import has_unknown, late_values, module_path
from pytest_tfpipeline.terraform.plan import parse_plan
from pytest_tfpipeline.terraform.unknown import UNKNOWN

OTHER = "terraform_data.other"
LISTS: dict[str, Any] = {"plain": [3], "partly": ["x", "s", {"y": 1, "z": "s"}]}
VALUES: dict[str, Any] = {"a": {"b": 1, "c": [2]}, "b": "other", "secret": "s", **LISTS}
MARKS: dict[str, Any] = {"secret": True, "a": {"c": [True]}, "plain": False, "partly": [False, True, {"z": True}]}


def found(
    config: dict[str, Any],
    *,
    actions: tuple[str, ...] = ("create",),
    provider: dict[str, Any] | None = None,
    child: dict[str, Any] | None = None,
    mode: str = "managed",
    outputs: dict[str, Any] | None = None,
    given: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What is read for one resource `it` of that configuration, and for outputs of that one, all unknown but for
    `known`. There are `terraform_data.other`, `data.external.src` with sensitive attributes, and in module `m`, which
    is `given` something, the same data source and `terraform_data.near`."""
    made = change(list(actions), None, {}, after_unknown={"input": True})
    inner = {**stored("src", {"a": 7}, "data"), "address": "module.m[0].data.external.src"}
    source = stored("src", VALUES, "data", sensitive_values=MARKS)
    near = {**stored("near", {"b": 8}), "address": "module.m[0].terraform_data.near"}
    call = {"expressions": given or {"given": refers("data.external.src.b")}, "module": child or {}}
    raw = {
        "format_version": "1.2",
        "resource_changes": [resource("it", made, mode)],
        "output_changes": {name: change(["create"], None, 1, after_unknown=name != "known") for name in outputs or {}},
        "configuration": {
            "provider_config": {"p": provider} if provider else {},
            "root_module": {
                "resources": [configured("it", {}, mode) | config],
                "module_calls": {"m": call},
                "outputs": {name: {"expression": each} for name, each in (outputs or {}).items()},
            },
        },
        "prior_state": {
            "values": {
                "root_module": {
                    "resources": [stored("other", VALUES), source],
                    "child_modules": [{"address": "module.m[0]", "resources": [inner, near]}],
                }
            }
        },
    }
    late = late_values(parse_plan(raw))
    return {f"{each.source}:{each.attribute}{'?' if each.open_only else ''}": each.value for each in late}


def run(*references: str, kind: str = "local-exec") -> dict[str, Any]:
    return {"provisioners": [{"type": kind, "expressions": {"command": refers(*references)}}]}


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        (
            ["terraform_data.other.a.b", "terraform_data.other.a", "terraform_data.other"],
            {"terraform_data.other:a.b": 1},
        ),
        (
            ["terraform_data.other[0].a.b", "terraform_data.other[0]", "terraform_data.other"],
            {"terraform_data.other:a.b": 1},
        ),
        (["terraform_data.other"], {"terraform_data.other:": VALUES}),
        (['terraform_data.other.a["x"].b'], {"terraform_data.other:a": VALUES["a"]}),
        (["data.external.src.secret", "data.external.src"], {"data.external.src:secret": "s"}),
        (["data.external.src[0].a.c"], {"data.external.src:a.c": [2]}),
        (["local.x"], {"data.external.src:": VALUES}),
        (["var.x", "self.id", "path.module", "terraform.workspace", "count.index"], {}),
        (["terraform_data.unheard_of.id"], {}),
        (["module.m.out", "module.m"], {"module.m[0].data.external.src:a": 7}),
        (["module.m"], {"module.m[0].data.external.src:a": 7, "data.external.src:b": "other"}),
        (["module.m[0].out"], {"module.m[0].data.external.src:a": 7}),
        (["module.m.out.x"], {"module.m[0].data.external.src:a": 7}),
    ],
)
def test_references_of_a_provisioner_are_followed(references: list[str], expected: dict[str, Any]) -> None:
    outputs = {"out": {"expression": refers("data.external.src.a")}, "given": {"expression": refers("var.given")}}
    assert found(run(*references), child={"outputs": outputs}) == expected


def test_a_provisioner_runs_where_something_is_made_or_destroyed() -> None:
    command = run("terraform_data.other.b")
    assert found(command, actions=("delete",)) == found(command) == {"terraform_data.other:b": "other"}
    assert found(command, actions=("update",)) == {}
    assert found(command, actions=("no-op",)) == {}


def test_how_a_provisioner_connects_may_come_from_any_data_source() -> None:
    assert found(run(kind="remote-exec")) == {"data.external.src:": VALUES}


def test_each_stands_for_what_it_goes_through() -> None:
    config = run("each.value") | {"for_each_expression": refers("terraform_data.other.b")}
    assert found(config) == {"terraform_data.other:b": "other"}
    both = run("each.value", "data.external.src.b") | {"for_each_expression": refers("terraform_data.other.b")}
    assert found(both) == {"terraform_data.other:b": "other", "data.external.src:b": "other"}
    assert found(run("count.index") | {"for_each_expression": refers("terraform_data.other.b")}) == {}


def test_only_arguments_that_are_unknown_are_followed() -> None:
    config = {"expressions": {"input": refers("terraform_data.other.b"), "triggers": refers("data.external.src.b")}}
    assert found(config) == {"terraform_data.other:b": "other"}


def test_a_data_source_that_is_read_at_apply_is_followed_in_all_arguments() -> None:
    config = {"expressions": {"program": [{"x": refers("terraform_data.other.b")}]}}
    assert found(config, actions=("read",), mode="data") == {"terraform_data.other:b": "other"}


def test_a_provider_is_followed_but_for_secrets() -> None:
    provider = {"expressions": {"host": refers("local.x"), "token": refers("data.external.src.secret")}}
    lists = {"plain": [3], "partly": ["x", None, {"y": 1, "z": None}]}
    shown = {"a": {"b": 1, "c": [None]}, "b": "other", "secret": None, **lists}
    assert found({}, provider=provider) == {"data.external.src:?": shown, "data.external.src:secret?": None}
    inner = {"module_address": "module.m", "expressions": {"host": refers("data.external.src.a")}}
    assert found({}, provider=inner) == {"module.m[0].data.external.src:a?": 7}
    both = found(run("data.external.src.secret"), provider=provider)
    assert (both["data.external.src:secret"], both["data.external.src:secret?"]) == ("s", None)


def test_secrets_of_a_provider_are_left_out_on_the_way_through_modules() -> None:
    provider = {"expressions": {"token": refers("module.m.out")}}
    outputs = {"out": {"expression": refers("var.token")}}
    read = found({}, provider=provider, child={"outputs": outputs}, given={"token": refers("data.external.src.secret")})
    assert read == {"data.external.src:secret?": None}


def test_a_variable_is_followed_through_every_module_and_what_each_stands_for() -> None:
    inner = {"outputs": {"out": {"expression": refers("var.deep")}}}
    calls = {"n": {"expressions": {"deep": refers("var.given", "each.key")}, "module": inner}}
    calls["n"]["for_each_expression"] = refers("terraform_data.near.b")
    middle = {"outputs": {"out": {"expression": refers("module.n.out")}}, "module_calls": calls}
    assert found(run("module.m.out"), child=middle) == {
        "data.external.src:b": "other",
        "module.m[0].terraform_data.near:b": 8,
    }


def test_an_output_that_is_unknown_is_followed_and_no_other() -> None:
    outputs = {"known": refers("terraform_data.other.b"), "url": refers("data.external.src.b")}
    assert found({}, outputs=outputs) == {"data.external.src:b": "other"}


def test_a_plan_without_state_or_configuration_reads_nothing() -> None:
    raw = {name: each for name, each in RAW.items() if name not in ("prior_state", "configuration")}
    assert late_values(parse_plan(raw)) == ()


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("", ()),
        ("module.a", ("a",)),
        ('module.a["x.y].module.z"].module.b[3]', ("a", "b")),
        ('module.a["quo\\"te]"].module.b', ("a", "b")),
    ],
)
def test_the_path_of_a_module(address: str, path: tuple[str, ...]) -> None:
    assert module_path(address) == path


def test_unknown_at_any_depth() -> None:
    assert has_unknown({"a": [1, {"b": UNKNOWN}]})
    assert not has_unknown({"a": [1, {"b": None}]})
