"""Whether time and memory for a root stay the same, however many roots there are."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.measure import Command, Sample, measure
from benchmarks.places import Place

_MIB = 2**20
_COUNTS = (1, 10, 100, 1000)


@dataclass(frozen=True, slots=True)
class Point:
    """A repository of `roots` roots of four builtin resources: seconds to collect it, seconds for its static checks,
    and MiB at the peak of these, all cold."""

    roots: int
    collected: float
    checked: float
    memory: float


def grow(place: Place, most: int) -> tuple[Point, ...]:
    """Measure one repository after the other."""
    return tuple(_point(place, count) for count in _COUNTS if count <= most)


def _point(place: Place, count: int) -> Point:
    repository = place.repository(count, 4, None)
    collected = _measured(place, repository, "--collect-only", memory=False)
    checked = _measured(place, repository, "-m", "tf_fmt or tf_lint or tf_validate", memory=True)
    sys.stderr.write(f"{count} roots: {collected.seconds:.2f} s, {checked.seconds:.2f} s\n")
    return Point(count, collected.seconds, checked.seconds, (checked.memory or 0) / _MIB)


def _measured(place: Place, repository: Path, *args: str, memory: bool) -> Sample:
    place.forget()
    argv = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-q", *args)
    return measure(Command(argv, repository, place.environment()), place.path / "scale.log", memory=memory)


def dump(points: Sequence[Point], path: Path) -> None:
    """As JSON."""
    path.write_text(json.dumps([asdict(point) for point in points], indent=1) + "\n", encoding="utf-8")


def table(points: Sequence[Point]) -> str:
    """Markdown."""
    rows = [
        f"| {each.roots} | {each.collected:.2f} s | {each.checked:.1f} s | {1000 * each.checked / each.roots:.0f} ms "
        f"| {each.memory:.0f} MiB |"
        for each in points
    ]
    head = ["| roots | collected in | static checks | for each root | memory at the peak |", "|---|---|---|---|---|"]
    return "\n".join(head + rows)


def plot(points: Sequence[Point], path: Path) -> None:
    """Time for each root and memory over the number of roots, as SVG."""
    from matplotlib import pyplot as plt

    plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "scale"})  # text as text, and the same file again
    figure, (times, memory) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
    roots = [point.roots for point in points]
    times.loglog(roots, [point.collected for point in points], "o-", label="collection")
    times.loglog(roots, [point.checked for point in points], "s-", label="fmt, lint and validate")
    times.set(xlabel="roots", ylabel="seconds")
    times.legend()
    memory.semilogx(roots, [point.memory for point in points], "o-")
    memory.set(xlabel="roots", ylabel="MiB at the peak", ylim=(0, None))
    for axes in (times, memory):
        axes.grid(visible=True, alpha=0.3)
    figure.savefig(path, metadata={"Date": None})
