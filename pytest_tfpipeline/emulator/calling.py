"""Call one function of the repository, in a process of its own that sees the emulated cloud and nothing else.

`python -P -m pytest_tfpipeline.emulator.calling MODULE:FUNCTION`, at the top of the private copy. Exit codes: 0 it
returned, 1 it could not be called or raised; stderr then says which, where, and no more.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from pathlib import Path
from types import TracebackType


def main(target: str) -> int:
    """Call `MODULE:FUNCTION` without arguments; returns the exit code."""
    # With -P nothing was imported from here so far, so that no file of the repository takes the place of a module.
    sys.path.insert(0, str(Path.cwd()))
    module, _, function = target.partition(":")
    try:
        getattr(importlib.import_module(module), function)()
    except Exception as error:
        sys.stderr.write(f"{_place(error.__traceback__)}{type(error).__name__}: {error}\n")
        return 1
    return 0


def _place(found: TracebackType | None) -> str:
    """The innermost line of the repository that the error came through: `seeds/cloud.py:12: `."""
    top = f"{Path.cwd()}/"
    own = [frame for frame in traceback.extract_tb(found) if frame.filename.startswith(top)]
    return f"{own[-1].filename.removeprefix(top)}:{own[-1].lineno}: " if own else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
