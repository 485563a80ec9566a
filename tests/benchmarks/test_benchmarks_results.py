"""What the benchmarks say of what they measured: figures, files and comparison. No time is measured here."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.cases import CASES
from benchmarks.measure import Command, Sample, Unexpected, measure
from benchmarks.results import Bar, Result, Results, load
from benchmarks.roots import write_roots
from benchmarks.tables import slower, table

RESULT = Result(
    "plan-12",
    "a plan",
    Bar(0.25, 0.15, "ratio"),
    0.2,
    {"plain": (Sample(100.0, 190.0), Sample(110.0, 191.0)), "plugin": (Sample(20.0, 35.0),)},
)
RESULTS = Results({"processors": "2 of Some"}, (RESULT,))


def test_a_result_survives_its_file(tmp_path: Path) -> None:
    RESULTS.dump(tmp_path / "a.json")
    assert load(tmp_path / "a.json") == RESULTS


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 2}', '{"version": 1, "machine": {}, "results": [1]}'])
def test_what_is_no_result_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"other\.json|Expecting"):
        load(path)


def test_a_later_measurement_takes_the_place_of_the_same_case_alone() -> None:
    other = replace(RESULT, name="lint")
    later = replace(RESULT, figure=0.1)
    found = Results({}, (RESULT, other)).with_(Results({"system": "new"}, (later,)))
    assert [(each.name, each.figure) for each in found.results] == [("plan-12", 0.1), ("lint", 0.2)]


@pytest.mark.parametrize(("figure", "names"), [(0.19, []), (0.215, []), (0.25, ["plan-12"])])
def test_only_a_figure_that_grew_by_more_than_noise_is_slower(figure: float, names: list[str]) -> None:
    assert [*slower(RESULTS, Results({}, (replace(RESULT, figure=figure),)))] == names


def test_the_table_shows_the_bar_and_the_least_and_the_median_of_both_sides() -> None:
    shown = table(RESULTS)
    assert "| a plan | 0.25 | 0.15 | **0.20** (within the bar) | 100.0 s, 105.0 s | 20.0 s, 20.0 s |" in shown
    assert "misses the bar" in table(Results({}, (replace(RESULT, figure=0.26),)))
    assert "bar)" not in table(Results({}, (replace(RESULT, figure=0.15),)))


def test_no_two_cases_have_one_name() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    assert all(case.bar.reach <= case.bar.most for case in CASES)


def test_a_command_that_fails_is_not_measured(tmp_path: Path) -> None:
    command = Command((sys.executable, "-c", "raise SystemExit(3)"), tmp_path, {})
    with pytest.raises(Unexpected, match="ended with 3"):
        measure(command, tmp_path / "log")
    assert measure(replace(command, ends=frozenset({3})), tmp_path / "log", memory=True).cpu >= 0


def test_generated_roots_have_what_was_asked_for(tmp_path: Path) -> None:
    write_roots(tmp_path / "many", 3, 5)
    roots = sorted((tmp_path / "many/roots").iterdir())
    assert [root.name for root in roots] == ["r0001", "r0002", "r0003"]
    for root in roots:
        text = (root / "main.tf").read_text(encoding="utf-8")
        assert text.count('\nresource "aws_') == 5
        assert (root / ".terraform.lock.hcl").is_file()
        assert f'"{root.name}/terraform.tfstate"' in text


def benchmarks(*args: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *args]
    return subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)


def test_a_place_that_is_not_there_is_made(tmp_path: Path) -> None:
    place, output = tmp_path / "not" / "there", tmp_path / "a.json"
    done = benchmarks("run", "start", "--rounds", "1", "--place", str(place), "--output", str(output))
    assert (done.returncode, [result.name for result in load(output).results]) == (0, ["start"]), done.stderr
    assert (place / "python-only").is_dir()


def test_what_cannot_be_a_place_or_an_output_is_said_before_anything_is_measured(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for args in (("--place", str(file)), ("--output", str(tmp_path / "none" / "a.json")), ("--output", str(tmp_path))):
        done = benchmarks("run", "start", "--rounds", "1", *args)
        assert (done.returncode, "Traceback" in done.stderr, args[1] in done.stderr) == (2, False, True), done.stderr
