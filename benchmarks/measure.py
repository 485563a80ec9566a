"""Run one command and measure it."""

from __future__ import annotations

import os
import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

#: Seconds between two looks at the memory.
_INTERVAL = 0.2


class Unexpected(Exception):
    """A command did not do what is measured; a time of it would mean nothing."""


@dataclass(frozen=True, slots=True)
class Command:
    """What is measured. `ends` are the exit codes with which it did its work; `prints` takes the seconds that it prints
    as its last line for its time, in place of the wall clock."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str]
    ends: frozenset[int] = frozenset({0})
    prints: bool = False


@dataclass(frozen=True, slots=True)
class Sample:
    """One run of a command: seconds of wall clock, seconds of CPU (user and system, of all that it started and waited
    for), and where asked the largest sum of the memory of its processes in bytes (PSS: shared pages count once)."""

    seconds: float
    cpu: float
    memory: int | None = None


def measure(command: Command, log: Path, *, memory: bool = False) -> Sample:
    """Run it to its end, its output in `log`. Raises Unexpected where it ends otherwise than it should."""
    before, started = _children_cpu(), time.perf_counter()
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command.argv, cwd=command.cwd, env=dict(command.env), stdin=subprocess.DEVNULL, stdout=output, stderr=output
        ) as process,
    ):
        peak = _watch(process) if memory else None
        code = process.wait()
    seconds, cpu = time.perf_counter() - started, _children_cpu() - before
    if code not in command.ends:
        raise Unexpected(f"{' '.join(command.argv)} ended with {code}; its output: {log}")
    if command.prints:
        seconds = float(log.read_text(encoding="utf-8").split()[-1])
    return Sample(seconds, cpu, peak)


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _watch(process: subprocess.Popen[bytes]) -> int:
    ended = threading.Event()
    peaks = [0]

    def look() -> None:
        while not ended.wait(_INTERVAL):
            peaks.append(_memory(process.pid))

    thread = threading.Thread(target=look)
    thread.start()
    process.wait()
    ended.set()
    thread.join()
    return max(peaks)


def _memory(pid: int) -> int:
    """Every process of the command, also those that left its process group; they share its session's ancestor."""
    total = 0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.Error, OSError):
                total += each.memory_full_info().pss
    return total


def processors() -> int:
    """How many may be used."""
    return len(os.sched_getaffinity(0))


def inherited(*names: str) -> dict[str, str]:
    """Those variables of this process that are set."""
    return {name: os.environ[name] for name in names if name in os.environ}


def joined(argv: Sequence[str]) -> str:
    """For people."""
    return " ".join(argv)
