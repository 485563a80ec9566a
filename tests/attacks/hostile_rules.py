"""A branch that changes its own rules: what an operator file outside of the checkout fixes, it cannot loosen."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

from hostile_claims import PRECIOUS, destroyed
from mistakes_proofs import make_key, sign
from raid import Field, Raid, Threat

from pytest_tfpipeline.gate.approval import Request
from pytest_tfpipeline.proof.approval import write_request


def operator(text: str) -> Callable[[Field], tuple[str, ...]]:
    """The apply job's operator file, outside of every checkout."""

    def give(scene: Field) -> tuple[str, ...]:
        path = scene.path / "operator.toml"
        path.write_text(text)
        return ("--tf-operator", str(path))

    return give


def configured(text: str) -> Callable[[Field], object]:
    """What the branch makes of the configuration."""
    return lambda scene: scene.scratch.configure(text)


def created(scene: Field) -> int:
    """Whether the root was applied."""
    return int(scene.scratch.applied("a"))


def own_signers(scene: Field) -> None:
    """The branch names a key of its own; the operator has another list."""
    scene.scratch.configure('signers = "signers"\n[environment.staging]\napproval = "signed"\nsignatures = 1\n')
    scene.scratch.write("signers", make_key(scene.path / "mine", "boss@example.org"))
    (scene.path / "real").write_text(make_key(scene.path / "theirs", "boss@example.org"))


def approve_with_it(scene: Field) -> None:
    """Sign the digest that the check job gave with that key."""
    document = json.loads(scene.claim.read_bytes())
    run, (environment,) = document["run"], document["environments"]
    request = Request(run["repository"], "staging", run["commit"], environment["plan_set_digest"], kind="signed")
    sign(write_request(scene.path, request, datetime.now(UTC)), scene.path / "mine", "tfpipeline-approval")


def with_approval(scene: Field) -> tuple[str, ...]:
    """The approval, and the operator's list of signers."""
    text = 'signers = "real"\n[environment.staging]\napproval = "signed"\nsignatures = 1\n'
    return (*operator(text)(scene), "--approval", str(scene.path / "approval-staging.json"))


def without_tests(scene: Field) -> None:
    """A sound run was applied, and its evidence is at hand; the branch deletes a policy test."""
    scene.scratch.configure('[environment.staging]\napproval = "manual"\n')
    scene.scratch.commit()
    scene.ready()
    waiting = scene.in_one_process()
    digest = scene.scratch.environment("staging")["plan_set_digest"]
    done = scene.in_one_process("-n", "0", "--approve", digest)
    assert (waiting.code, done.code) == (10, 0), done.text
    (scene.path / "prior.json").write_bytes((scene.scratch.output / "evidence.json").read_bytes())
    scene.root("a", value="two")
    (scene.scratch.path / "tests/test_rules.py").unlink()
    scene.scratch.write("tests/test_other.py", "def test_nothing():\n    pass\n")


RAIDS = (
    Raid(
        (Threat("a branch without `approval`", "applies without asking", created),),
        exit=10,
        says="staging: waits for an approval",
        setup=configured('[environment.staging]\napproval = "none"\n'),
        job=operator('[environment.staging]\napproval = "manual"\n'),
        answer="`approval-missing`",
    ),
    Raid(
        (Threat("a branch without `protect`", "deletes what was protected", destroyed),),
        exit=1,
        says="the plan deletes terraform_data.precious",
        earlier=lambda scene: (scene.root("a", PRECIOUS), scene.put()),
        setup=lambda scene: (scene.root("a"), scene.scratch.configure("[environment.staging]\nprotect = []\n")),
        job=operator('[environment.staging]\nprotect = ["terraform_data"]\n'),
        answer="`protected-destroy`",
    ),
    Raid(
        (Threat("a branch that says `emulator`", "calls the real environment an emulated one", created),),
        exit=4,
        says="the operator file says that staging is real",
        setup=configured('[environment.staging]\nemulator = "aws"\n'),
        job=operator("[environment.staging]\n"),
        answer="refused before anything is run",
    ),
    Raid(
        (Threat("a branch with signers of its own", "signs its approval with a key that it has listed", created),),
        exit=10,
        says="is by a key that is not in",
        setup=own_signers,
        between=approve_with_it,
        job=with_approval,
        single=lambda scene: (f"--approval={scene.path / 'approval-staging.json'}",),
        answer="`approval-missing`: that key counts for nothing",
    ),
    Raid(
        (
            Threat(
                "a deleted policy test",
                "is not missed, but named before the approval",
                lambda scene: int(scene.scratch.value("a") == "two"),
                alone=0,
            ),
        ),
        exit=10,
        says="test_small",
        earlier=without_tests,
        job=lambda scene: ("--tf-prior", str(scene.path / "prior.json")),
        answer="the run waits, and names it",
    ),
    Raid(
        (Threat("a root reclassified", "is excluded, and what it would delete unseen", destroyed, alone=0),),
        exit=0,
        earlier=lambda scene: (scene.root("a", PRECIOUS), scene.root("b"), scene.put()),
        setup=lambda scene: (
            scene.root("a"),
            scene.root("b", value="two"),
            scene.scratch.configure('exclude = ["infra/a"]\n'),
        ),
        answer="what is excluded is not applied, the other root is",
    ),
)
