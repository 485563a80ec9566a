"""Attacks on the gate, as declarations: what is tried, how, and what must come of it.

A `Trial` is one real run on a scratch repository; an `Attack` is one row of the documentation's table. A trial holds
several attacks only where each of them closes the gate by itself and is named in a reason of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from scratch import Result, Scratch
from uv import find_uv_bin

#: Each creation writes a line outside of the repository, so that an apply is seen even if its state is lost.
LOG = """
resource "terraform_data" "log" {{
  triggers_replace = terraform_data.it.input

  provisioner "local-exec" {{
    command = "echo {root} >> '{log}'"
  }}
}}
"""

RULES = """
def test_small(tf_plan):
    assert len(tf_plan.resources()) < 9


def test_plain():
    assert True
"""


class Scene:
    """A scratch repository with one root `a`, one policy test and one ordinary test, and what was applied in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.scratch = Scratch(path)
        self.scratch.without_checkov()
        self.log = path / "applied.log"
        self.root("a")
        self.scratch.write("tests/test_rules.py", RULES)
        self.given: dict[str, str] = {}
        self._before: dict[str, bytes] = {}
        self._logged = 0

    def root(self, name: str, body: str = "", *, value: str = "hello", reads: str | None = None) -> None:
        """A root that writes to the log when it is applied, with `body` behind it."""
        text = LOG.format(root=name, log=self.log)
        self.scratch.root(name, f"{text.strip()}\n\n{body.strip()}" if body else text, value=value, reads=reads)

    def test(self, body: str, name: str = "test_attack.py") -> None:
        """A test module of the repository; `PLANS`, `TREES` and `TOP` in it are globs for what this run works with."""
        self.scratch.write(f"tests/{name}", f"{self._places()}\n{body.strip()}\n")

    def conftest(self, body: str) -> None:
        """The repository's conftest.py, with the same names."""
        self.scratch.write("conftest.py", f"{self._places()}\n{body.strip()}\n")

    def install(self, package: str) -> dict[str, str]:
        """Variables with which the run has a plugin from the package index."""
        target = self.path / "plugins"
        argv = [find_uv_bin(), "pip", "install", "--quiet", "--no-deps", "--python", sys.executable]
        subprocess.run([*argv, "--target", str(target), package], check=True, capture_output=True)
        inherited = os.environ.get("PYTHONPATH")
        return {"PYTHONPATH": os.pathsep.join([str(target), *([inherited] if inherited else [])])}

    def apply(self, *args: str, env: Mapping[str, str] | None = None) -> Result:
        """A run that belongs to the story and must succeed."""
        done = self.scratch.run("--apply-env", "staging", "-n", "0", *args, env=env)
        assert done.code == 0, done.text
        return done

    def mark(self) -> None:
        """What is there now is no doing of the attack."""
        self._before = self._states()
        self._logged = len(self.lines())

    def applied(self) -> int:
        """Roots whose state is not what it was, or that have written to the log, since `mark`."""
        now = self._states()
        moved = {name for name in {*now, *self._before} if now.get(name) != self._before.get(name)}
        return len(moved | {f"{name}.tfstate" for name in self.lines()[self._logged :]})

    def reasons(self) -> list[dict[str, str]]:
        """Every reason of the last evidence: code, text, and the check where it is about one."""
        environments = self.scratch.evidence()["environments"]
        return [reason for one in environments for reason in (one["verdict"] or {"reasons": ()})["reasons"]]

    def lines(self) -> list[str]:
        """The roots that were created or replaced, each time again."""
        return self.log.read_text().split() if self.log.exists() else []

    def _states(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.scratch.states.glob("*.tfstate")}

    def _places(self) -> str:
        return PLACES.format(top=str(self.scratch.path), output=str(self.scratch.output), run=str(self.path / "run"))


PLACES = """
from pathlib import Path

TOP = Path({top!r})
OUTPUT = Path({output!r})


def newest(pattern):
    return sorted(path for run in sorted((OUTPUT / "runs").iterdir())[-1:] for path in run.glob(pattern))
"""


@dataclass(frozen=True)
class Attack:
    """One row. `says` stands in a reason of the evidence, or in what was printed where there is no reason; `<name>` in
    it is what the scene has in `given` under that name.

    `code` is that reason's, where the run has others for other rows.
    """

    id: str
    tries: str
    says: str = ""
    code: str = ""


def nothing(scene: Scene) -> None:
    """Nothing is done."""


@dataclass(frozen=True)
class Trial:
    """One run. `earlier` is what happened before, in the sound repository; `setup` writes what is then committed,
    `before` acts after the commit, `act` takes the run's place.

    `codes` are all the reasons' codes in the evidence, None where none is written; `exit` is the run's exit code.
    `answer` is for the table where codes and exit code do not say it.
    """

    attacks: tuple[Attack, ...]
    exit: int = 1
    codes: frozenset[str] | None = frozenset()
    args: tuple[str, ...] = ("-n", "0")
    env: Mapping[str, str] = field(default_factory=dict)
    earlier: Callable[[Scene], object] = nothing
    setup: Callable[[Scene], object] = nothing
    before: Callable[[Scene], object] = nothing
    act: Callable[[Scene], Result] | None = None
    count: Callable[[Scene], int] = Scene.applied
    answer: str = ""
    package: str = ""

    @property
    def id(self) -> str:
        """The first attack's, with the number of the others."""
        more = len(self.attacks) - 1
        return self.attacks[0].id + (f" and {more} more" if more else "")


def carry_out(trial: Trial, scene: Scene) -> Result:
    """The whole trial, up to the end of its run."""
    env = {**trial.env, **(scene.install(trial.package) if trial.package else {})}
    scene.scratch.commit()
    trial.earlier(scene)
    trial.setup(scene)
    scene.scratch.commit()
    trial.before(scene)
    scene.mark()
    if trial.act is not None:
        return trial.act(scene)
    return scene.scratch.run("--apply-env", "staging", *trial.args, env=env)
