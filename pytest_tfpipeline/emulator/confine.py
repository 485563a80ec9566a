"""Nothing leaves the machine: the emulator's process can open no connection and start no process.

moto posts to the subscribers of a topic, to API destinations and HTTP integrations, and runs Lambda functions in
containers. An audit hook (PEP 578), which cannot be removed again, refuses all of that for whatever is imported later.
"""

from __future__ import annotations

import sys

_REFUSED = frozenset(
    {
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.posix_spawn",
        "os.system",
        "socket.connect",
        "socket.getaddrinfo",
        "socket.gethostbyaddr",
        "socket.gethostbyname",
        "socket.sendmsg",
        "socket.sendto",
        "subprocess.Popen",
    }
)


def confine() -> None:
    """Refuse connections, name look-ups and child processes in this process, for good."""
    sys.addaudithook(_refuse)


def _refuse(event: str, _arguments: tuple[object, ...]) -> None:
    if event in _REFUSED:
        raise PermissionError(f"the emulated cloud reaches nothing outside itself ({event})")
