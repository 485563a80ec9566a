"""The fixtures of policy tests, and how a test that asks for one is multiplied over roots and environments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from _pytest.outcomes import Skipped

from pytest_tfpipeline.config.patterns import matches
from pytest_tfpipeline.model import Module, PlanStatus, Root
from pytest_tfpipeline.plugin.state import State, state_of

if TYPE_CHECKING:
    from pytest_tfpipeline.policies.views import ConfigurationView, PlanView

FIXTURES = ("tf_plan", "tf_configuration")

#: What a test needs that has nothing to be run on, and is therefore left out of the run.
NOWHERE = "tfpipeline-nowhere"


@dataclass(frozen=True, slots=True)
class Subject:
    """What one call of a policy test is about."""

    dir: str
    environment: str | None = None


class Deferred(Skipped):
    """The plan that a policy test wants cannot be made before an earlier wave is applied."""


def parametrize(metafunc: pytest.Metafunc) -> None:
    """One call per root and environment planned (`tf_plan`), or per root and module (`tf_configuration`)."""
    wanted = [name for name in FIXTURES if name in metafunc.fixturenames]
    if not wanted:
        return
    state = state_of(metafunc.config)
    marker = metafunc.definition.get_closest_marker("tf_policy")
    subjects = [one for one in _subjects(state, wanted[0]) if _selected(one, marker)]
    metafunc.parametrize(
        wanted,
        [[subject] * len(wanted) for subject in subjects] or [[None] * len(wanted)],
        indirect=True,
        ids=[subject_id(state, subject) for subject in subjects] or [NOWHERE],
    )


def subject_id(state: State, subject: Subject) -> str:
    """`core-staging`; the directory stands for the name where two roots have the same."""
    everything = roots_and_modules(state)
    names = [one.name for one in everything]
    name = next(one.name for one in everything if one.dir == subject.dir)
    shown = name if names.count(name) == 1 else subject.dir
    return f"{shown}-{subject.environment}" if subject.environment else shown


def roots_and_modules(state: State) -> list[Root | Module]:
    """Everything that a configuration can be read of."""
    return [*state.run.repository.roots, *state.run.repository.modules]


def _subjects(state: State, fixture: str) -> Iterator[Subject]:
    if fixture == "tf_plan":
        for target in state.run.targets:
            yield Subject(target.root, target.environment)
        return
    for one in roots_and_modules(state):
        yield Subject(one.dir)


def _selected(subject: Subject, marker: pytest.Mark | None) -> bool:
    if marker is None:
        return True
    patterns = _listed(marker.kwargs.get("roots")) or ["*"]
    environments = marker.kwargs.get("environments")
    in_environment = environments is None or subject.environment in (None, *_listed(environments))
    return in_environment and any(
        matches(pattern, subject.dir) or matches(f"**/{pattern}", subject.dir) for pattern in patterns
    )


def _listed(value: str | Iterable[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


@pytest.fixture
def tf_plan(request: pytest.FixtureRequest) -> PlanView:
    """The plan of one root in one environment, made by whichever item needs it first.

    A root that waits for another one's first apply has no plan yet: the test is then deferred, and run after that
    apply, before the root's own.
    """
    from pytest_tfpipeline.policies.views import PlanView
    from pytest_tfpipeline.terraform.planning import ensure_plan

    subject: Subject = request.param
    state = state_of(request.config)
    target = state.run.target(subject.dir, subject.environment or "")
    plan = ensure_plan(state.context, target)
    if plan.status is PlanStatus.DEFERRED:
        raise Deferred(f"deferred until {', '.join(plan.behind)} is applied")
    if plan.status is PlanStatus.FAILED:
        pytest.skip(f"{subject.dir} could not be planned")
    return PlanView.read(plan)


@pytest.fixture
def tf_configuration(request: pytest.FixtureRequest) -> ConfigurationView:
    """The parsed configuration of one root or module, with file and line; no plan is needed."""
    from pytest_tfpipeline.policies.views import ConfigurationView

    subject: Subject = request.param
    return ConfigurationView.read(state_of(request.config).run.repository, subject.dir)
