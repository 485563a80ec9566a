"""Read `.terraform.lock.hcl`, the dependency lock file of a root."""

from __future__ import annotations

import re
from collections.abc import Iterator

#: Its name, the same for terraform and OpenTofu.
LOCK_FILE = ".terraform.lock.hcl"
_PROVIDER = re.compile(r'^provider\s+"([^"]+)"\s*\{(.*?)^\}', re.MULTILINE | re.DOTALL)
_VERSION = re.compile(r'^\s*version\s*=\s*"([^"]*)"', re.MULTILINE)
_HASHES = re.compile(r"^\s*hashes\s*=\s*\[(.*?)\]", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"^\s*(#|//).*$", re.MULTILINE)


def providers_of_lock(text: str) -> Iterator[tuple[str, tuple[str, tuple[str, ...]]]]:
    """(source, (version, hashes)) of every provider in a dependency lock file."""
    for source, body in _PROVIDER.findall(_COMMENT.sub("", text)):
        version, hashes = _VERSION.search(body), _HASHES.search(body)
        found = re.findall(r'"([^"]+)"', hashes[1]) if hashes else []
        yield source, (version[1] if version else "", tuple(sorted(found)))
