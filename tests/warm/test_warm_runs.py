"""Which runs take short cuts."""

from __future__ import annotations

import pytest

from pytest_tfpipeline.config import Config
from pytest_tfpipeline.pipeline.build import Wish, settings_of


@pytest.mark.parametrize(
    ("mode", "wanted", "taken"), [("plan", True, True), ("apply", True, False), ("plan", False, False)]
)
def test_a_run_that_can_apply_takes_no_short_cut(mode: str, wanted: bool, taken: bool) -> None:
    assert settings_of(Config(shortcuts=wanted), Wish(mode))["shortcuts"] is taken
