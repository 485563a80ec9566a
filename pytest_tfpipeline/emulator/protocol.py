"""What the emulator's process and the controller say to each other."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

#: On the process's stderr, once: the certificate is written, clients may be started.
READY = b"ready\n"
#: How the last line of the log starts when the process failed; the rest of that line says why.
FAILURE = "emulator failed: "
#: On the process's stdin: from now on the cloud is half filled, and is not kept as it is.
SEEDING = b"seeding\n"
#: On its stdin, with a digest behind it and a newline: the cloud has been filled with that.
SEEDED = b"seeded "


@dataclass(frozen=True, slots=True)
class StateStore:
    """What an S3 backend needs before it can be initialised: a bucket and, with DynamoDB locks, a table.

    An empty `region` is that of the process, an empty `account` the cloud's own.
    """

    bucket: str = ""
    table: str = ""
    region: str = ""
    account: str = ""

    def dumps(self) -> str:
        """As one argument of the process."""
        return json.dumps(asdict(self))

    @classmethod
    def loads(cls, text: str) -> StateStore:
        """What `dumps` gave."""
        return cls(**json.loads(text))
