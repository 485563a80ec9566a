"""Failures that say the same of many directories: the first in full, the others in a line. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

#: Line breaks: what has fewer is as short as what would stand in its place.
_WORTH_IT = 2


def folded(failures: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """For each failure (its id, its directory, its text) the text to show. Two are the same if nothing but the name of
    the directory, and with it that of a file in it, tells them apart."""
    seen: dict[str, str] = {}
    for name, directory, text in failures:
        alike = text if directory in ("", ".") else re.sub(rf"(?<![\w-]){re.escape(directory)}(?![\w-])", "\0", text)
        first = seen.setdefault(alike, name)
        if first == name or text.count("\n") < _WORTH_IT:
            yield text
        else:
            yield f"{text.partition(chr(10))[0]}\n  and on as above, of {first}"
