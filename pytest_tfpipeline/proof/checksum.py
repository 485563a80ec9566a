"""The checksum that evidence carries in itself: it finds damage, and proves nothing about who wrote it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

#: The version of the evidence document that this package writes, and the newest that it reads.
SCHEMA_VERSION = 1


def checksum(document: Mapping[str, Any]) -> str:
    """`sha256:` and the SHA-256 of the document without its `digest`, as JSON with sorted keys and no white space."""
    body = {key: value for key, value in document.items() if key != "digest"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()
