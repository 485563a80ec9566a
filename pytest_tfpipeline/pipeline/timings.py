"""How long each check took, kept between runs: for the order of the next run's items, and for what it says is left."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pytest_tfpipeline.gate.result import EnvironmentResult
from pytest_tfpipeline.model import Outcome, Record, Repository
from pytest_tfpipeline.workspace import write_private

_FILE = "timings.json"
#: What ended otherwise says nothing about how long it takes.
_TELLING = frozenset({Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN})


def read_timings(output: Path) -> dict[str, float]:
    """Seconds of earlier runs by check; none where the file is missing or not ours."""
    try:
        found = json.loads((output / _FILE).read_bytes())
        seconds = {str(check): float(value) for check, value in found.items() if "::" in check}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
    return {check: value for check, value in seconds.items() if math.isfinite(value) and value >= 0}


def write_timings(output: Path, top: Path, earlier: Mapping[str, float], now: Mapping[str, float]) -> None:
    """Keep what this run measured, over what earlier ones did; nothing about files that are gone."""
    files = {check: check.split("::", 1)[0] for check in earlier}
    there = {file for file in set(files.values()) if (top / file).exists()}
    kept = {check: value for check, value in earlier.items() if files[check] in there}
    write_private(output / _FILE, json.dumps({**kept, **now}, sort_keys=True))


def seconds_of_checks(records: Iterable[Record]) -> dict[str, float]:
    """Seconds by check, of those that came to an end."""
    return {record.check: round(record.seconds, 3) for record in records if record.outcome in _TELLING}


def seconds_of_applies(repository: Repository, environments: Iterable[EnvironmentResult]) -> dict[str, float]:
    """Seconds by the id that an apply is reported under."""
    anchors = {root.dir: root.anchor for root in repository.roots}
    return {
        apply_id(anchors[root], one.environment.name): round(seconds, 3)
        for one in environments
        for root, seconds in _applied(one)
    }


def apply_id(anchor: str, environment: str) -> str:
    """What the apply of a root in an environment is reported as."""
    return f"{anchor}::apply[{environment}]"


def _applied(one: EnvironmentResult) -> Iterator[tuple[str, float]]:
    for applied in one.result.applied if one.result is not None else ():
        if applied.outcome == "applied":
            yield applied.root, applied.seconds
