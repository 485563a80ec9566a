"""Variables of terraform, states, accounts: no mistake in these applies anything."""

from __future__ import annotations

from collections.abc import Callable

import mistakes_state
import pytest
from attack import Trial


@pytest.mark.parametrize("trial", mistakes_state.TRIALS, ids=lambda trial: trial.id)
def test_a_mistake_applies_nothing(trial: Trial, applies_nothing: Callable[[Trial], None]) -> None:
    applies_nothing(trial)
