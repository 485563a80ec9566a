"""A check job that lies: about its checks, its plans, its verdict."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from raid import Field, Raid, Threat

PRECIOUS = 'resource "terraform_data" "precious" {\n}'
PROTECTS = '[environment.staging]\nprotect = ["terraform_data"]\n'


def destroyed(scene: Field) -> int:
    """Whether the protected resource is gone."""
    state = scene.scratch.state("a")
    return int(state is None or all(one["name"] != "precious" for one in state["resources"]))


def there(scene: Field) -> None:
    """A protected resource is there."""
    scene.root("a", PRECIOUS)
    scene.scratch.configure(PROTECTS)
    scene.put()


def without_it(conftest: str = "") -> Callable[[Field], None]:
    """The branch takes it out of the configuration, and brings a conftest.py."""

    def act(scene: Field) -> None:
        scene.root("a")
        if conftest:
            scene.conftest(conftest)

    return act


#: Nothing is found on any plan.
FORGES = """
import pytest_tfpipeline.checks.policy as policy

policy.protection = lambda *given: ()
"""
#: And the gate is always open.
DECIDES = (
    FORGES
    + """
import pytest_tfpipeline.gate.verdict as verdict
import pytest_tfpipeline.pipeline.claimed as claimed
import pytest_tfpipeline.pipeline.judge as judge
import pytest_tfpipeline.pipeline.steps as steps

for module in (verdict, claimed, judge, steps):
    module.decide = lambda environment, *given, **more: verdict.Verdict(environment)
"""
)
#: A worker reads, and hands on, a plan in which nothing is deleted.
CLEANS = """
import json
import pytest_tfpipeline.terraform.planning as planning

def harmless(path):
    document = json.loads(path.read_bytes())
    document["resource_changes"] = []
    path.write_text(json.dumps(document))
    return read(path)

read, planning.read_plan = planning.read_plan, harmless
"""
#: Whatever was found, the evidence says that all is well.
EDITS = """
import json
from pytest_tfpipeline.proof.checksum import checksum

def pytest_unconfigure(config):
    path = OUTPUT / "evidence.json"
    if not hasattr(config, "workerinput") and path.exists():
        document = json.loads(path.read_bytes())
        document["run"]["exit_code"] = 0
        for one in document["environments"]:
            one["verdict"] = {"open": True, "reasons": []}
        for check in document["checks"]:
            check.update(outcome="passed", findings=[])
        document["digest"] = checksum(document)
        path.write_text(json.dumps(document))
"""


def passing(document: dict[str, Any]) -> None:
    """The same, done to the file: so that the apply job has no other reason to stop."""
    document["run"].update(exit_code=0, tree_clean=True)
    for environment in document["environments"]:
        environment["verdict"] = {"open": True, "reasons": []}
    for check in document["checks"]:
        check.update(outcome="passed", findings=[])


def harmless_summary(document: dict[str, Any]) -> None:
    """Nothing is destroyed, and the digest is that of something else."""
    (environment,) = document["environments"]
    environment["plan_set_digest"] = f"sha256:{'0' * 64}"
    for plan in environment["plans"]:
        plan.update(add=0, change=0, replace=0, destroy=0, changes=[])


def only_summary(document: dict[str, Any]) -> None:
    """The right digest, and a summary in which nothing is destroyed."""
    for plan in document["environments"][0]["plans"]:
        plan.update(add=0, change=0, replace=0, destroy=0, changes=[])


OWN = "protected-destroy"


def whole(document: dict[str, Any]) -> None:
    """A narrowed run calls itself a whole one that passed."""
    document["run"]["changed_since"] = None
    document["environments"][0]["verdict"] = {"open": True, "reasons": [], "known": 0}


def without_policies(document: dict[str, Any]) -> None:
    """The apply job makes a record of the same name, of the shipped rules alone."""
    document["checks"] = [one for one in document["checks"] if not one["id"].endswith("::policy[staging]")]


def two(scene: Field) -> int:
    """Whether the change was applied."""
    return int(scene.scratch.value("a") == "two")


def narrowed(name: str, says: str, forge: Callable[[dict[str, Any]], object] | None, answer: str) -> Raid:
    """The check job looked only at what had changed since the commit itself: at nothing."""
    tries = "hands on the evidence of a run that has checked nothing"
    return Raid(
        (Threat(name, tries if forge is None else f"{tries}, and says that it was a whole one", two, alone=None),),
        exit=1,
        says=says,
        earlier=lambda scene: scene.put(),
        setup=lambda scene: scene.root("a", value="two"),
        args=("-n", "0", "--tf-changed=HEAD"),
        forge=forge,
        answer=answer,
    )


NARROWED = (
    narrowed("evidence of a `--tf-changed` run", "only what changed since", None, "`isolation`"),
    narrowed("evidence of a `--tf-changed` run, forged", "it has no result of", whole, "`isolation`, `check-missing`"),
)

RAIDS = (
    *NARROWED,
    Raid(
        (Threat("evidence without one check", "leaves a plan's policies out, which it found broken", two, alone=None),),
        exit=1,
        says="it has no result of infra/a/main.tf::policy[staging]",
        earlier=lambda scene: scene.put(),
        setup=lambda scene: scene.root("a", value="two"),
        forge=without_policies,
        answer="`isolation`, `check-missing`",
    ),
    Raid(
        (
            Threat(
                "a conftest.py that replaces `decide`",
                "opens the gate for a plan that deletes what is protected",
                destroyed,
            ),
        ),
        exit=1,
        says="the plan deletes terraform_data.precious",
        earlier=there,
        setup=without_it(DECIDES),
        answer=f"`{OWN}`: the apply job decides for itself",
    ),
    Raid(
        (Threat("a conftest.py that forges reports", "lets every policy pass", destroyed, alone=0),),
        exit=1,
        says="the plan deletes terraform_data.precious",
        earlier=there,
        setup=without_it(FORGES),
        answer=f"`{OWN}`: whoever applies reads the plan for themselves",
    ),
    Raid(
        (Threat("a conftest.py that edits evidence", "says that every check has passed", destroyed, alone=0),),
        exit=1,
        says="the plan deletes terraform_data.precious",
        earlier=there,
        setup=without_it(EDITS),
        answer=f"`{OWN}`: passing evidence is necessary, never enough",
    ),
    Raid(
        (Threat("a worker that sends clean JSON for a dirty plan", "hides what it deletes", destroyed, alone=0),),
        exit=1,
        says="the plan deletes terraform_data.precious",
        earlier=there,
        setup=without_it(CLEANS),
        args=("-n", "1"),
        answer=f"`{OWN}`, `plans-differ`",
    ),
    Raid(
        (
            Threat(
                "a harmless summary over another digest",
                "says that nothing is deleted, of plans that it did not see",
                lambda scene: int(scene.scratch.value("a") == "two"),
                alone=None,
            ),
        ),
        exit=1,
        says="and the check job saw sha256:0000",
        earlier=lambda scene: scene.put(),
        setup=lambda scene: scene.root("a", value="two"),
        forge=harmless_summary,
        answer="`plans-differ`",
    ),
    Raid(
        (
            Threat(
                "a harmless summary over the right digest",
                "says that nothing is deleted; what is shown for the approval is the apply job's own",
                destroyed,
                alone=None,
            ),
        ),
        exit=10,
        says="terraform_data.precious",
        earlier=there,
        setup=lambda scene: (
            scene.root("a"),
            scene.scratch.configure('[environment.staging]\nprotect = []\napproval = "manual"\n'),
        ),
        forge=only_summary,
        answer="the deletion is shown, and waits",
    ),
)
