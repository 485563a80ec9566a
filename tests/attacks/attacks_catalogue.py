"""All attacks, in the order of the documentation's table."""

from __future__ import annotations

import hostile_claims
import hostile_code
import hostile_inputs
import hostile_rules
import mistakes_options
import mistakes_plans
import mistakes_proofs
import mistakes_state
import mistakes_tests
from attack import Trial
from raid import Raid

#: Heading, trials.
MISTAKES_BY_KIND = {
    "Options, ini keys, variables and plugins of pytest": mistakes_options.TRIALS,
    "Marks, hooks and workers": mistakes_tests.TRIALS,
    "Plans, and what they were made of": mistakes_plans.TRIALS,
    "Variables of terraform, states, accounts": mistakes_state.TRIALS,
    "Evidence, approvals, promotion": mistakes_proofs.TRIALS,
}
MISTAKES: tuple[Trial, ...] = tuple(trial for trials in MISTAKES_BY_KIND.values() for trial in trials)

#: The same for hostile code.
RAIDS_BY_KIND = {
    "Code of the repository": hostile_code.RAIDS,
    "What the check job says": hostile_claims.RAIDS,
    "A branch that changes the rules": hostile_rules.RAIDS,
    "Providers, tools, names, links": hostile_inputs.RAIDS,
    "What two jobs do not stop": hostile_inputs.NOT_STOPPED,
}
RAIDS: tuple[Raid, ...] = tuple(raid for raids in RAIDS_BY_KIND.values() for raid in raids)
