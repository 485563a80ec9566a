"""All attacks, in the order of the documentation's table."""

from __future__ import annotations

import mistakes_options
import mistakes_plans
import mistakes_proofs
import mistakes_state
import mistakes_tests
from attack import Trial

#: Heading, trials.
MISTAKES_BY_KIND = {
    "Options, ini keys, variables and plugins of pytest": mistakes_options.TRIALS,
    "Marks, hooks and workers": mistakes_tests.TRIALS,
    "Plans, and what they were made of": mistakes_plans.TRIALS,
    "Variables of terraform, states, accounts": mistakes_state.TRIALS,
    "Evidence, approvals, promotion": mistakes_proofs.TRIALS,
}
MISTAKES: tuple[Trial, ...] = tuple(trial for trials in MISTAKES_BY_KIND.values() for trial in trials)
