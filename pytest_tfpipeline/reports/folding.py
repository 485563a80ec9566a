"""Failures that say the same of many directories: the first in full, the others in a line. Pure.

A thousand that all say something else are nothing to read on a terminal either.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

#: Line breaks: what has fewer is as short as what would stand in its place.
_WORTH_IT = 2
#: So many are shown in full.
SHOWN = 50
_SHORTER = "\n  and more: from here on, only the first line of each; -v shows all, and evidence.json has every finding"


def folded(failures: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """For each failure (its id, its directory, its text) the text to show. Two are the same if nothing but the name of
    the directory, and with it that of a file in it, tells them apart. Behind `SHOWN` that have more to say than a line,
    the first line of each."""
    seen: dict[str, str] = {}
    shown = 0
    for name, directory, text in failures:
        alike = text if directory in ("", ".") else re.sub(rf"(?<![\w-]){re.escape(directory)}(?![\w-])", "\0", text)
        first = seen.setdefault(alike, name)
        head = text.partition("\n")[0]
        if text.count("\n") < _WORTH_IT:
            yield text
        elif first != name:
            yield f"{head}\n  and on as above, of {first}"
        else:
            shown += 1
            yield text if shown <= SHOWN else head + (_SHORTER if shown == SHOWN + 1 else "")
