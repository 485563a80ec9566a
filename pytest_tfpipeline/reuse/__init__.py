"""Results of static checks, kept by all that they depend on and taken again while nothing of that has changed.

Never of plans, of anything about an environment, of Python suites or of native tests; never in a run that can apply.
"""

from __future__ import annotations

from pytest_tfpipeline.model import CheckKind, Run

#: The kinds whose results depend on nothing but files, programs and variables that can be named.
STATIC = frozenset({CheckKind.FMT, CheckKind.LINT, CheckKind.VALIDATE, CheckKind.POLICY})


def reuses(run: Run) -> bool:
    """Whether the run may take results of earlier ones. One that makes the baseline looks at everything anew, and so
    does a check job, as far as the run knows that it is one."""
    recording = run.baseline is not None and run.baseline.recording
    wanted = bool(run.settings.get("reuse") and run.settings.get("shortcuts"))
    return wanted and not run.can_apply and not recording and not (run.isolation == "jobs" and may_be_check_job(run))


def may_be_check_job(run: Run) -> bool:
    """Whether an apply job could be given this run's evidence; it takes none that has results of earlier runs."""
    return run.mode == "plan" and run.changed is None
