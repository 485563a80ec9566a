"""Which of terraform and OpenTofu runs a directory whose version file names both, each by its version."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from pytest_tfpipeline.discover.constraints import satisfies

_REQUIRED = re.compile(r'^\s*"?required_version"?\s*[=:]\s*"([^"\n]+)"', re.MULTILINE)
_ENDINGS = (".tf", ".tf.json", ".tofu", ".tofu.json")


def the_one_required(directory: Path, names: Iterable[str], versions: dict[str, str]) -> str | None:
    """The only program of which the directory's `required_version` allows the version; None where that does not tell.

    `names` are its files, `versions` by program what the version file says.
    """
    wanted = [each for name in sorted(names) if name.endswith(_ENDINGS) for each in _required(directory / name)]
    allowed = [program for program, version in versions.items() if all(_allows(each, version) for each in wanted)]
    return allowed[0] if wanted and len(allowed) == 1 else None


def _required(path: Path) -> list[str]:
    try:
        return _REQUIRED.findall(path.read_text("utf-8", "replace"))
    except OSError:
        return []


def _allows(constraint: str, version: str) -> bool:
    try:
        return satisfies(version, constraint)
    except ValueError:
        return False
