"""Variables that change terraform, states that move, applies that meet, and credentials of another account."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable

from attack import Attack, Scene, Trial
from scratch import Result

SECOND = 'resource "terraform_data" "second" {\n}'
VARIABLES = {
    "TF_CLI_ARGS": ("-target=terraform_data.it", "adds an argument to every command"),
    "TF_CLI_ARGS_plan": ("-target=terraform_data.it", "plans a part"),
    "TF_CLI_ARGS_apply": ("-refresh=false", "adds an argument to the apply"),
    "TF_WORKSPACE": ("elsewhere", "leads to another workspace"),
    "TF_VAR_nowhere": ("x", "sets a variable that is not declared"),
    "TF_REATTACH_PROVIDERS": ('{"terraform.io/builtin/terraform": {}}', "names a provider that runs elsewhere"),
}


def without_effect(scene: Scene) -> int:
    """1 unless the root was applied whole, in the workspace that it belongs to."""
    state = scene.scratch.state("a")
    names = {one["name"] for one in state["resources"]} if state else set()
    return int(names != {"it", "log", "second"} or scene.scratch.value("a") != "hello" or scene.applied() != 1)


INHERITED = Trial(
    tuple(Attack(f"`{name}`", tries, name) for name, (_, tries) in VARIABLES.items()),
    exit=0,
    env={name: value for name, (value, _) in VARIABLES.items()},
    setup=lambda scene: scene.root("a", SECOND),
    count=without_effect,
    answer="named, and taken away",
)


REQUIRES = """
terraform {
  required_providers {
    fake = {
      source  = "example.org/scratch/fake"
      version = "1.0.0"
    }
  }
}
"""
CLI = """
provider_installation {{
  dev_overrides {{
    "example.org/scratch/fake" = "{path}/mine"
  }}
  filesystem_mirror {{
    path = "{path}/mirror"
  }}
}}
"""


def overridden(scene: Scene) -> None:
    """A provider that a mirror has, and a package of the user's own in its place."""
    told = subprocess.run(["terraform", "version", "-json"], check=True, capture_output=True).stdout
    package = scene.path / "mirror/example.org/scratch/fake/1.0.0" / json.loads(told)["platform"]
    for program in (package / "terraform-provider-fake_v1.0.0", scene.path / "mine/terraform-provider-fake"):
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\nexit 1\n")
        program.chmod(0o755)
    config = scene.path / "cli.tfrc"
    config.write_text(CLI.format(path=scene.path))
    scene.scratch.env["TF_CLI_CONFIG_FILE"] = str(config)
    scene.scratch.write("infra/a/versions.tf", REQUIRES.lstrip())


OVERRIDDEN = Trial(
    (
        Attack(
            "`dev_overrides`",
            "puts a provider of one's own in place of the locked one",
            "development overrides",
            "check-failed",
        ),
    ),
    codes=frozenset({"check-failed", "check-skipped", "ignored-input"}),
    setup=overridden,
)


AWS = """
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}
"""

UNLOCKED = Trial(
    (Attack("a missing lock file", "lets init choose the provider", "infra/a/.terraform.lock.hcl"),),
    codes=frozenset({"ignored-input"}),
    setup=lambda scene: scene.scratch.write("infra/a/versions.tf", AWS.lstrip()),
)


def pending(scene: Scene) -> None:
    """`a` is applied, and a change of it is to come."""
    scene.apply()
    scene.root("a", value="two")


def changed(scene: Scene) -> int:
    """Whether the pending change was made."""
    return int(scene.scratch.value("a") == "two")


MOVES = """
import json

def test_moves(tf_plan):
    path = TOP.parent / "states" / "a.tfstate"
    state = json.loads(path.read_text())
    path.write_text(json.dumps({**state, "serial": state["serial"] + 1}))
"""


def meet(scene: Scene) -> Result:
    """A run waits in a test while another one plans and applies the same environment, then goes on."""
    pipe = scene.path / "pipe"
    os.mkfifo(pipe)
    with scene.scratch.start("--apply-env", "staging", "-n", "0", env={"WAIT": str(pipe)}) as first:
        with pipe.open() as stream:
            assert stream.read() == "here"
        scene.apply()
        scene.mark()
        with pipe.open("w") as stream:
            stream.write("go")
        output, _ = first.communicate(timeout=100)
    return Result(first.returncode, output, "")


WAITS = """
import os

def test_waits(tf_plan):
    if "WAIT" in os.environ:
        with open(os.environ["WAIT"], "w") as stream:
            stream.write("here")
        with open(os.environ["WAIT"]) as stream:
            stream.read()
"""


