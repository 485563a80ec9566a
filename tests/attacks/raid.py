"""Hostile code in both arrangements: in one process, and in two jobs of which only the second may apply.

What may apply is a credential: a variable that the run in one process and the apply job have, and the check job has
not. Whatever the check job wrote to the states is undone before the apply job begins, since it had no right to.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from attack import Scene, nothing
from scratch import Result

from pytest_tfpipeline.proof.checksum import checksum

CREDENTIAL = "APPLY_TOKEN"
#: Seconds of a run: a home of its own may have to build a tool first.
_LIMIT = 600.0
ORIGIN = "https://example.org/scratch.git"
KEY = {"TFPIPELINE_DIGEST_KEY": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"}


class Field(Scene):
    """A scene with a credential, and a place for what hostile code found."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.token = secrets.token_hex(16)
        self.loot = path / "loot"
        self.claim = path / "claim.json"
        self.said = ""
        self.output_of_last = self.scratch.path
        self._jobs = 0

    def ready(self) -> None:
        """Commit, and remember what the states are."""
        self.scratch.commit()
        if not self.scratch.git("remote"):
            self.scratch.git("remote", "add", "origin", ORIGIN)
        self.forget()

    def forget(self) -> None:
        """Whatever was taken so far is another run's."""
        shutil.rmtree(self.loot, ignore_errors=True)
        self.loot.mkdir()

    def put(self, environment: str = "staging") -> None:
        """Apply everything with terraform itself: what was there before the story begins."""
        for root in sorted((self.scratch.path / "infra").iterdir()):
            copy = self.path / "put" / root.name
            shutil.copytree(root, copy)
            for words in (("init",), ("apply", "-auto-approve")):
                subprocess.run(["terraform", *words, "-input=false"], cwd=copy, check=True, capture_output=True)
        shutil.rmtree(self.path / "put")

    def steals(self, name: str) -> str:
        """A shell command that keeps the credential, if it has it; what another process took before is kept too."""
        return f'printf %s "${CREDENTIAL}" >> "{self.loot}/{name}"'

    def steals_in_python(self, name: str) -> str:
        """The same as a statement."""
        where = repr(str(self.loot / name))
        return f"open({where}, 'a').write(__import__('os').environ.get({CREDENTIAL!r}, ''))"

    def stolen(self, name: str) -> int:
        """Whether that command ran where the credential is."""
        found = self.loot / name
        return int(found.exists() and self.token in found.read_text())

    def ran(self, name: str) -> bool:
        """Whether it ran at all."""
        return (self.loot / name).exists()

    def in_one_process(self, *args: str, env: Mapping[str, str] | None = None) -> Result:
        """`pytest --apply-env staging`, with the credential."""
        given = {**KEY, CREDENTIAL: self.token, **(env or {})}
        done = self.scratch.run("--apply-env", "staging", *(args or ("-n", "0")), env=given, timeout=_LIMIT)
        self.said, self.output_of_last = done.text, self.scratch.path
        return done

    def check_job(self, *args: str, env: Mapping[str, str] | None = None) -> Result:
        """`pytest --tf-plan staging`, without it; its evidence is the claim."""
        kept = self.keep()
        done = self.scratch.run(
            "--tf-plan", "staging", *(args or ("-n", "0")), env={**KEY, **(env or {})}, timeout=_LIMIT
        )
        self.restore(kept)
        if (self.scratch.output / "evidence.json").exists():
            shutil.copyfile(self.scratch.output / "evidence.json", self.claim)
        return done

    def apply_job(self, *args: str, env: Mapping[str, str] | None = None) -> Result:
        """The apply in a fresh clone of the commit with an empty home; `args` as it has them."""
        self._jobs += 1
        clone, home = self.path / f"job{self._jobs}/repository", self.path / f"job{self._jobs}/home"
        home.mkdir(parents=True)
        subprocess.run(["git", "clone", "--quiet", str(self.scratch.path), str(clone)], check=True, capture_output=True)
        subprocess.run(["git", "remote", "set-url", "origin", ORIGIN], cwd=clone, check=True)
        known = {"PATH": os.environ["PATH"], "HOME": str(home), **KEY, CREDENTIAL: self.token}
        argv = [sys.executable, "-I", "-m", "pytest_tfpipeline", "apply", "staging", "--evidence", str(self.claim)]
        done = subprocess.run(
            [*argv, *args],
            cwd=clone,
            env={**known, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="backslashreplace",
            timeout=_LIMIT,
        )
        found = Result(done.returncode, done.stdout, done.stderr)
        self.said, self.output_of_last = found.text, clone
        return found

    def keep(self) -> dict[Path, bytes]:
        """The states, and what was logged."""
        files = [*self.scratch.states.glob("*"), self.log]
        return {path: path.read_bytes() for path in files if path.is_file()}

    def restore(self, kept: Mapping[Path, bytes]) -> None:
        """Put them back."""
        for path in {*self.scratch.states.glob("*"), self.log} - {*kept}:
            path.unlink(missing_ok=True)
        for path, data in kept.items():
            path.write_bytes(data)

    def forge(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the claim, with a new checksum."""
        document = json.loads(self.claim.read_bytes())
        change(document)
        document["digest"] = checksum(document)
        self.claim.write_text(json.dumps(document))


@dataclass(frozen=True)
class Threat:
    """One row. `count` says what it came to after a run; `alone` is what that is in one process and `jobs` in two.

    `alone` is None where there is nothing to be asked in one process.
    """

    id: str
    tries: str
    count: Callable[[Field], int]
    alone: int | None = 1
    jobs: int = 0


def stolen(name: str) -> Callable[[Field], int]:
    """Counts whether the credential was taken."""
    return lambda scene: scene.stolen(name)


@dataclass(frozen=True)
class Raid:
    """The same commit in both arrangements. `says` stands in what the apply job printed, `exit` is its exit code.

    `ambient` are variables of every process, `args` are options of pytest, `job` those of the apply job and `single`
    more of the run in one process, both made from the scene. `forge` changes the check job's evidence, `between` is
    what else it does, and `carried` gives variables that lead the apply job to what it left.
    """

    threats: tuple[Threat, ...]
    exit: int
    says: str = ""
    #: For the table: what the apply job makes of it.
    answer: str = ""
    setup: Callable[[Field], object] = nothing
    earlier: Callable[[Field], object] = nothing
    args: tuple[str, ...] = ("-n", "0")
    ambient: Callable[[Field], Mapping[str, str]] = lambda scene: {}
    carried: Callable[[Field], Mapping[str, str]] = lambda scene: {}
    job: Callable[[Field], tuple[str, ...]] = lambda scene: ()
    forge: Callable[[dict[str, Any]], object] | None = None
    between: Callable[[Field], object] = nothing
    single: Callable[[Field], tuple[str, ...]] = lambda scene: ()

    @property
    def id(self) -> str:
        """The first threat's, with the number of the others."""
        more = len(self.threats) - 1
        return self.threats[0].id + (f" and {more} more" if more else "")


@dataclass(frozen=True)
class Outcome:
    """What each threat came to, by its id, and what was printed."""

    jobs: dict[str, int]
    alone: dict[str, int]
    checked: Result
    applied: Result
    together: Result | None


def carry_out_raid(raid: Raid, scene: Field) -> Outcome:
    """Two jobs first, then one process, from the same states."""
    raid.earlier(scene)
    raid.setup(scene)
    scene.ready()
    kept, ambient = scene.keep(), raid.ambient(scene)
    checked = scene.check_job(*raid.args, env=ambient)
    if raid.forge is not None:
        scene.forge(raid.forge)
    raid.between(scene)
    assert not any(scene.stolen(path.name) for path in scene.loot.iterdir()), "the check job had the credential"
    scene.forget()
    applied = scene.apply_job(*raid.job(scene), env={**ambient, **raid.carried(scene)})
    jobs = {threat.id: threat.count(scene) for threat in raid.threats}
    scene.restore(kept)
    scene.forget()
    if all(threat.alone is None for threat in raid.threats):
        return Outcome(jobs, {}, checked, applied, None)
    scene.scratch.git("checkout", "--quiet", "--force", "main")
    together = scene.in_one_process(*raid.args, *raid.single(scene), env={**ambient, **raid.carried(scene)})
    alone = {threat.id: threat.count(scene) for threat in raid.threats if threat.alone is not None}
    return Outcome(jobs, alone, checked, applied, together)
