"""Import this to let what the tests start be interrupted, also where SIGINT is ignored here.

A shell ignores it in what it runs in the background, children inherit that, and the plugin leaves it as it is.
"""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
