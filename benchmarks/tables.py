"""What was measured, for people: a table of a result, and one of the difference between two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from benchmarks.results import Bar, Result, Results, best, compare, middle

#: A figure that moved by less than this is noise.
NOISE = 0.1


def table(results: Results) -> str:
    """Markdown: each case with its bar, its figure, and the seconds of both sides."""
    lines = [
        "| figure | bar | reach for | measured | plain: least, median | plugin: least, median |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_row(each) for each in results.results]
    machine = "; ".join(f"{name} {value}" for name, value in results.machine.items())
    return "\n".join([*lines, "", f"Measured with {machine}."])


def _row(result: Result) -> str:
    met = _met(result.figure, result.bar)
    cells = (
        result.what,
        shown(result.bar.most, result.bar),
        shown(result.bar.reach, result.bar),
        f"**{shown(result.figure, result.bar)}**{met}",
        _times(result, "plain"),
        _times(result, "plugin"),
    )
    return f"| {' | '.join(cells)} |"


def _met(figure: float, bar: Bar) -> str:
    if figure <= bar.reach:
        return ""
    return " (within the bar)" if figure <= bar.most else " (misses the bar)"


def _times(result: Result, side: str) -> str:
    samples = result.samples.get(side)
    if not samples:
        return ""
    if result.bar.unit == "GiB":
        return f"{min(each.seconds for each in samples):.1f} s"
    digits = 1 if best(samples) >= 10 else 2
    return f"{best(samples):.{digits}f} s, {middle(samples):.{digits}f} s"


def shown(value: float, bar: Bar) -> str:
    """With its unit."""
    if bar.unit == "ratio":
        return f"{value:.2f}"
    if bar.unit in {"ms", "%"}:
        return f"{value:.0f} {bar.unit}"
    return f"{value:.2f} {bar.unit}".replace(".00 ", " ")


def difference(before: Results, after: Results) -> str:
    """Each figure that both have, and whether it went up or down."""
    bars = {each.name: each.bar for each in after.results}
    lines = [
        f"{name:<16} {shown(old, bars[name]):>10} -> {shown(new, bars[name]):>10}  {_trend(old, new)}"
        for name, old, new in compare(before, after)
    ]
    return "\n".join(lines)


def slower(before: Results, after: Results) -> Iterator[str]:
    """The names of the cases whose figure grew by more than noise."""
    yield from (name for name, old, new in compare(before, after) if _grew(old, new))


def _grew(old: float, new: float) -> bool:
    return new - old > NOISE * abs(old)


def _trend(old: float, new: float) -> str:
    if _grew(old, new):
        return "SLOWER"
    return "faster" if _grew(new, old) else "the same"


def listing(names: Iterable[tuple[str, str]]) -> str:
    """Names and what they are, below each other."""
    return "\n".join(f"{name:<16} {what}" for name, what in names)
