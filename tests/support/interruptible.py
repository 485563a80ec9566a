"""Import this to let what the tests start be interrupted, also where SIGINT is ignored here.

A shell ignores it in what it runs in the background, children inherit that, and the plugin leaves it as it is.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def raising() -> Iterator[None]:
    """SIGINT raises KeyboardInterrupt, as in a plain program, and not as in a pytest that has just seen another."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
