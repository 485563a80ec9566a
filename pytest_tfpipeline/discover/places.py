"""Names and places of environments that are plain to see (beside `pytest_tfpipeline.config.places`)."""

from __future__ import annotations

from pytest_tfpipeline.config.places import USUAL_ENVIRONMENTS

#: Directories that usually hold a directory per environment.
ENVIRONMENT_PARENTS = frozenset({"env", "envs", "environment", "environments", "live", "stages"})

#: Names of var files and directories that are shared by environments: never one themselves unless configured.
SHARED_NAMES = frozenset(
    {"all", "base", "common", "default", "defaults", "example", "global", "globals", "local", "main", "secrets"}
    | {"shared", "template", "terraform", "variables", "vars"}
)

_ALSO_USUAL = (
    *("acc", "acceptance", "ci", "demo", "nonprod", "non-prod", "nonproduction", "non-production", "perf"),
    *("ppd", "pprd", "prd", "preview", "prep", "sbox", "sit", "tst"),
)
#: Every name that environments usually have, in lower case.
USUAL_NAMES = frozenset((*USUAL_ENVIRONMENTS, *_ALSO_USUAL))
_ORDER = {name: index for index, name in enumerate(USUAL_ENVIRONMENTS)}
#: Where a usual name that `USUAL_ENVIRONMENTS` does not order stands: behind the test-like, before the staging-like.
_MIDDLE = (_ORDER["sandbox"] + _ORDER["stage"]) / 2


def order(name: str) -> tuple[float, str]:
    """Sorts environments from development to production, others in the middle by name."""
    return _ORDER.get(name.lower(), _MIDDLE), name
