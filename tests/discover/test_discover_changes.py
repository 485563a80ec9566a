"""What a change can affect, by table and by property."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.discover.changes import Place, Python, Terrain, affected

EVERYTHING = {"live/net", "live/app", "live/job", "modules/bucket", "modules/key", "lambdas/ingest"}
TERRAIN = Terrain(
    places=(
        Place("live/net", reads={"vars/net.tfvars": "its var file"}),
        Place(
            "live/app",
            reads={"lambdas/ingest/src": "main.tf names it", "shared/policy.json": "main.tf names it"},
            uses={"modules/bucket": "it calls it", "modules/key": "it calls it", "live/net": "it comes after it"},
        ),
        Place("live/job", anything="live/job has `prepare` commands"),
        Place("modules/bucket", uses={"modules/key": "it calls it"}),
        Place("modules/key"),
        Place("lambdas/ingest", reads={"lib/common.py": "it imports it"}, python=Python(frozenset({"lib"}))),
    ),
    tests=(
        Place("tests/policies/test_a.py", reads={"tests/policies/test_a.py": "it changed"}),
        Place("tests/policies/test_b.py", python=Python(frozenset({"planned"}), frozenset({"limits.json"}))),
    ),
    governing=(Place("conftest.py", python=Python(frozenset({"hooks"}))),),
    holders=frozenset({*EVERYTHING, "fragments/versions"}),
    suites=frozenset({"lambdas/ingest"}),
    everything={"waivers.toml": "the configuration names it"},
    links={"live/net/versions.tf": "fragments/versions/versions.tf"},
)
#: What has `prepare` may read everything but what only people and CI services read.
ALWAYS = {"live/job"}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("live/net/main.tf", {"live/net", "live/app"}),
        ("live/net/policy.json", {"live/net", "live/app"}),
        ("live/net/.terraform.lock.hcl", {"live/net", "live/app"}),
        ("live/app/main.tf", {"live/app"}),
        ("live/app/deep/down/file.txt", {"live/app"}),
        ("modules/key/gone.tf", {"modules/key", "modules/bucket", "live/app"}),
        ("modules/bucket/README.md", {"modules/bucket", "live/app"}),
        ("vars/net.tfvars", {"live/net", "live/app"}),
        ("vars/other.tfvars", set()),
        ("shared/policy.json", {"live/app"}),
        ("shared", {"live/app"}),
        ("shared/other.json", set()),
        ("lambdas/ingest/src/app.py", {"lambdas/ingest", "live/app"}),
        ("lambdas/ingest/tests/test_app.py", {"lambdas/ingest"}),
        ("lambdas/ingest/conftest.py", {"lambdas/ingest"}),
        ("lib/common.py", {"lambdas/ingest"}),
        ("lib/gone.py", {"lambdas/ingest"}),
        ("fragments/versions/versions.tf", {"live/net", "live/app"}),
        ("scripts/deploy.sh", set()),
        ("modules/.tflint.hcl", {"modules/bucket", "modules/key", "live/app"}),
        ("live/.terraform-version", {"live/net", "live/app", "live/job"}),
        (".tflint.d/policies/rule.rego", EVERYTHING),
        ("mirror/registry.terraform.io/hashicorp/aws/x", EVERYTHING),
    ],
)
def test_what_a_changed_path_affects(path: str, found: set[str]) -> None:
    assert set(affected(TERRAIN, [path]).reasons) == found | ALWAYS


@pytest.mark.parametrize(
    "path",
    [
        *("pyproject.toml", "tfpipeline.toml", "pytest.ini", "conftest.py", "tests/policies/conftest.py", "uv.lock"),
        *("requirements-dev.txt", ".gitignore", ".tflint.hcl", ".checkov.yaml", ".tool-versions", "waivers.toml"),
        *("hooks.py", "hooks/__init__.py", ".gitmodules", "ruff.toml"),
    ],
)
def test_what_the_run_itself_depends_on_affects_everything(path: str) -> None:
    impact = affected(TERRAIN, [path])

    assert set(impact.reasons) == EVERYTHING
    assert all(path in " ".join(whys) for whys in impact.reasons.values())


@pytest.mark.parametrize(
    "path", [".github/workflows/check.yml", ".gitlab-ci.yml", "README.md", "LICENSE", "tests/__pycache__/a.pyc"]
)
def test_what_only_people_and_ci_read_affects_nothing(path: str) -> None:
    impact = affected(TERRAIN, [path])

    assert not impact.reasons
    assert not impact.tests
    assert impact.idle == (path,)


@pytest.mark.parametrize(
    ("path", "tests"),
    [
        ("tests/policies/test_a.py", {"tests/policies/test_a.py"}),
        ("tests/policies/planned.py", {"tests/policies/test_b.py"}),
        ("tests/policies/data/x.json", {"tests/policies/test_a.py", "tests/policies/test_b.py"}),
        ("shared/limits.json", {"tests/policies/test_b.py"}),
        ("conftest.py", {"tests/policies/test_a.py", "tests/policies/test_b.py"}),
        ("live/app/main.tf", set()),
    ],
)
def test_which_policy_tests_run_on_everything(path: str, tests: set[str]) -> None:
    assert set(affected(TERRAIN, [path]).tests) == tests


def test_a_submodule_affects_everything_below_it() -> None:
    assert {"modules/bucket", "modules/key", "live/app"} <= set(affected(TERRAIN, ["modules"]).reasons)


def test_what_is_known_is_followed_like_a_change() -> None:
    impact = affected(TERRAIN, [], {"live/net": "it is new here"})

    assert impact.reasons == {"live/net": ("it is new here",), "live/app": ("it comes after it",)}


NAMES = st.sampled_from(["a", "b", "c", "d"])
DIRS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
PATHS = st.builds(
    lambda folder, name: f"{folder}/{name}", DIRS, st.sampled_from(["main.tf", "x.json", "x.py", ".tflint.hcl", "y.md"])
)
WHY = st.just("why")
PLAIN = settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def terrains(draw: st.DrawFn) -> Terrain:
    """Any terrain over few names, circles and links included."""
    dirs = draw(st.lists(DIRS, unique=True, max_size=6))
    used = st.dictionaries(st.sampled_from(dirs or ["a"]), WHY, max_size=3)
    reads: st.SearchStrategy[Mapping[str, str]] = st.dictionaries(PATHS | DIRS, WHY, max_size=3)
    imports = st.builds(Python, st.frozensets(NAMES, max_size=2), st.frozensets(NAMES, max_size=2))
    places = [
        Place(one, draw(reads), draw(used), draw(imports), draw(st.sampled_from(["", "", "it may"]))) for one in dirs
    ]
    return Terrain(
        tuple(places),
        holders=frozenset({*dirs, *draw(st.lists(DIRS, max_size=2))}),
        links=draw(st.dictionaries(PATHS, PATHS | DIRS, max_size=2)),
    )


@PLAIN
@given(terrains(), st.lists(PATHS, max_size=5), st.lists(PATHS, max_size=5))
def test_more_changed_files_never_affect_less(terrain: Terrain, some: list[str], more: list[str]) -> None:
    fewer, all_ = affected(terrain, some), affected(terrain, [*some, *more])

    assert set(fewer.reasons) <= set(all_.reasons)
    assert set(fewer.tests) <= set(all_.tests)
    each = {name for path in {*some, *more} for name in affected(terrain, [path]).reasons}
    assert each == set(all_.reasons)


@PLAIN
@given(terrains(), st.lists(PATHS, max_size=5))
def test_whatever_is_affected_has_a_reason_and_so_has_whoever_uses_it(terrain: Terrain, changed: list[str]) -> None:
    impact = affected(terrain, changed)

    assert all(impact.reasons.values())
    for place in terrain.places:
        if not set(place.uses).isdisjoint(impact.reasons):
            assert place.dir in impact.reasons
        if any(path.startswith(f"{place.dir}/") and path.rpartition("/")[0] == place.dir for path in changed):
            inert = [path for path in changed if "/" not in path]
            assert place.dir in impact.reasons or inert
