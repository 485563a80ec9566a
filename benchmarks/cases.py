"""What is measured: for each figure the commands of both sides, and how the figure is made of their times."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import plain
from benchmarks.measure import Command, processors
from benchmarks.places import Place
from benchmarks.results import Bar

_GIB = 2**30
#: Checks ran and were answered; what checkov finds in the generated configuration is an answer.
_ANSWERED = frozenset({0, 1})
ENGINE = "plugin"
PLAIN = "plain"
#: Sides of the plugin beside the first: nothing changed since its last run; without short cuts.
_AGAIN = "plugin again"
_PLAINLY = "plugin, plainly"


@dataclass(frozen=True, slots=True)
class Side:
    """One of the commands that take turns; `before` puts back what the last turn changed, unmeasured."""

    command: Command
    before: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Turns:
    """Commands that take turns. `sides` are made for one call, in their order; with `memory` the peak is measured, not
    the time; with `emulated` a cloud is there for as long as the plain one needs it. `rounds` is how often by default.
    """

    sides: Callable[[Place], Mapping[str, Side]]
    rounds: int = 3
    memory: bool = False
    emulated: bool = False
    needs_tree: bool = False

    @contextmanager
    def opened(self, place: Place) -> Iterator[Mapping[str, Side]]:
        """The sides, and what they need meanwhile."""
        with ExitStack() as stack:
            variables = stack.enter_context(place.cloud()) if self.emulated else {}
            yield {name: _in_cloud(name, side, variables) for name, side in self.sides(place).items()}


@dataclass(frozen=True, slots=True)
class Case:
    """One figure, computed from the least seconds of the plain side and of the side called `engine`. Cases that share
    their `turns` share the plain side's runs."""

    name: str
    what: str
    bar: Bar
    turns: Turns
    figure: Callable[[Mapping[str, float]], float]
    engine: str = ENGINE


def _in_cloud(name: str, side: Side, variables: Mapping[str, str]) -> Side:
    if name != PLAIN or not variables:
        return side
    found = side.command
    return Side(Command(found.argv, found.cwd, {**found.env, **variables}, found.ends, found.prints), side.before)


def _ratio(times: Mapping[str, float]) -> float:
    return times[ENGINE] / times[PLAIN]


def _seconds(times: Mapping[str, float]) -> float:
    return times[ENGINE]


def _beyond(times: Mapping[str, float]) -> float:
    return 100 * (times[ENGINE] / times[PLAIN] - 1)


def _later(times: Mapping[str, float]) -> float:
    return 1000 * (times[ENGINE] - times[PLAIN])


def _pytest(place: Place, repository: Path, *args: str, env: Mapping[str, str] | None = None) -> Command:
    """hypothesis is there because this project tests with it, and takes 0.4 s to say nothing."""
    argv = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:hypothesispytest", "-q", *args)
    return Command(argv, repository, {**place.environment(), **(env or {})}, _ANSWERED)


def _plain_copy(repository: Path) -> Path:
    """A clone of its own, which the plain commands may write into."""
    copy = repository.with_name(f"plain-{repository.name}")
    if not copy.exists():
        subprocess.run(["git", "clone", "--quiet", str(repository), str(copy)], check=True)
    return copy


def _side_by_side(count: int, resources: int, steps: tuple[str, ...], *args: str) -> Callable[[Place], dict[str, Side]]:
    """The plain steps against pytest with `args`, both cold."""

    def sides(place: Place) -> dict[str, Side]:
        repository = place.repository(count, resources)
        commands = plain.over_roots(place, _plain_copy(repository), steps, place.plain_environment())
        return {
            PLAIN: Side(commands, place.forget),
            ENGINE: Side(_pytest(place, repository, *args), place.forget),
        }

    return sides


def _planned(place: Place) -> dict[str, Side]:
    """Every plain step against the plugin, cold and then with nothing changed."""
    sides = _side_by_side(12, 4, plain.EVERYTHING, *_PLAN)(place)
    again = sides[ENGINE].command
    return {**sides, _AGAIN: Side(again, lambda: _run(again))}


def _static_again(place: Place) -> dict[str, Side]:
    again = _pytest(place, place.repository(100, 4), "-m", "tf_fmt or tf_lint or tf_validate or tf_policy")
    return {ENGINE: Side(again, lambda: _run(again))}


def _validated(place: Place) -> dict[str, Side]:
    """`init` and `validate` against the plugin, and against the plugin that takes nothing away from what terraform
    does: the same commands, as many of them at a time as xargs runs."""
    sides = _side_by_side(100, 4, (plain.BARE_INIT, plain.VALIDATE), "-m", "tf_validate")(place)
    repository = place.repository(100, 4)
    slow = repository.with_name(f"{repository.name}-plainly")
    if not slow.exists():
        subprocess.run(["git", "clone", "--quiet", str(repository), str(slow)], check=True)
        configuration = slow / "tfpipeline.toml"
        before = configuration.read_text(encoding="utf-8")
        configuration.write_text(f"shortcuts = false\n{before}", encoding="utf-8")
    return {**sides, _PLAINLY: Side(_pytest(place, slow, "-m", "tf_validate", "-n", str(processors())), place.forget)}


