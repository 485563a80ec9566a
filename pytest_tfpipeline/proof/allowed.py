"""Whom a list of signers names (`allowed_signers`; see ssh-keygen(1), ALLOWED SIGNERS), as far as it can be read. Pure.

Whether a signature counts is for ssh-keygen to say; this only tells in time that nobody could ever sign.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Sequence
from itertools import pairwise

#: How the names of the kinds of keys begin.
_KEY_TYPES = ("ssh-", "ecdsa-", "sk-")
#: A pattern in the place of a name is everybody who fits it, and so nobody in particular.
_PATTERN = re.compile(r"[*?!,]|[^\x20-\x7e\u00a0-\uffff]")


def is_pattern(name: str) -> bool:
    """Whether that, in the place of a name, names nobody."""
    return _PATTERN.search(name) is not None or not name.strip()


def people_of(signers: bytes) -> frozenset[str]:
    """The people that have a line with a key, in lower case: signatures of others count for nothing."""
    found = set[str]()
    for line in signers.decode("utf-8", "replace").splitlines():
        words = line.split()
        if words and not words[0].startswith("#") and _has_key(words[1:]):
            found.update(name.casefold() for name in words[0].strip('"').split(",") if not is_pattern(name))
    return frozenset(found)


def _has_key(words: Sequence[str]) -> bool:
    """Whether a kind of key is followed by a key of it, which says its kind once more (RFC 4253, 6.6)."""
    for kind, key in pairwise(words):
        if kind.startswith(_KEY_TYPES):
            name = kind.encode()
            try:
                return b64decode(key, validate=True).startswith(len(name).to_bytes(4, "big") + name)
            except (binascii.Error, ValueError):
                return False
    return False
