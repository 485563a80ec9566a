"""Python programs that are installed with hashes, each into an environment of its own.

What is installed, and its hashes, is in `checkov.txt` and `ruff.txt`, which are exports of the project's lock file.
checkov cannot live beside the plugin: it brings another package that is imported as `hcl2`.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from pytest_tfpipeline.errors import ToolError
from pytest_tfpipeline.process import Request, Runner

_TIMEOUT = 900.0


def requirements_path(name: str) -> Path:
    """The file with the exact requirements and hashes of `checkov` or `ruff`."""
    return Path(__file__).with_name(f"{name}.txt")


@cache
def locked_version(name: str) -> str:
    """The version whose hashes this package ships."""
    found = re.search(rf"^{name}==(\S+)", requirements_path(name).read_text("ascii"), re.MULTILINE)
    if found is None:
        raise LookupError(f"{requirements_path(name)} does not hold {name}")
    return found[1]


@cache
def requirements_digest(name: str) -> str:
    """SHA-256 of the requirements with their hashes: it stands for everything in the environment."""
    return hashlib.sha256(requirements_path(name).read_bytes()).hexdigest()


def environment_name(name: str) -> str:
    """The directory of its environment: another one for other requirements and for another Python."""
    python = f"py{sys.version_info.major}.{sys.version_info.minor}"
    return f"{locked_version(name)}-{requirements_digest(name)[:12]}-{python}"


def installed_version(executable: Path, name: str) -> str | None:
    """The version that the environment around the executable says it holds, without running it (checkov needs
    seconds to say it); None where it is not in such an environment."""
    for base in {executable.parent.parent, executable.resolve().parent.parent}:
        for metadata in base.glob(f"lib/python*/site-packages/{name}-*.dist-info"):
            return metadata.name.removeprefix(f"{name}-").removesuffix(".dist-info")
    return None


def build_environment(name: str, target: Path, uv: str, runner: Runner, progress: Callable[[str], None]) -> None:
    """Make the environment in the empty directory `target`; it may be moved afterwards. Raises ToolError."""
    progress(f"installing {name} {locked_version(name)} into an environment of its own")
    venv = (uv, "venv", "--quiet", "--no-project", "--relocatable", "--python", sys.executable, str(target))
    requirements = str(requirements_path(name))
    install = (uv, "pip", "install", "--quiet", "--python", str(target / "bin/python"), "--compile-bytecode")
    for argv in (venv, (*install, "--require-hashes", "--requirements", requirements)):
        outcome = runner.run(Request(argv, target.parent, timeout=_TIMEOUT, unset=("VIRTUAL_ENV", "PYTHONPATH")))
        if not outcome.ok:
            said = f"no end within {outcome.limit:.0f} s" if outcome.limit else outcome.error or outcome.stderr.strip()
            raise ToolError(f"{name} {locked_version(name)} could not be installed: {said}")
