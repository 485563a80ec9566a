"""What holds the state of a set of targets, and its locks: an emulated cloud must have it before anything starts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from pytest_tfpipeline.emulator import StateStore
from pytest_tfpipeline.model import Root, Run, Target

#: Only literal values can be known here, and a backend takes no others.
_SETTING = re.compile(r'^\s*"?([\w-]+)"?\s*=\s*"((?:[^"\\]|\\.)*)"', re.MULTILINE)
#: Where an S3 backend may name the role that it assumes.
_ROLES = ("assume_role.role_arn", "role_arn")


def backend_settings(run: Run, target: Target) -> dict[str, str]:
    """The backend's settings as terraform puts them together: block, then files and pairs in order."""
    root = next(one for one in run.repository.roots if one.dir == target.root)
    return settings_of(root, target, Path(run.repository.path))


def settings_of(root: Root, target: Target, top: Path) -> dict[str, str]:
    """The same before there is a run; `top` is the repository's."""
    settings = dict(root.backend_config)
    for given in target.backend_config:
        path = top / given
        if path.is_file():
            settings |= dict(_SETTING.findall(path.read_text("utf-8", "replace")))
        elif "=" in given:
            key, _, value = given.partition("=")
            settings[key.strip()] = value.strip()
    return settings


def state_stores(run: Run, targets: Iterable[Target]) -> tuple[StateStore, ...]:
    """The S3 buckets that these targets keep their state in, and the DynamoDB tables that they lock it with; sorted."""
    kinds = {root.dir: root.backend for root in run.repository.roots}
    found = {
        _store(backend_settings(run, target), target)
        for target in targets
        if kinds.get(target.root) == "s3" and not target.backend_local
    }
    return tuple(sorted((store for store in found if store.bucket), key=StateStore.dumps))


def _store(settings: Mapping[str, str], target: Target) -> StateStore:
    """The account is that of the role which the backend assumes, the region the backend's own or the target's."""
    role = next((settings[name] for name in _ROLES if settings.get(name)), "")
    given = {**target.plan_env, **target.env}
    return StateStore(
        settings.get("bucket", ""),
        settings.get("dynamodb_table", ""),
        settings.get("region") or given.get("AWS_REGION") or given.get("AWS_DEFAULT_REGION") or "",
        _account(role),
    )


def _account(role: str) -> str:
    """The account in a role's ARN; "" where there is none."""
    parts = role.split(":")
    return parts[4] if len(parts) > 5 and parts[4].isdecimal() else ""
