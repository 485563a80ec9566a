"""Where the repository begins, and whether it is one with Terraform: asked at every start, so nothing here costs."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

#: Endings of the files that make a repository one with Terraform.
ENDINGS = (".tf", ".tf.json", ".tofu", ".tofu.json")
_NOT_ENTERED = {".git", ".terraform", ".tfpipeline", "node_modules", ".venv", "venv", "__pycache__", "site-packages"}


def top_of(path: Path) -> Path:
    """The repository that the path is in: the nearest directory upwards that has `.git`, else the path itself."""
    return next((one for one in (path, *path.parents) if (one / ".git").exists()), path)


def has_terraform(top: Path) -> bool:
    """Whether the repository is configured for us or has a file that terraform or tofu would read."""
    if (top / "tfpipeline.toml").exists():
        return True
    with contextlib.suppress(OSError):
        if b"[tool.tfpipeline" in (top / "pyproject.toml").read_bytes():
            return True
    for _, folders, files in os.walk(top):
        if any(name.endswith(ENDINGS) for name in files):
            return True
        folders[:] = sorted(set(folders) - _NOT_ENTERED)
    return False
