"""The emulator's process: one environment's cloud, from the first connection to the end of its stdin.

`python -P -m pytest_tfpipeline.emulator.server --listen FD --log FILE --ca FILE [--state FILE] [--read-only]
[--store JSON]...`. Prints `ready` to stderr as soon as the authority's certificate is written, which is long before
moto is imported; connections wait meanwhile. On stdin the controller says how far it is in filling the cloud (see
`protocol`); its end (and SIGINT, and SIGTERM) means: keep the state, unless the cloud is half filled, and end.
Exit codes: 0 ended as asked, 1 failed; then the last line of the log says why.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType

from pytest_tfpipeline.emulator import keep
from pytest_tfpipeline.emulator.certificates import Authority
from pytest_tfpipeline.emulator.confine import confine
from pytest_tfpipeline.emulator.protocol import FAILURE, READY, SEEDED, SEEDING, StateStore
from pytest_tfpipeline.errors import EmulatorError
from pytest_tfpipeline.lasting import lasting_imports

#: Seconds that calls under way get before the state is kept.
_DRAIN = 10.0

_log = logging.getLogger(__name__)


class _Stop(Exception):
    """A signal asked the process to end."""


def main() -> int:
    """Run until told to stop; returns the exit code."""
    options = _options()
    authority = Authority()
    authority.write(options.ca)
    _say_ready(options.log)
    confine()
    try:
        _run(options, authority)
    except Exception as error:
        _log.exception("the emulator ends")
        reason = str(error) if isinstance(error, EmulatorError) else f"{type(error).__name__}: {error}"
        sys.stderr.write(f"{FAILURE}{' '.join(reason.splitlines())}\n")
        return 1
    return 0


def _run(options: argparse.Namespace, authority: Authority) -> None:
    # Imported here: a client may be started while moto (a second of imports) is still on its way.
    with lasting_imports():
        from pytest_tfpipeline.emulator import memory
        from pytest_tfpipeline.emulator.cloud import Cloud
        from pytest_tfpipeline.emulator.proxy import Proxy

    cloud = Cloud(options.account)
    payload = keep.read(options.state) if options.state else None
    if payload is not None:
        memory.load(payload)
    cloud.create_stores(map(StateStore.loads, options.store), options.region)
    proxy = Proxy(socket.socket(fileno=options.listen), authority, cloud.answer)
    threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    seed = _wait_for_stop(keep.seed_of(options.state) if options.state else "")
    if not proxy.drain(_DRAIN):
        _log.warning("calls were still under way after %s seconds", _DRAIN)
    if seed is None:
        _log.warning("the cloud is half filled, and not kept")
    elif options.state and not options.read_only:
        keep.write(options.state, memory.dump(), seed)


def _wait_for_stop(before: str) -> str | None:
    """The digest of what the cloud was filled with in the end, and `before` at first; None for half filled."""
    seed: str | None = before
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    with suppress(_Stop):
        for line in iter(sys.stdin.buffer.readline, b""):
            seed = None if line == SEEDING else line.removeprefix(SEEDED).decode().strip()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    return seed


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _Stop


def _say_ready(log: Path) -> None:
    """Tell the controller, then let the log file take the place of stdout and stderr."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.write(2, READY)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="pytest_tfpipeline.emulator.server", allow_abbrev=False)
    parser.add_argument("--listen", type=int, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--ca", type=Path, required=True)
    parser.add_argument("--state", type=Path)
    parser.add_argument("--read-only", action="store_true")
    parser.add_argument("--region", required=True)
    parser.add_argument("--account", required=True)
    parser.add_argument("--store", action="append", default=[])
    return parser.parse_args()


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Without taking moto's heap down object by object, which lasts longer than keeping the state.
    os._exit(code)
