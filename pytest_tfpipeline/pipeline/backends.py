"""Which buckets hold the state of a set of targets: an emulated cloud must have them before anything starts."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pytest_tfpipeline.model import Root, Run, Target

#: Only literal values can be known here, and a backend takes no others.
_SETTING = re.compile(r'^\s*"?([\w-]+)"?\s*=\s*"((?:[^"\\]|\\.)*)"', re.MULTILINE)


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


def state_buckets(run: Run, targets: Iterable[Target]) -> tuple[str, ...]:
    """Names of the S3 buckets that these targets keep their state in, sorted."""
    kinds = {root.dir: root.backend for root in run.repository.roots}
    found = {
        backend_settings(run, target).get("bucket", "")
        for target in targets
        if kinds.get(target.root) == "s3" and not target.backend_local
    }
    return tuple(sorted(found - {""}))
