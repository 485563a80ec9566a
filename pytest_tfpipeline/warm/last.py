"""Ends what a service has started, where that was killed: `python -I -S last.py DIRECTORY`. It uses the standard
library alone, so that its start costs next to nothing.

It reads lines: `+PID`, the leader of a process group that was started, and `-PID`, one that has ended. At the end of
stdin it removes the directory, with the sockets of the groups that are left, and ends these.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from contextlib import suppress


def main() -> None:
    """Read until nobody writes any more."""
    left: set[int] = set()
    for line in sys.stdin:
        change = left.add if line.startswith("+") else left.discard
        change(int(line[1:]))
    shutil.rmtree(sys.argv[1], ignore_errors=True)
    for pid in left:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
