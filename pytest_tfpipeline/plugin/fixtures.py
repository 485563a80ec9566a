"""The fixtures of policy tests, and how a test that asks for one is multiplied over roots and environments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from _pytest.outcomes import Skipped

from pytest_tfpipeline.config.patterns import matches
from pytest_tfpipeline.errors import UsageError
from pytest_tfpipeline.model import PlanStatus
from pytest_tfpipeline.plugin.state import State, state_of

if TYPE_CHECKING:
    from pytest_tfpipeline.policies.views import ConfigurationView, OutputsView, PlanView

#: Where a test asks for several, the first of them says what it is multiplied over.
FIXTURES = ("tf_outputs", "tf_plan", "tf_configuration")

#: What a test needs that has nothing to be run on, and is therefore left out of the run.
NOWHERE = "tfpipeline-nowhere"
_MEND = "let no conftest.py or plugin put tests back that were left out of the run"


@dataclass(frozen=True, slots=True)
class Subject:
    """What one call of a policy test is about."""

    dir: str
    environment: str | None = None


class Deferred(Skipped):
    """The plan that a policy test wants cannot be made before an earlier wave is applied."""


def parametrize(metafunc: pytest.Metafunc) -> None:
    """One call per root and environment applied (`tf_outputs`) or planned (`tf_plan`), or per root and module
    (`tf_configuration`)."""
    wanted = [name for name in FIXTURES if name in metafunc.fixturenames]
    if not wanted:
        return
    state = state_of(metafunc.config)
    marker = metafunc.definition.get_closest_marker("tf_policy")
    subjects = [one for one in _subjects(state, wanted[0]) if _selected(one, marker)]
    subjects = _narrowed(state, metafunc.definition.path, subjects)
    if not subjects:
        without = state.unapplied if wanted[0] == "tf_outputs" else state.unplanned
        without.add(metafunc.definition.nodeid)
    metafunc.parametrize(
        wanted,
        [[subject] * len(wanted) for subject in subjects] or [[None] * len(wanted)],
        indirect=True,
        ids=[subject_id(state, subject) for subject in subjects] or [NOWHERE],
    )


def subject_id(state: State, subject: Subject) -> str:
    """`core-staging`; the directory stands for the name where two roots have the same."""
    shown = state.names.get(subject.dir, subject.dir)
    return f"{shown}-{subject.environment}" if subject.environment else shown


def _subjects(state: State, fixture: str) -> Iterator[Subject]:
    if fixture == "tf_configuration":
        yield from map(Subject, state.names)
        return
    for target in state.run.targets:
        if fixture == "tf_plan" or (state.run.can_apply and target.apply):
            yield Subject(target.root, target.environment)


def _selected(subject: Subject, marker: pytest.Mark | None) -> bool:
    if marker is None:
        return True
    patterns = _listed(marker.kwargs.get("roots")) or ["*"]
    environments = marker.kwargs.get("environments")
    in_environment = environments is None or subject.environment in (None, *_listed(environments))
    return in_environment and any(
        matches(pattern, subject.dir) or matches(f"**/{pattern}", subject.dir) for pattern in patterns
    )


def _narrowed(state: State, module: Path, subjects: list[Subject]) -> list[Subject]:
    """Of a run that is narrowed, those that a change can affect; all of them where the module itself is affected."""
    changed = state.run.changed
    if changed is None or (
        module.is_relative_to(state.top) and module.relative_to(state.top).as_posix() in changed.tests
    ):
        return subjects
    return [one for one in subjects if one.dir in changed.reasons]


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

    subject = _subject(request)
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

    subject = _subject(request)
    return ConfigurationView.read(state_of(request.config).run.repository, subject.dir)


@pytest.fixture
def tf_outputs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> OutputsView:
    """The outputs of one root in one environment, read after its apply.

    Together with `tf_plan`, that is the plan that was applied. In an emulated environment the process's variables lead
    to that cloud while the test runs, so that a plain `boto3.client("s3")` asks it and nobody else.
    """
    from pytest_tfpipeline.policies.views import OutputsView
    from pytest_tfpipeline.terraform.outputs import ensure_outputs

    subject = _subject(request)
    state = state_of(request.config)
    if not state.phase.outputs:
        raise UsageError("a test with tf_outputs runs after the apply, and something made it run before", mend=_MEND)
    target = state.run.target(subject.dir, subject.environment or "")
    if target.emulated:
        for name, value in state.context.cloud_environment(target).items():
            monkeypatch.setenv(name, value)
    return OutputsView(target.root, target.environment, ensure_outputs(state.context, target))


def _subject(request: pytest.FixtureRequest) -> Subject:
    """What this call is about; there is nothing where pytest did not know beforehand that the fixture is wanted."""
    found = getattr(request, "param", None)
    if isinstance(found, Subject):
        return found
    name = request.fixturename
    raise UsageError(f"{name} was asked for in the middle of a test", mend=f"name {name} as an argument of the test")


def pytest_assertrepr_compare(left: object, right: object) -> list[str] | None:
    """Show nothing of a comparison with a sensitive output: what differs, or does not, would tell parts of it."""
    from pytest_tfpipeline.policies.views import SensitiveText

    if isinstance(left, SensitiveText) or isinstance(right, SensitiveText):
        return ["a comparison with a sensitive output, of which nothing is shown"]
    return None
