"""Evidence as the gate writes it, keys of people, and statements that they signed."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.gate.evidence import evidence
from pytest_tfpipeline.gate.reasons import Verdict
from pytest_tfpipeline.gate.result import EnvironmentResult, RunResult, Source
from pytest_tfpipeline.gate.waves import Applied, Result
from pytest_tfpipeline.model import (
    Changes,
    CheckKind,
    EnvironmentRun,
    Finding,
    Outcome,
    PlanResult,
    PlanStatus,
    Record,
    Severity,
    Tool,
)
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.proof.checksum import checksum
from pytest_tfpipeline.proof.statement import write_statement

REPOSITORY = "https://example.org/lake.git"
COMMIT = "1" * 40

Edit = Callable[[dict[str, Any]], None]


def _evidence() -> dict[str, Any]:
    finding = Finding("CKV_1", Severity.WARNING, "mend it", address="a.b", file="main.tf", line=1)
    environment = EnvironmentResult(
        EnvironmentRun("staging"),
        plans=(PlanResult("core", "staging", PlanStatus.PLANNED, plan_sha256="0" * 64, changes=Changes(add=1)),),
        verdict=Verdict("staging"),
        result=Result((Applied("core", 1, "applied", 1.0), Applied("etl", 2, "unchanged"))),
        identity="AWS account 1",
    )
    result = RunResult(
        id="20260101T000000-abcdef",
        mode="apply",
        started="2026-01-01T00:00:00+00:00",
        seconds=90.5,
        source=Source(REPOSITORY, COMMIT, "main", True),
        command=("pytest", "--apply-env", "staging"),
        workers=2,
        exit_code=0,
        tools=(Tool("terraform", "1.11.4", "/usr/bin/terraform", "0" * 64),),
        environments=(environment,),
        records=(Record("core/main.tf::fmt", CheckKind.FMT, Outcome.PASSED, "core", findings=(finding,)),),
    )
    return evidence(result)


@pytest.fixture(scope="session")
def document() -> Callable[..., dict[str, Any]]:
    """A function that gives evidence of a complete apply of `staging`, each edit made, with a right checksum."""
    whole = json.dumps(_evidence())

    def make(*edits: Edit) -> dict[str, Any]:
        made: dict[str, Any] = json.loads(whole)
        for edit in edits:
            edit(made)
        return {**made, "digest": checksum(made)}

    return make


@dataclass
class People:
    """Keys in a directory, and the list of those who may sign."""

    path: Path
    keys: dict[str, Path] = field(default_factory=dict)

    def key(self, name: str, passphrase: str = "") -> Path:
        """The private key of that name, made when it is first asked for; its public half is beside it."""
        if name not in self.keys:
            path = self.path / name
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", str(path)]
            subprocess.run(argv, check=True, stdin=subprocess.DEVNULL)
            self.keys[name] = path
        return self.keys[name]

    def public(self, name: str) -> str:
        """Type and key, as a list of signers has them."""
        return " ".join(self.key(name).with_name(f"{name}.pub").read_text().split()[:2])

    def signers(self, *lines: str) -> Path:
        """A list of signers; in each line `{NAME}` stands for that person's public key."""
        number = len(list(self.path.glob("signers*")))
        path = self.path / f"signers{number}"
        names = {name: self.public(name) for name in ("alice", "bob", "mallory")}
        path.write_text("".join(f"{line.format(**names)}\n" for line in lines))
        return path


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    return People(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="session")
def runner() -> Runner:
    """One that knows no agent."""
    return Runner({"PATH": "/usr/local/bin:/usr/bin:/bin"})


@pytest.fixture
def signed(
    tmp_path: Path, people: People, runner: Runner, document: Callable[..., dict[str, Any]]
) -> Callable[..., Path]:
    """A function that writes the statement about `document(*edits)`, signed by alice."""

    def make(*edits: Edit, by: str = "alice") -> Path:
        folder = tmp_path / f"output{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        path = write_statement(runner, folder, copy.deepcopy(document(*edits)), people.key(by))
        assert path is not None
        return path

    return make


@pytest.fixture(scope="session")
def alice(people: People) -> Path:
    """A list of signers with alice alone, for evidence alone."""
    return people.signers('alice@example.org namespaces="tfpipeline-evidence" {alice}')
