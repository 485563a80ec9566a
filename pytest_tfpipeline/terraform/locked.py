"""Which roots were initialised without a lock file of the commit's own."""

from __future__ import annotations

import json
from pathlib import Path

from pytest_tfpipeline.context import Context

_LOCK = ".terraform.lock.hcl"


def unlocked(ctx: Context, environment: str) -> tuple[str, ...]:
    """Lock files that init made in the private copy because the repository has none. A root that needs no provider
    but terraform's own gets none."""
    described: dict[str, str] = json.loads(Path(ctx.run.files_path).read_bytes())
    tree = ctx.workspace.tree(environment)
    names = [
        f"{target.root}/{_LOCK}" for target in ctx.run.targets if target.environment == environment and target.apply
    ]
    return tuple(name for name in names if name not in described and (tree / name).is_file())
