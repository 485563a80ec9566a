"""What was measured, as JSON, and two of those side by side."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Sample

#: Of the file; raised where an older reader would misread it.
VERSION = 1


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure has to stay below, and what is reached for; `unit` is "ratio", "s", "ms", "%" or "GiB"."""

    most: float
    reach: float
    unit: str


@dataclass(frozen=True, slots=True)
class Result:
    """One case: `samples` by side, in the order of the rounds; `figure` is what the bar is for."""

    name: str
    what: str
    bar: Bar
    figure: float
    samples: Mapping[str, tuple[Sample, ...]]


@dataclass(frozen=True, slots=True)
class Results:
    """Everything that one call measured, on which machine, with which programs."""

    machine: Mapping[str, str]
    results: tuple[Result, ...]

    def dump(self, path: Path) -> None:
        """Write it, whole or not at all."""
        document = {
            "version": VERSION,
            "machine": dict(self.machine),
            "results": [asdict(each) for each in self.results],
        }
        beside = path.with_suffix(path.suffix + ".new")
        beside.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
        beside.replace(path)

    def with_(self, later: Results) -> Results:
        """The cases of both, where both have one the later."""
        mine = {each.name: each for each in self.results}
        return Results(later.machine, tuple((mine | {each.name: each for each in later.results}).values()))


def load(path: Path) -> Results:
    """What `dump` wrote. Raises ValueError for anything else."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["version"] != VERSION:
            raise ValueError(f"{path}: version {document['version']} is not {VERSION}: measure anew")
        return Results(document["machine"], tuple(_result(each) for each in document["results"]))
    except (OSError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no result of a measurement: {error!r}") from error


def _result(document: dict[str, Any]) -> Result:
    samples = {side: tuple(Sample(**each) for each in found) for side, found in document["samples"].items()}
    return Result(document["name"], document["what"], Bar(**document["bar"]), document["figure"], samples)


def best(samples: tuple[Sample, ...]) -> float:
    """The least seconds: what the machine's other work disturbed least."""
    return min(each.seconds for each in samples)


def middle(samples: tuple[Sample, ...]) -> float:
    """The median of the seconds."""
    return statistics.median(each.seconds for each in samples)


def compare(before: Results, after: Results) -> Iterator[tuple[str, float, float]]:
    """Name, figure before and figure after of every case that both have."""
    earlier = {each.name: each.figure for each in before.results}
    yield from ((each.name, earlier[each.name], each.figure) for each in after.results if each.name in earlier)
