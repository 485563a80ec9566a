"""Write the functions' zips to terraform/etl/build: each function's code and what its requirements.txt pins.

The same commit gives the same bytes on every machine: packages are pinned by hash, entries are sorted, and times and
modes are fixed, so an unchanged function is no change in a plan. Run from anywhere: `python3 terraform/etl/package.py`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ETL = Path(__file__).resolve().parent
FUNCTIONS = ETL.parent / "lambdas"
BUILD = ETL / "build"

RUNTIME = "3.12"
EPOCH = (1980, 1, 1, 0, 0, 0)
MODE = 0o100644 << 16
METADATA = re.compile(r"\.dist-info|__pycache__")


def install(requirements: Path, into: Path) -> None:
    """Install the pinned packages, as wheels for Lambda's Python; raises `CalledProcessError`."""
    found = shutil.which("uv")
    uv = [found] if found else [sys.executable, "-m", "uv"]
    options = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "--python-version", RUNTIME]
    options += ["--python-platform", "aarch64-manylinux2014", "--link-mode", "copy", "--no-config", "--quiet"]
    subprocess.run([*uv, "pip", "install", *options, "--target", str(into), "-r", str(requirements)], check=True)


def contents(directory: Path) -> dict[str, bytes]:
    """What belongs into the zip, by name: all but what differs between machines or is only there to build."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and not path.name.startswith(".") and not METADATA.search(path.parent.as_posix())
    }


def write_zip(target: Path, files: dict[str, bytes]) -> None:
    """Write the zip so that its bytes depend on nothing but the files; uncompressed, as zlib's output may differ."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, EPOCH)
            entry.create_system = 3
            entry.external_attr = MODE
            archive.writestr(entry, files[name])


def main() -> None:
    """Package every function that has a handler."""
    BUILD.mkdir(exist_ok=True)
    for handler in sorted(FUNCTIONS.glob("*/handler.py")):
        with tempfile.TemporaryDirectory() as scratch:
            install(handler.parent / "requirements.txt", Path(scratch))
            write_zip(
                BUILD / f"{handler.parent.name}.zip",
                {**contents(Path(scratch)), "handler.py": handler.read_bytes()},
            )


if __name__ == "__main__":
    main()
