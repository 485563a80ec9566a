"""What runs beside the checks and ends last: one emulated cloud for each emulated environment."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from pytest_tfpipeline.context import Context
from pytest_tfpipeline.emulator import ACCOUNT_ID, Emulator, state_path
from pytest_tfpipeline.model import Run
from pytest_tfpipeline.pipeline.backends import state_stores
from pytest_tfpipeline.pipeline.build import emulated
from pytest_tfpipeline.pipeline.profiles import profiles_of
from pytest_tfpipeline.pipeline.seed import fill
from pytest_tfpipeline.process import Runner


class Services:
    """The run's services. Started early, so that their start-up overlaps with everything that needs none of them; or
    without `at_once` when `begin` says that somebody does."""

    def __init__(self, run: Run, runner: Runner, *, at_once: bool = True) -> None:
        self._emulators: dict[str, Emulator] = {}
        with ExitStack() as failing:
            failing.callback(self.stop)
            found = emulated(run)
            profiles = profiles_of(run) if found else ()
            accounts = {one.name: one.identity.get("aws_account") or ACCOUNT_ID for one in run.environments}
            for name, targets in found.items():
                self._emulators[name] = Emulator.start(
                    runner,
                    environment=name,
                    state_path=state_path(Path(run.output_path), name),
                    stores=state_stores(run, targets),
                    work_path=Path(run.work_path),
                    read_only=not run.can_apply,
                    profiles=profiles,
                    account=accounts[name],
                    at_once=at_once,
                )
            failing.pop_all()

    @property
    def variables(self) -> dict[str, dict[str, str]]:
        """Variables for the processes of each emulated environment; they lead nowhere before `process_env` has them."""
        return {name: emulator.variables for name, emulator in self._emulators.items()}

    def begin(self) -> None:
        """Start those that are not, and return at once."""
        for emulator in self._emulators.values():
            emulator.begin()

    def process_env(self) -> dict[str, dict[str, str]]:
        """The same; begins each cloud, and waits until it answers."""
        return {name: emulator.process_env for name, emulator in self._emulators.items()}

    def seed(self, ctx: Context) -> None:
        """Fill the clouds with what their environments' `seed` makes: commands and functions of the repository, so not
        for an apply in a job of its own. Raises EmulatorError for a step that fails."""
        for environment in ctx.run.environments:
            if environment.name in self._emulators:
                fill(ctx, environment, self._emulators[environment.name])

    def failed(self) -> tuple[str, ...]:
        """What is wrong with services that ended by themselves."""
        return tuple(found for emulator in self._emulators.values() if (found := emulator.failed()))

    def stop(self) -> None:
        """End them all, each keeping its state; raises the first EmulatorError when all have ended."""
        with ExitStack() as stack:
            for emulator in self._emulators.values():
                stack.callback(emulator.stop)
