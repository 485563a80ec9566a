"""Roots with a state: what is in it is in the configuration no more, or under another name, or as another type."""

from __future__ import annotations

import json
from typing import Any

from case import Case

_AT = "2024-01-01T00:00:00Z"
_LENGTHS = ("days", "hours", "minutes", "months", "seconds")
_PARTS = {"day": 1, "hour": 0, "minute": 0, "month": 1, "second": 0, "unix": 1704067200, "year": 2024}


def _state(*resources: dict[str, Any]) -> dict[str, str]:
    """A state file as terraform writes it."""
    whole = {
        "version": 4,
        "terraform_version": "1.11.4",
        "serial": 3,
        "lineage": "00000000-0000-0000-0000-000000000001",
        "outputs": {},
        "resources": list(resources),
        "check_results": None,
    }
    return {"terraform.tfstate": json.dumps(whole, indent=2) + "\n"}


def _resource(type_name: str, name: str, attributes: dict[str, Any], **more: Any) -> dict[str, Any]:
    provider = type_name.partition("_")[0]
    address = (
        "terraform.io/builtin/terraform" if provider == "terraform" else f"registry.terraform.io/hashicorp/{provider}"
    )
    return {
        "mode": "managed",
        "type": type_name,
        "name": name,
        "provider": f'provider["{address}"]',
        "instances": [{"schema_version": 0, "attributes": attributes, **more.pop("instance", {})}],
        **more,
    }


def _static(name: str = "it", **more: Any) -> dict[str, Any]:
    return _resource("time_static", name, {"id": _AT, "rfc3339": _AT, "triggers": None, **_PARTS}, **more)


_SLEEP = _resource(
    "time_sleep", "gone", {"id": _AT, "create_duration": "1s", "destroy_duration": None, "triggers": None}
)
_DATA = _resource("terraform_data", "gone", {"id": "a", "input": None, "output": None, "triggers_replace": None})
_OFFSET = {"offset_years": 1, "base_rfc3339": _AT, "rfc3339": _AT.replace("2024", "2025"), **_PARTS, "triggers": None}
#: Of each other: the last depends on both.
_CHAIN = (
    _SLEEP,
    _resource(
        "time_offset",
        "gone",
        {"id": _AT, **_OFFSET, **dict.fromkeys(f"offset_{name}" for name in _LENGTHS)},
        instance={"dependencies": ["time_sleep.gone"]},
    ),
    _resource(
        "time_rotating",
        "gone",
        {"id": _AT, "rfc3339": _AT, "rotation_rfc3339": "2999-01-01T00:00:00Z", **_PARTS, "triggers": None},
        instance={"dependencies": ["time_offset.gone", "time_sleep.gone"]},
    ),
)
_READ = {"id": "a", "filename": "a", "content": "a", "content_base64": "YQ=="} | {
    f"content_{name}": None for name in ("md5", "sha1", "sha256", "sha512", "base64sha256", "base64sha512")
}
_KEPT = f'resource "time_static" "it" {{\n  rfc3339 = "{_AT}"\n}}\n'
_OTHER = 'resource "time_static" "other" {\n  rfc3339 = "2024-01-01T00:00:00Z"\n}\n'

STATE = (
    Case("state with nothing to do", _KEPT, ("time",), _state(_static())),
    Case("state with a change", _KEPT.replace("2024", "2025"), ("time",), _state(_static())),
    Case("state with a resource less", _OTHER, ("time",), _state(_static(), _static("other"))),
    Case("state with a type less", _KEPT, ("time",), _state(_static(), _SLEEP)),
    Case("state with a provider less", _KEPT, ("time",), _state(_static(), _DATA)),
    Case(
        "state with types less that depend on each other",
        _OTHER,
        ("time",),
        _state(_static("other"), *_CHAIN),
    ),
    Case(
        "state with a data source less",
        _KEPT,
        ("time", "local"),
        _state(_static(), _resource("local_sensitive_file", "gone", _READ, mode="data")),
    ),
    Case(
        "state with a deposed object of a type less",
        _KEPT,
        ("time",),
        _state(
            _static(),
            {**_SLEEP, "instances": [*_SLEEP["instances"], {**_SLEEP["instances"][0], "deposed": "00000001"}]},
        ),
    ),
    Case("state with everything less", 'output "a" {\n  value = 1\n}\n', ("time",), _state(_static())),
    Case("state with a module less", _KEPT, ("time",), _state(_static(module="module.gone"))),
    Case(
        "state that moved",
        "moved {\n  from = time_static.old\n  to   = time_static.it\n}\n" + _KEPT,
        ("time",),
        _state(_static("old")),
    ),
    Case(
        "state that moved into a count",
        "moved {\n  from = time_static.it\n  to   = time_static.it[1]\n}\n"
        + _KEPT.replace("{\n", "{\n  count   = 2\n", 1),
        ("time",),
        _state(_static()),
    ),
    Case(
        "state that is forgotten",
        "removed {\n  from = time_sleep.gone\n\n  lifecycle {\n    destroy = false\n  }\n}\n" + _KEPT,
        ("time",),
        _state(_static(), _SLEEP),
    ),
    Case("state with a deposed object", _KEPT, ("time",), _state(_static(instance={"deposed": "00000001"}))),
    Case("state that is tainted", _KEPT, ("time",), _state(_static(instance={"status": "tainted"}))),
    Case("state of a newer provider", _KEPT, ("time",), _state(_static(instance={"schema_version": 7}))),
    Case("state of another shape", _KEPT, ("time",), _state(_static(instance={"attributes": {"nonsense": 1}}))),
    Case(
        "state of a type that there is not",
        _KEPT,
        ("time",),
        _state(_static(), _resource("time_machine", "it", {"id": "a"})),
    ),
    Case(
        "state of a file that is gone",
        'resource "local_file" "it" {\n  filename = "nowhere"\n  content  = "a"\n}\n',
        ("local",),
        _state(
            _resource(
                "local_file",
                "it",
                {
                    "id": "a",
                    "filename": "nowhere",
                    "content": "a",
                    "directory_permission": "0777",
                    "file_permission": "0777",
                },
            )
        ),
    ),
    Case(
        "state that must not be destroyed",
        'resource "time_static" "it" {\n  rfc3339 = "2025-01-01T00:00:00Z"\n\n'
        "  lifecycle {\n    prevent_destroy = true\n  }\n}\n",
        ("time",),
        _state(_static()),
    ),
    Case("state that is none", _KEPT, ("time",), {"terraform.tfstate": "nonsense\n"}),
)
