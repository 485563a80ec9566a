"""What is said of the time: no more precise than it is known, and nothing of what is nearly over."""

from __future__ import annotations

import pytest

from pytest_tfpipeline.reports.progress import beginning, left_line, roughly, whole_line


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "5 s"),
        (12, "10 s"),
        (42, "40 s"),
        (57, "55 s"),
        (59, "1 min"),
        (61, "1 min"),
        (80, "1 min 30 s"),
        (569, "9 min 30 s"),
        (590, "10 min"),
        (3569, "59 min"),
        (3590, "1 h"),
        (4700, "1 h 20 min"),
        (7200, "2 h"),
    ],
)
def test_a_time_is_rounded_to_what_can_be_known(seconds: float, said: str) -> None:
    assert roughly(seconds) == said


def test_a_short_run_and_one_that_nothing_is_known_of_are_told_nothing() -> None:
    assert whole_line(None, can_apply=False) is None
    assert whole_line(19, can_apply=False) is None
    assert whole_line(120, can_apply=False) == "tfpipeline: about 2 min by earlier runs"


def test_where_an_apply_follows_the_time_is_to_the_gate() -> None:
    assert whole_line(120, can_apply=True) == "tfpipeline: about 2 min to the gate by earlier runs"
    assert left_line(12, 48, 40, can_apply=True) == "12 of 48, about 40 s to the gate"


def test_what_is_nearly_over_is_not_announced() -> None:
    assert left_line(12, 48, 40, can_apply=False) == "12 of 48, about 40 s left"
    assert left_line(47, 48, 9, can_apply=False) is None
    assert left_line(12, 48, None, can_apply=False) is None


@pytest.mark.parametrize(("seconds", "said"), [(None, ""), (3, ""), (95, ", about 1 min 30 s by earlier runs")])
def test_an_apply_begins_with_what_it_may_take(seconds: float | None, said: str) -> None:
    assert beginning("dev", 2, seconds) == f"applying dev: 2 roots{said}"
