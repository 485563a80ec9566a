"""Results of static checks, kept by all that they depend on and taken again while nothing of that has changed.

Never of plans, of anything about an environment, of Python suites or of native tests; never in a run that can apply.
"""

from __future__ import annotations

from pytest_tfpipeline.model import CheckKind, Run

#: The kinds whose results depend on nothing but files, programs and variables that can be named.
STATIC = frozenset({CheckKind.FMT, CheckKind.LINT, CheckKind.VALIDATE, CheckKind.POLICY})


def reuses(run: Run) -> bool:
    """Whether the run may take results of earlier ones. One that makes the baseline looks at everything anew."""
    recording = run.baseline is not None and run.baseline.recording
    wanted = bool(run.settings.get("reuse") and run.settings.get("shortcuts"))
    return wanted and not run.can_apply and not recording
