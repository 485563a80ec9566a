"""A plan in terraform's JSON form with something of everything, and what it is bound to."""

from __future__ import annotations

import copy
from typing import Any

from pytest_tfpipeline.terraform.bound import Bound

TREE = "/copy/one"
KEY = bytes(range(32))


def change(actions: list[str], before: Any, after: Any, **more: Any) -> dict[str, Any]:
    marks = {"before_sensitive": {}, "after_sensitive": {}, "after_unknown": {}}
    return {"actions": actions, "before": before, "after": after, **marks, **more}


def resource(name: str, made: dict[str, Any], mode: str = "managed", **more: Any) -> dict[str, Any]:
    kind = "external" if mode == "data" else "terraform_data"
    prefix = f"{more['module_address']}." if "module_address" in more else ""
    address = f"{prefix}{'data.' if mode == 'data' else ''}{kind}.{name}"
    provider = {"provider_name": "terraform.io/builtin/terraform"}
    return {"address": address, "mode": mode, "type": kind, "name": name, **provider, "change": made, **more}


def stored(name: str, values: dict[str, Any], mode: str = "managed", **more: Any) -> dict[str, Any]:
    kind = "external" if mode == "data" else "terraform_data"
    address = f"{'data.' if mode == 'data' else ''}{kind}.{name}"
    return {"address": address, "mode": mode, "type": kind, "name": name, "values": values, **more}


def configured(name: str, expressions: dict[str, Any], mode: str = "managed", **more: Any) -> dict[str, Any]:
    kind = "external" if mode == "data" else "terraform_data"
    address = f"{'data.' if mode == 'data' else ''}{kind}.{name}"
    return {"address": address, "mode": mode, "type": kind, "name": name, "expressions": expressions, **more}


def refers(*names: str) -> dict[str, Any]:
    return {"references": list(names)}


RAW: dict[str, Any] = {
    "format_version": "1.2",
    "terraform_version": "1.11.4",
    "timestamp": "2025-01-01T00:00:00Z",
    "applyable": True,
    "complete": True,
    "errored": False,
    "variables": {"password": {"value": "hunter2"}, "size": {"value": 3}},
    "planned_values": {"root_module": {}},
    "resource_changes": [
        resource(
            "made",
            change(["create"], None, {"input": {"at": f"{TREE}/x", "password": "hunter2"}}, after_unknown={"id": True}),
        ),
        resource("changed", change(["update"], {"input": 1, "id": "i"}, {"input": 2, "id": "i"})),
        resource("gone", change(["delete"], {"input": 1, "id": "g"}, None)),
        resource("same", change(["no-op"], {"input": "s"}, {"input": "s"})),
        resource("moved", change(["no-op"], {"input": 1}, {"input": 1}), previous_address="terraform_data.old"),
        resource("taken", change(["no-op"], {"input": 1}, {"input": 1}, importing={"id": "i-1"})),
        resource("let_go", change(["forget"], {"input": 1}, None)),
        resource(
            "inner", change(["update"], {"input": 1}, {}, after_unknown={"input": True}), module_address="module.m"
        ),
        resource("read", change(["read"], None, {}, after_unknown={"result": True}), "data"),
    ],
    "output_changes": {
        "url": change(["update"], "a", "b"),
        "later": change(["create"], None, None, after_unknown=True),
        "kept": change(["no-op"], 1, 1),
    },
    "resource_drift": [],
    "relevant_attributes": [],
    "prior_state": {
        "values": {
            "root_module": {
                "resources": [
                    stored("same", {"input": "s", "output": "command"}),
                    stored("unused", {"input": "drifts"}),
                    stored("source", {"result": {"x": "1"}}, "data"),
                    stored("cluster", {"host": "h1", "token": "t1"}, "data", sensitive_values={"token": True}),
                ],
            }
        }
    },
    "checks": [
        {
            "address": {"to_display": f"check.{name}"},
            "status": "unknown",
            "instances": [{"address": {"to_display": f"{name}[{index}]"}, "status": "unknown"} for index in range(2)],
        }
        for name in ("one", "two")
    ],
    "configuration": {
        "provider_config": {
            "cloud": {
                "name": "cloud",
                "expressions": {
                    "key": {"constant_value": "1234"},
                    "host": refers("data.external.cluster.host", "data.external.cluster"),
                    "token": refers("data.external.cluster.token", "data.external.cluster"),
                },
            }
        },
        "root_module": {
            "outputs": {"later": {"expression": refers("module.m.out", "module.m")}},
            "resources": [
                configured(
                    "made",
                    {"input": refers("var.password")},
                    provisioners=[
                        {
                            "type": "local-exec",
                            "expressions": {
                                "command": refers("terraform_data.same.output", "terraform_data.same"),
                                "interpreter": {"constant_value": ["sh"]},
                            },
                        }
                    ],
                ),
                configured("source", {}, "data"),
                configured("cluster", {}, "data"),
            ],
            "module_calls": {
                "m": {
                    "source": "./m",
                    "expressions": {"given": refers("data.external.source.result")},
                    "module": {
                        "outputs": {"out": {"expression": refers("var.given")}},
                        "resources": [configured("inner", {"input": refers("var.given")})],
                    },
                }
            },
        },
    },
}


BOUND = Bound(
    repository="acme/platform",
    environment="production",
    account="123456789012",
    root="terraform/core",
    backend_type="s3",
    backend={"bucket": "state", "key": "core"},
    workspace="default",
    lineage="8d5b",
    serial=7,
    terraform="1.11.4",
    providers={"registry.terraform.io/hashicorp/aws": ("5.100.0", ("h1:abc", "zh:def"))},
    files={"terraform/core/main.tf": "0" * 64, "build/code.zip": "1" * 64},
    tree=TREE,
)


def edited(value: Any, *path: Any, raw: dict[str, Any] = RAW) -> dict[str, Any]:
    """A copy of the JSON with something else at that place."""
    made = copy.deepcopy(raw)
    place: Any = made
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return made
