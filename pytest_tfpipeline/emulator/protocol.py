"""The two things that the emulator's process and the controller say to each other."""

from __future__ import annotations

#: On the process's stderr, once: the certificate is written, clients may be started.
READY = b"ready\n"
#: How the last line of the log starts when the process failed; the rest of that line says why.
FAILURE = "emulator failed: "
