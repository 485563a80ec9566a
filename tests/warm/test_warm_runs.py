"""Which runs take short cuts."""

from __future__ import annotations

import pytest

from pytest_tfpipeline.model import Repository, Run
from pytest_tfpipeline.warm import short_cuts


@pytest.mark.parametrize(
    ("mode", "wanted", "taken"),
    [
        ("check", True, {"validate", "plan", "show", "checkov", "installed"}),
        ("plan", True, {"validate", "plan", "show", "checkov", "installed"}),
        ("plan", False, set()),
        ("apply", True, {"validate"}),
        ("apply", False, set()),
    ],
)
def test_a_run_that_can_apply_plans_and_polices_plainly(mode: str, wanted: bool, taken: set[str]) -> None:
    run = Run("1", mode, Repository("/x"), "/x/out", "/x/out/1", settings={"shortcuts": wanted})
    assert short_cuts(run) == taken
