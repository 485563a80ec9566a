"""The command line. Everything is written below `--place` (a temporary directory that is removed, unless one is named),
and nothing of a repository's is touched. Both sides of a case take turns, in one call, on one machine."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks import scale
from benchmarks.cases import CASES, ENGINE, PLAIN, Case
from benchmarks.machine import describe
from benchmarks.measure import Sample, Unexpected, measure
from benchmarks.places import Place
from benchmarks.results import Result, Results, load
from benchmarks.tables import difference, listing, slower, table
from pytest_tfpipeline.errors import PipelineError

_GIB = 2**30


def main() -> int:
    """0; with `compare` 1 where a figure got worse; 2 where something did not do what is measured, or is not there."""
    options = _parser().parse_args()
    try:
        return int(options.call(options) or 0)
    except (Unexpected, ValueError, OSError, PipelineError) as error:
        sys.stderr.write(f"{error}\n")
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(required=True)
    run = commands.add_parser("run", help="measure, both sides in turns")
    run.add_argument("case", nargs="*", help="names as `list` gives them; all of them if none is named")
    run.add_argument("--rounds", type=int, help="how often each side has its turn")
    run.add_argument("--tree", type=Path, help="a repository for the cases of discovery, cloned before")
    run.add_argument("--place", type=Path, help="a directory to work in, made where it is not there, and kept")
    run.add_argument(
        "--output", type=_output, default=Path("benchmark.json"), help="JSON; cases in it stay (%(default)s)"
    )
    run.set_defaults(call=_measure)
    grown = commands.add_parser("scale", help="1, 10, 100 and 1,000 roots: time and memory of each")
    grown.add_argument("--most", type=int, default=1000)
    grown.add_argument("--place", type=Path)
    grown.add_argument("--output", type=_output, default=Path("scale.json"))
    grown.add_argument("--plot", type=Path, help="an SVG of it; the documentation's is docs/scale.svg")
    grown.set_defaults(call=_grow)
    differ = commands.add_parser(
        "differ", help="made-up configurations, with short cuts and without: the same answers?"
    )
    differ.add_argument("--seed", default="1", help="the same seed makes the same configurations (%(default)s)")
    differ.add_argument("--seconds", type=float, default=3600, help="for how long (%(default)s)")
    differ.add_argument("--only", type=int, help="the configuration of this number alone")
    differ.add_argument("--output", type=_output, default=Path("differences.json"), help="JSON (%(default)s)")
    differ.set_defaults(call=_differ)
    commands.add_parser("list", help="the cases").set_defaults(call=_list)
    shown = commands.add_parser("table", help="a result as a Markdown table")
    shown.add_argument("result", type=Path)
    shown.set_defaults(call=lambda options: print(table(load(options.result))))  # noqa: T201
    compared = commands.add_parser("compare", help="two results; exit code 1 where a figure got worse")
    compared.add_argument("before", type=Path)
    compared.add_argument("after", type=Path)
    compared.set_defaults(call=_compare)
    return parser


def _output(text: str) -> Path:
    """A file that can be written when everything has been measured, which may be in an hour."""
    path = Path(text)
    if path.is_dir() or not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text}: there is no directory for such a file, or it is one itself")
    return path


def _differ(options: argparse.Namespace) -> int:
    from benchmarks.differential import compare

    tally = compare(options.seed, options.seconds, options.output, options.only)
    print(tally.text())  # noqa: T201
    return int(bool(tally.differences))


def _list(_options: argparse.Namespace) -> None:
    print(listing((case.name, case.what) for case in CASES))  # noqa: T201


def _compare(options: argparse.Namespace) -> int:
    before, after = load(options.before), load(options.after)
    print(difference(before, after))  # noqa: T201
    return int(any(slower(before, after)))


def _measure(options: argparse.Namespace) -> None:
    cases = _chosen(options.case, options.tree)
    with tempfile.TemporaryDirectory(prefix="tfpipeline-benchmark-") as scratch:
        place = Place.make((options.place or Path(scratch)).absolute())
        if options.tree:
            _clone(options.tree, place.path / "tree")
        machine = describe()
        for turns in dict.fromkeys(case.turns for case in cases):
            together = [case for case in cases if case.turns is turns]
            found = Results(machine, tuple(_take_turns(together, place, options.rounds or turns.rounds)))
            # After each of them, so that a later one that fails takes nothing with it.
            (load(options.output).with_(found) if options.output.exists() else found).dump(options.output)
    print(table(load(options.output)))  # noqa: T201


def _chosen(names: Iterable[str], tree: Path | None) -> list[Case]:
    known = {case.name: case for case in CASES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"there is no case {', '.join(unknown)}; there are:\n{', '.join(known)}")
    chosen = [known[name] for name in names] or list(CASES)
    without = [case.name for case in chosen if case.turns.needs_tree and tree is None]
    if without:
        raise ValueError(f"{', '.join(without)} need --tree DIRECTORY, the repository to discover")
    return chosen


def _clone(tree: Path, target: Path) -> None:
    if not target.exists():
        subprocess.run(["git", "clone", "--quiet", str(tree.absolute()), str(target)], check=True)


def _take_turns(cases: Sequence[Case], place: Place, rounds: int) -> Iterator[Result]:
    """One result for each of these cases, which share their turns."""
    turns = cases[0].turns
    taken: dict[str, list[Sample]] = {}
    with turns.opened(place) as sides:
        wanted = {name: side for name, side in sides.items() if name == PLAIN or any(c.engine == name for c in cases)}
        for turn in range(rounds):
            for name, side in wanted.items():
                side.before()
                log = place.path / f"{cases[0].name}-{name.replace(' ', '-')}.log"
                sample = measure(side.command, log, memory=turns.memory)
                taken.setdefault(name, []).append(sample)
                sys.stderr.write(f"{cases[0].name} {turn + 1}/{rounds} {name}: {sample.seconds:.2f} s\n")
    for case in cases:
        names = {PLAIN: PLAIN, ENGINE: case.engine}
        samples = {side: tuple(taken[name]) for side, name in names.items() if name in taken}
        yield Result(case.name, case.what, case.bar, _figure(case, samples), samples)


def _figure(case: Case, samples: Mapping[str, tuple[Sample, ...]]) -> float:
    if case.turns.memory:
        return max((sample.memory or 0) / _GIB for found in samples.values() for sample in found)
    return case.figure({name: min(each.seconds for each in found) for name, found in samples.items()})


def _grow(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="tfpipeline-benchmark-") as scratch:
        place = Place.make((options.place or Path(scratch)).absolute())
        found = scale.grow(place, options.most)
    scale.dump(found, options.output)
    print(scale.table(found))  # noqa: T201
    if options.plot:
        scale.plot(found, options.plot)


if __name__ == "__main__":
    sys.exit(main())
