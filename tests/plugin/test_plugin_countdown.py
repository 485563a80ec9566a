"""What the terminal says of the time, beside what pytest says: the rest is always "due" here, and long."""

from __future__ import annotations

import json
import re

import pytest
from scratch import Scratch

_ALWAYS = """
from pytest_tfpipeline.plugin import countdown

countdown._ON_TERMINAL = countdown._IN_LOG = 0.0
countdown._TIMES = 1e9
"""
_WHOLE = re.compile(r"^tfpipeline: about .* by earlier runs$", re.MULTILINE)
_LEFT = re.compile(r"[0-9]+ of [0-9]+, about [0-9a-z ]+ left$", re.MULTILINE)


@pytest.fixture
def long(scratch: Scratch) -> Scratch:
    """Three roots whose checks took long the last time."""
    for name in "bc":
        scratch.root(name)
    scratch.write("conftest.py", _ALWAYS)
    scratch.commit()
    kinds = ("fmt", "lint", "validate", "policy", "plan[staging]", "policy[staging]")
    known = {f"infra/{root}/main.tf::{kind}": 4000.0 for root in "abc" for kind in kinds}
    scratch.write(".tfpipeline/timings.json", json.dumps(known))
    return scratch


def lines(text: str, of: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(of)]


@pytest.mark.parametrize("columns", ["40", "60", "80"])
def test_without_workers_it_ends_lines_as_pytest_does(columns: str, long: Scratch) -> None:
    result = long.run("-m", "tf_fmt or tf_lint", "-n0", env={"COLUMNS": columns})
    assert result.code == 0, result.text
    assert _WHOLE.search(result.stdout), result.text
    assert len(_LEFT.findall(result.stdout)) == 5, "after each of six but the last"
    assert not [line for line in result.stdout.splitlines() if len(line) > int(columns) and "infra/" in line]
    assert "\n\n\n" not in result.stdout
    of_a = lines(result.stdout, "infra/a/main.tf ")
    assert [line.split()[1] for line in of_a] == [".", "."], "each line says the file that its letters are of"


def test_with_workers_every_letter_is_there(long: Scratch) -> None:
    result = long.run("--tf-plan", "staging", "-n2")
    assert result.code == 0, result.text
    assert _WHOLE.search(result.stdout), result.text
    assert _LEFT.search(result.stdout), result.text
    letters = "".join(re.findall(r"^([.]+)", result.stdout, re.MULTILINE))
    assert len(letters) == len(long.outcomes())
    assert "[100%]" in result.stdout


@pytest.mark.parametrize("workers", ["-n0", "-n2"])
def test_under_v_it_has_lines_of_its_own(workers: str, long: Scratch) -> None:
    result = long.run("-m", "tf_fmt or tf_lint", workers, "-v")
    assert result.code == 0, result.text
    alone = [line for line in result.stdout.splitlines() if _LEFT.fullmatch(line)]
    assert alone, result.text
    assert len(alone) == len(_LEFT.findall(result.stdout))
    shown = [line for line in result.stdout.splitlines() if "PASSED" in line]
    assert len(shown) == 6
    assert "\n\n\n" not in result.stdout


@pytest.mark.parametrize(
    "args",
    [
        ("-q",),
        ("-s",),
        ("-p", "no:terminal"),
        ("--collect-only",),
        ("-o", "console_output_style=classic"),
    ],
    ids=" ".join,
)
def test_where_pytest_says_nothing_of_its_progress_nothing_is_said_of_the_rest(
    args: tuple[str, ...], long: Scratch
) -> None:
    result = long.run("-m", "tf_fmt", "-n0", *args)
    assert result.code == 0, result.text
    assert "about" not in result.stdout


def test_without_a_header_only_the_first_word_is_left_out(long: Scratch) -> None:
    result = long.run("-m", "tf_fmt", "-n0", "--no-header")
    assert not _WHOLE.search(result.stdout), result.text
    assert _LEFT.search(result.stdout)


def test_it_is_said_now_and_then_and_not_after_every_check(long: Scratch) -> None:
    long.write("conftest.py", _ALWAYS.replace("0.0", "1e9"))
    result = long.run("-m", "tf_fmt", "-n0")
    assert _WHOLE.search(result.stdout), result.text
    assert not _LEFT.search(result.stdout)


def test_of_what_nothing_is_known_nothing_is_said(long: Scratch) -> None:
    long.write(".tfpipeline/timings.json", "{}")
    result = long.run("-m", "tf_fmt", "-n0")
    assert result.code == 0, result.text
    assert "about" not in result.stdout


def test_a_run_keeps_what_its_checks_took_for_the_next_one(long: Scratch) -> None:
    long.write(".tfpipeline/timings.json", json.dumps({"infra/a/main.tf::policy": 7.0, "infra/gone/main.tf::fmt": 7.0}))
    assert long.run("-m", "tf_fmt", "-n0").code == 0
    kept = json.loads((long.output / "timings.json").read_text())
    assert set(kept) == {"infra/a/main.tf::policy", *(f"infra/{root}/main.tf::fmt" for root in "abc")}
    assert kept["infra/a/main.tf::policy"] == 7.0
