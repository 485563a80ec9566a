"""A process that ends what others leave behind: the service can be killed, and its providers hear nothing of that."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from pytest_tfpipeline.process import Request, Runner, stop_service

_PROGRAM = Path(__file__).with_name("last.py")


class Survivor:
    """Told of every process group, it removes `directory` and ends those that are left once this process is gone."""

    def __init__(self, runner: Runner, directory: Path) -> None:
        """Raises OSError where it cannot be started."""
        argv = (sys.executable, "-I", "-S", str(_PROGRAM), str(directory))
        self._process = runner.spawn(Request(argv, "/", only_env=True), heard=True)

    def started(self, pid: int) -> None:
        """The leader of a group; from several threads."""
        self._tell(f"+{pid}\n")

    def ended(self, pid: int) -> None:
        """The group has ended. To be said before anybody waits for its leader: then its number may be another's."""
        self._tell(f"-{pid}\n")

    def close(self) -> None:
        """Nothing is left to be ended, or it ends that now."""
        stop_service(self._process)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _tell(self, words: str) -> None:
        if self._process.stdin is not None:
            with suppress(OSError):  # it has been killed itself
                os.write(self._process.stdin.fileno(), words.encode())