def held(scene: Scene) -> Result:
    """A run is in the middle of its apply while another one begins."""
    pipe, told = scene.path / "pipe", scene.path / "told"
    with scene.scratch.start("--apply-env", "staging", "-n", "0") as first:
        with told.open() as stream:
            stream.read()
        scene.mark()
        second = scene.scratch.run("--apply-env", "staging", "-n", "0")
        evidence = scene.scratch.output / "evidence.json"
        kept = evidence.read_bytes()
        with pipe.open("w") as stream:
            stream.write("go")
        output, _ = first.communicate(timeout=100)
    assert first.returncode == 0, output
    evidence.write_bytes(kept)
    return second


def holding(scene: Scene) -> None:
    """A root whose apply waits until it is told to go on."""
    for name in ("pipe", "told"):
        os.mkfifo(scene.path / name)
    command = f"echo here > '{scene.path}/told'; cat '{scene.path}/pipe'"
    scene.root("a", HOLDS.format(command=command))


HOLDS = """
resource "terraform_data" "holds" {{
  provisioner "local-exec" {{
    command = "{command}"
  }}
}}
"""

STATES = (
    Trial(
        (Attack("a state that moved after the plan", "changes it in a test", "its state has serial"),),
        codes=frozenset({"state-moved"}),
        setup=lambda scene: scene.test(MOVES),
        earlier=pending,
        count=changed,
    ),
    Trial(
        (
            Attack(
                "two applies that planned the same", "lets the second finish before the first", "its state has serial"
            ),
        ),
        codes=frozenset({"state-moved"}),
        setup=lambda scene: scene.test(WAITS),
        act=meet,
    ),
    Trial(
        (Attack("two applies at once", "begins a second while terraform is at work", "lock"),),
        codes=frozenset({"check-failed", "check-skipped"}),
        setup=holding,
        act=held,
        count=lambda scene: len(scene.lines()) - 1,
    ),
)


def shared(*environments: str, text: str = "") -> Callable[[Scene], None]:
    """Environments with one state."""

    def act(scene: Scene) -> None:
        scene.scratch.environments = environments
        scene.scratch.configure(text)

    return act


def copied(scene: Scene) -> None:
    """A root that was made by copying another one, backend block and all."""
    text = (scene.scratch.path / "infra/a/main.tf").read_text()
    scene.scratch.write("infra/b/main.tf", text)


SHARED = (
    Trial(
        (Attack("environments that share a state", "applies one with the state of the other", "would have the state"),),
        exit=4,
        setup=shared("staging", "production"),
    ),
    Trial(
        (Attack("an alias that shares a state", "applies `pr-1` with the state of staging", "would have the state"),),
        exit=4,
        setup=shared("staging", text='env_alias = { "pr-*" = "staging" }'),
        act=lambda scene: scene.scratch.run("--apply-env", "pr-1", "-n", "0"),
    ),
    Trial(
        (Attack("roots that share a state", "applies two roots, each to the other's state", "would have one state"),),
        exit=4,
        setup=copied,
    ),
)


def identified(identity: str, plan: str = "1", apply: str = "1") -> Callable[[Scene], None]:
    """An identity that a command tells, from a variable that plan and apply have of their own."""
    text = (
        f"[environment.staging]\nidentity = {{ {identity} }}\n"
        f'plan_env = {{ WHO = "{plan}" }}\napply_env = {{ WHO = "{apply}" }}\n'
    )
    return lambda scene: scene.scratch.configure(text)


TELLS = 'command = ["sh", "-c", "echo $WHO"], expect = "1"'
WRONG = frozenset({"wrong-identity"})

ACCOUNTS = (
    Trial(
        (Attack("another account", "plans with credentials of another account", "says 2"),),
        codes=frozenset({"wrong-identity", "check-failed", "check-skipped"}),
        setup=identified(TELLS, plan="2"),
    ),
    Trial(
        (Attack("another account for the apply", "has the right ones for the plan alone", "says 2"),),
        codes=WRONG,
        setup=identified(TELLS, apply="2"),
    ),
    Trial(
        (Attack("an account that nobody knows", "has a command that fails", "exit code 3"),),
        codes=frozenset({"wrong-identity", "check-failed", "check-skipped"}),
        setup=identified('command = ["sh", "-c", "exit 3"], expect = "1"'),
    ),
)

TRIALS = (INHERITED, OVERRIDDEN, UNLOCKED, *STATES, *SHARED, *ACCOUNTS)
