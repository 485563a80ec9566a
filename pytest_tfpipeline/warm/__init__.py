"""Tools and providers that are kept running between calls, so that their start is paid once for a run."""

from __future__ import annotations

from pytest_tfpipeline.model import Run

CHECKOV = "checkov"
#: Packages of providers that are taken for installed, where a mirror has what the lock file names.
INSTALLED = "installed"
#: Commands of terraform for which a provider may give a part of its schema.
FILTERED = frozenset({"validate", "plan", "show"})


def short_cuts(run: Run) -> frozenset[str]:
    """What the run may do in another way than plainly. One that can apply plans, shows and polices plainly."""
    if not run.settings.get("shortcuts"):
        return frozenset()
    return frozenset({"validate"}) if run.can_apply else FILTERED | {CHECKOV, INSTALLED}
