"""Two small providers of their own registries' namespace, built with Go, laid out as a mirror."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from filelock import FileLock

from pytest_tfpipeline.tools.mirrors import os_arch, package_hash
from pytest_tfpipeline.tools.places import tool_directory

HOST, TOFU_HOST = "registry.terraform.io", "registry.opentofu.org"
#: Name, the version that the mirror gives it, and the module that it is built from.
BUILT = (
    ("local", "2.6.0", "github.com/terraform-providers/terraform-provider-local@v1.4.1-0.20260513075820-3561e410f9fe"),
    ("time", "0.14.2", "github.com/hashicorp/terraform-provider-time@v0.14.2"),
)


def build(module: str) -> Path:
    """The program, built once per user and kept."""
    place = tool_directory(os.environ) / "providers" / module.partition("@")[2]
    program = place / module.rpartition("/")[2].partition("@")[0]
    place.mkdir(parents=True, exist_ok=True)
    with FileLock(place / ".lock"):
        if not program.exists():
            subprocess.run(["go", "install", module], check=True, env={**os.environ, "GOBIN": str(place)})
    return program


def provider_mirror(place: Path) -> Path:
    """A mirror at `place` with both, under the name of terraform's registry."""
    for name, version, module in BUILT:
        package = place / HOST / "hashicorp" / name / version / os_arch()
        package.mkdir(parents=True)
        shutil.copy2(build(module), package / f"terraform-provider-{name}_v{version}")
    return place


def lock_file(mirror: Path, host: str = HOST) -> str:
    """The lock file of a root that uses both, for this machine."""
    blocks = []
    for name, version, _ in BUILT:
        found = package_hash(mirror / HOST / "hashicorp" / name / version / os_arch())
        blocks.append(
            f'provider "{host}/hashicorp/{name}" {{\n  version = "{version}"\n  hashes = [\n    "{found}",\n  ]\n}}\n'
        )
    return "\n".join(blocks)


if __name__ == "__main__":
    for _, _, each in BUILT:
        print(build(each))  # noqa: T201
