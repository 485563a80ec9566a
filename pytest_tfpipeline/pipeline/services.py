"""What runs beside the checks and ends last: one emulated cloud for each emulated environment."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from pytest_tfpipeline.emulator import Emulator, state_path
from pytest_tfpipeline.model import Run
from pytest_tfpipeline.pipeline.backends import state_buckets
from pytest_tfpipeline.pipeline.build import emulated
from pytest_tfpipeline.process import Runner


class Services:
    """The run's services. Started early, so that their start-up overlaps with everything that needs none of them."""

    def __init__(self, run: Run, runner: Runner) -> None:
        self._emulators: dict[str, Emulator] = {}
        with ExitStack() as failing:
            failing.callback(self.stop)
            for name, targets in emulated(run).items():
                self._emulators[name] = Emulator.start(
                    runner,
                    environment=name,
                    state_path=state_path(Path(run.output_path), name),
                    buckets=state_buckets(run, targets),
                    work_path=Path(run.work_path),
                    read_only=not run.can_apply,
                )
            failing.pop_all()

    def process_env(self) -> dict[str, dict[str, str]]:
        """Variables for the processes of each emulated environment; waits until its cloud answers."""
        return {name: emulator.process_env for name, emulator in self._emulators.items()}

    def failed(self) -> tuple[str, ...]:
        """What is wrong with services that ended by themselves."""
        return tuple(found for emulator in self._emulators.values() if (found := emulator.failed()))

    def stop(self) -> None:
        """End them all, each keeping its state; raises the first EmulatorError when all have ended."""
        with ExitStack() as stack:
            for emulator in self._emulators.values():
                stack.callback(emulator.stop)
