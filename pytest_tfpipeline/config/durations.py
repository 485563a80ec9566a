"""Durations as people and terraform write them: `90s`, `20m`, `1h30m`."""

from __future__ import annotations

import re

_DURATION = re.compile(r"(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,6})s)?")

#: For the JSON Schema: the same grammar as `seconds` takes.
DURATION_PATTERN = r"^(?=[0-9])([0-9]{1,6}h)?([0-9]{1,6}m)?([0-9]{1,6}s)?$"


def seconds(text: str) -> float:
    """Seconds of `2h`, `20m`, `90s` or `1h30m`; ValueError for anything else, with an example."""
    match = _DURATION.fullmatch(text)
    if not text or match is None:
        raise ValueError('expected a duration such as "90s", "20m" or "1h30m"')
    hours, minutes, rest = (int(part or 0) for part in match.groups())
    return float(hours * 3600 + minutes * 60 + rest)