def _lint_here(place: Place) -> dict[str, Side]:
    """In a clone of this repository."""
    clone = place.path / "example"
    if not clone.exists():
        here = Path(__file__).parent.parent
        subprocess.run(["git", "clone", "--quiet", str(here), str(clone)], check=True)
    command = _pytest(place, clone, "-k", "lint")
    return {ENGINE: Side(command)}


def _start(place: Place) -> dict[str, Side]:
    """A repository without any Terraform and with one test."""
    repository = place.path / "python-only"
    repository.mkdir(exist_ok=True)
    (repository / "test_one.py").write_text("def test_one():\n    assert True\n", encoding="utf-8")
    without = _pytest(place, repository, "-p", "no:tfpipeline", "-p", "no:xdist")
    return {PLAIN: Side(without), ENGINE: Side(_pytest(place, repository, "-p", "no:xdist"))}


def _discovery(*, warm: bool) -> Callable[[Place], dict[str, Side]]:
    def sides(place: Place) -> dict[str, Side]:
        tree = place.path / "tree"
        argv = (sys.executable, "-m", "benchmarks.discovery", str(tree))
        env = place.environment() | {"PYTHONPATH": str(Path(__file__).parent.parent)}
        command = Command(argv, tree, env, prints=True)
        return {ENGINE: Side(command, (lambda: _run(command)) if warm else place.forget)}

    return sides


def _run(command: Command) -> None:
    subprocess.run(command.argv, cwd=command.cwd, env=dict(command.env), capture_output=True, check=False)


def _memory(place: Place) -> dict[str, Side]:
    return {ENGINE: Side(_pytest(place, place.repository(12, 4), "--tf-plan", "dev", "-n", "2"), place.forget)}


_PLAN = ("--tf-plan", "dev")
_XARGS = "against the same by xargs"
_PLANNED = Turns(_planned, emulated=True)
_VALIDATED = Turns(_validated, rounds=1)

CASES = (
    Case(
        "plan-12",
        f"`--tf-plan` of 12 AWS roots of 4 resources, cold, {_XARGS}",
        Bar(0.25, 0.15, "ratio"),
        _PLANNED,
        _ratio,
    ),
    Case(
        "plan-48",
        f"`--tf-plan` of 48 AWS roots of 40 resources, cold, {_XARGS}",
        Bar(0.25, 0.15, "ratio"),
        Turns(_side_by_side(48, 40, plain.EVERYTHING, *_PLAN), rounds=1, emulated=True),
        _ratio,
    ),
    Case(
        "validate-100",
        "`validate` of 100 AWS roots, cold, against xargs over init and validate",
        Bar(0.15, 0.05, "ratio"),
        _VALIDATED,
        _ratio,
    ),
    Case(
        "checkov-40",
        "checkov over 40 directories, cold, against 40 calls of checkov by xargs",
        Bar(0.1, 0.05, "ratio"),
        Turns(_side_by_side(40, 4, (plain.CODE,), "-m", "tf_policy")),
        _ratio,
    ),
    Case(
        "plan-12-again",
        f"`--tf-plan` of 12 AWS roots of 4 resources, nothing changed, {_XARGS}",
        Bar(0.15, 0.08, "ratio"),
        _PLANNED,
        _ratio,
        engine=_AGAIN,
    ),
    Case(
        "static-again",
        "static checks of 100 AWS roots, nothing changed",
        Bar(2, 1, "s"),
        Turns(_static_again),
        _seconds,
    ),
    Case("lint", "`pytest -k lint` in this repository", Bar(1.2, 0.7, "s"), Turns(_lint_here, rounds=5), _seconds),
    Case(
        "discovery-cold",
        "discovery of the tree of `--tree`, cold",
        Bar(1.5, 0.8, "s"),
        Turns(_discovery(warm=False), rounds=5, needs_tree=True),
        _seconds,
    ),
    Case(
        "discovery-warm",
        "discovery of the tree of `--tree`, nothing changed",
        Bar(0.3, 0.15, "s"),
        Turns(_discovery(warm=True), rounds=5, needs_tree=True),
        _seconds,
    ),
    Case(
        "beyond",
        "time beyond the tools' own: `validate` of 100 AWS roots, `shortcuts = false`, a worker for each processor",
        Bar(5, 2, "%"),
        _VALIDATED,
        _beyond,
        engine=_PLAINLY,
    ),
    Case(
        "start",
        "what the plugin adds to pytest in a repository without Terraform",
        Bar(30, 10, "ms"),
        Turns(_start, rounds=20),
        _later,
    ),
    Case(
        "memory",
        "memory of all processes at their peak, `--tf-plan` of 12 AWS roots, 2 workers",
        Bar(4, 2.5, "GiB"),
        Turns(_memory, rounds=1, memory=True),
        _seconds,
    ),
)
