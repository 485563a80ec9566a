from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.emulator import Emulator, StateStore, state_path
from pytest_tfpipeline.errors import EmulatorError
from pytest_tfpipeline.process import Runner

Start = Callable[..., Emulator]


@pytest.fixture
def output_path(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def start(tmp_path: Path, output_path: Path) -> Iterator[Start]:
    """Starts emulators that keep their state in one output directory; ends what a test left running."""
    started: list[Emulator] = []

    def start(environment: str = "staging", *, runner: Runner | None = None, **options: Any) -> Emulator:
        emulator = Emulator.start(
            runner or Runner(),
            environment=environment,
            state_path=state_path(output_path, environment),
            stores=(*map(StateStore, options.pop("buckets", ("state-bucket",))), *options.pop("stores", ())),
            work_path=tmp_path / f"work-{len(started)}",
            **options,
        )
        started.append(emulator)
        return emulator

    yield start
    for emulator in started:
        try:
            emulator.stop()
        except EmulatorError:
            continue


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One emulator for the tests that only ask."""
    top = tmp_path_factory.mktemp("shared")
    emulator = Emulator.start(
        Runner(),
        environment="staging",
        state_path=state_path(top / "out", "staging"),
        stores=(StateStore("state-bucket"),),
        work_path=top / "work",
    )
    yield emulator
    emulator.stop()
