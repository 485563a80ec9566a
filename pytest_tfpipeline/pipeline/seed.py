"""Fill the emulated clouds with what the Terraform of an environment expects to be there already.

The `seed` of an environment is code of the repository: it runs at the top of the environment's private copy, sees the
emulated cloud, and no credential of the user's. Once for each fresh cloud, and again when the seed changes.
"""

from __future__ import annotations

import hashlib
import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_tfpipeline.context import FIXED_ENVIRONMENT, Context
from pytest_tfpipeline.emulator import Emulator
from pytest_tfpipeline.errors import EmulatorError
from pytest_tfpipeline.model import EnvironmentRun
from pytest_tfpipeline.process import Outcome, Request
from pytest_tfpipeline.redact import Redactor, clean, secrets_of_environ
from pytest_tfpipeline.suites.environ import without_credentials
from pytest_tfpipeline.workspace.digest import sha256

#: Seconds that each step may take.
LIMIT = 600.0
_TAIL_LINES = 20
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
_CALL = (sys.executable, "-P", "-m", "pytest_tfpipeline.emulator.calling")

Step = tuple[str, ...] | str


@dataclass(frozen=True, slots=True)
class _Seed:
    """An environment's seed. `top` is its private copy, in which the steps run."""

    ctx: Context
    environment: EnvironmentRun
    top: Path


def fill(ctx: Context, environment: EnvironmentRun, emulator: Emulator) -> None:
    """Run the environment's seed, unless its cloud was filled with the same one before.

    Raises EmulatorError that names the step which failed; what was made so far is then not kept.
    """
    if not environment.seed:
        return
    seed = _Seed(ctx, environment, ctx.workspace.tree(environment.name))
    digest = seed_digest(environment.seed, seed.top)
    if digest == emulator.seeded:
        return
    if ctx.progress is not None:
        ctx.progress(f"filling the emulated cloud of {environment.name}")
    with emulator.seeding(digest):
        env = seed_env(ctx, environment.name, emulator.process_env)
        for index, step in enumerate(environment.seed):
            _perform(seed, index, step, env)


def seed_digest(steps: tuple[Step, ...], top: Path) -> str:
    """SHA-256 over the steps, and over every file below `top` that they name."""
    found = hashlib.sha256(json.dumps(steps).encode())
    for path in (path for step in steps for path in _files(step, top)):
        found.update(f"{path.relative_to(top).as_posix()} {sha256(path)}\n".encode())
    return found.hexdigest()


def seed_env(ctx: Context, environment: str, emulated: Mapping[str, str]) -> dict[str, str]:
    """All variables of a step: the inherited ones without credentials, and those that lead to the emulated cloud."""
    targets = [target for target in ctx.run.targets if target.environment == environment]
    given = [env for target in ctx.run.targets for env in (target.env, target.plan_env, target.apply_env)]
    regions = {name: env[name] for target in targets for env in (target.plan_env,) for name in _REGIONS if name in env}
    inherited = ctx.runner.environ
    kept = without_credentials(inherited, (name for each in given for name in each))
    path = {"PYTHONPATH": inherited["PYTHONPATH"]} if "PYTHONPATH" in inherited else {}
    config = {"TF_CLI_CONFIG_FILE": ctx.run.cli_config_path} if ctx.run.cli_config_path else {}
    own = {"TFPIPELINE_ENVIRONMENT": environment, "PYTHONDONTWRITEBYTECODE": "1"}
    return {**kept, **path, **FIXED_ENVIRONMENT, **config, **emulated, **regions, **own}


def _perform(seed: _Seed, index: int, step: Step, env: Mapping[str, str]) -> None:
    argv = (*_CALL, step) if isinstance(step, str) else step
    done = seed.ctx.runner.run(Request(argv, seed.top, env, timeout=LIMIT, only_env=True))
    if done.ok:
        return
    name = seed.environment.lent_by or seed.environment.name
    said = "\n".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-_TAIL_LINES:])
    text = f"`{_shown(step)}` {_how(done)}\n{said}".rstrip().replace(f"{seed.top}/", "")
    raise EmulatorError(
        clean(Redactor(secrets_of_environ(seed.ctx.runner.environ)).text(text)),
        where=f"environment.{name}.seed[{index}]",
        mend="correct what it does; it sees the emulated cloud alone, and runs at the top of a copy of the repository",
    )


def _shown(step: Step) -> str:
    return step if isinstance(step, str) else shlex.join(step)


def _how(done: Outcome) -> str:
    if done.timed_out:
        return f"was stopped: it had not ended after {LIMIT / 60:.0f} minutes"
    if done.code is None:
        return f"could not be started: {done.error}"
    return f"was killed by signal {-done.code}" if done.code < 0 else f"failed with exit code {done.code}"


def _files(step: Step, top: Path) -> Iterator[Path]:
    """The files of a function's module or package, or those that a command's words name; in a stable order."""
    words = _module_places(step) if isinstance(step, str) else step
    for path in (top / word for word in words):
        if not path.resolve().is_relative_to(top.resolve()):
            continue
        if path.is_file():
            yield path
        elif path.is_dir() and path != top:
            yield from sorted(inner for inner in path.rglob("*") if inner.is_file())


def _module_places(step: str) -> tuple[str, str]:
    place = step.partition(":")[0].replace(".", "/")
    return f"{place}.py", place
