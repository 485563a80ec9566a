"""Credentials of another account, and tools that change under a run, keep the gate closed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.context import Phase, open_context
from pytest_tfpipeline.emulator import Emulator, state_path
from pytest_tfpipeline.gate.identity import Answer, to_identity, told
from pytest_tfpipeline.gate.objections import to_changed_tools
from pytest_tfpipeline.gate.reasons import Code
from pytest_tfpipeline.model import EnvironmentRun, Repository, Run, Target, Tool
from pytest_tfpipeline.pipeline.identity import ask
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.tools.providers import cli_config

ACCOUNT = Answer("AWS account", "plan", "222222222222", "111111111111")

ROOT = """
terraform {{
  required_version = ">= 1.2"
  backend "local" {{
    path = {state}
  }}
}}

resource "terraform_data" "lake" {{
  input = "lake"
}}
"""
CONFIGURATION = """
environments = ["dev"]

[environment.dev]
plan_env = {{ WHO = "{plan}" }}
apply_env = {{ WHO = "{apply}" }}
identity = {{ command = ["sh", "whose.sh"], expect = "team" }}

[[root]]
match = "infra/*"
apply = true
"""


def test_only_the_expected_answer_counts() -> None:
    right = Answer("AWS account", "apply", "222222222222", "222222222222")
    nobody = Answer("AWS account", "apply", "222222222222", None, "No valid credential sources found")
    assert list(to_identity("production", [right])) == []
    wrong, unknown = to_identity("production", [right, ACCOUNT, nobody])
    assert wrong.code is unknown.code is Code.WRONG_IDENTITY
    assert all(text in wrong.text for text in ("111111111111", "222222222222", "production", "plan credentials"))
    assert "No valid credential sources found" in unknown.text
    assert told([right, ACCOUNT, nobody]) == "111111111111, 222222222222"
    assert told([nobody]) is None


def test_a_tool_that_changed_or_is_gone_is_named() -> None:
    tools = [Tool("terraform", "1.11.4", "/bin/terraform", "aa"), Tool("tflint", "0.62.0", "/bin/tflint", "bb")]
    assert list(to_changed_tools(tools, {"/bin/terraform": "aa", "/bin/tflint": "bb"})) == []
    (reason,) = to_changed_tools(tools, {"/bin/terraform": "", "/bin/tflint": "bb"})
    assert (reason.code, "/bin/terraform" in reason.text) == (Code.TOOL_CHANGED, True)


class Repo:
    """A committed repository with one root, and pytest in it."""

    def __init__(self, path: Path) -> None:
        self.path = path / "repo"
        self.state = path / "lake.tfstate"
        self.write("infra/lake/main.tf", ROOT.format(state=json.dumps(str(self.state))))
        self.write(".tflint.hcl", "config {\n  disabled_by_default = true\n}\n")
        self.write(".gitignore", "__pycache__\n")
        self.write("pytest.ini", "[pytest]\ntestpaths = infra tests\n")
        self.write("whose.sh", 'echo "$WHO"\n')

    def write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def pytest(self, *arguments: str, **env: str) -> tuple[int, str]:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        for words in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-qm", "x")):
            subprocess.run(["git", *words], cwd=self.path, check=True, timeout=60)
        argv = [sys.executable, "-m", "pytest", "-n0", "-p", "no:cacheprovider", *arguments]
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "TFPIPELINE"))}
        done = subprocess.run(
            argv,
            cwd=self.path,
            env={**inherited, "TFPIPELINE_CACHE": "off", **env},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def environment(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.path / ".tfpipeline/evidence.json").read_text())["environments"][0]
        return found

    def plans(self) -> list[Path]:
        return list(self.path.glob(".tfpipeline/runs/*/plans/*/*.tfplan"))


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path)


def test_wrong_credentials_plan_nothing_and_apply_nothing(repo: Repo) -> None:
    repo.write("tfpipeline.toml", CONFIGURATION.format(plan="stranger", apply="team"))
    code, said = repo.pytest("--apply-env", "dev")
    environment = repo.environment()
    assert (code, repo.plans(), repo.state.exists()) == (1, [], False), said
    first = environment["verdict"]["reasons"][0]
    assert first["code"] == "wrong-identity"
    assert "stranger" in first["text"]
    assert "team" in first["text"]
    assert environment["identity"] == "stranger"
    assert "4 passed" in said, "checks that need no credentials go on"


def test_a_run_that_only_plans_ends_before_it_plans(repo: Repo) -> None:
    repo.write("tfpipeline.toml", CONFIGURATION.format(plan="stranger", apply="team"))
    code, said = repo.pytest("--tf-plan", "dev")
    assert (code, repo.plans()) == (4, []), said
    assert "stranger, but `identity` expects team" in said
    assert "plan_env" in said


def test_the_credentials_of_the_apply_are_asked_right_before_it(repo: Repo) -> None:
    repo.write("tfpipeline.toml", CONFIGURATION.format(plan="team", apply="stranger"))
    code, said = repo.pytest("--apply-env", "dev")
    (reason,) = repo.environment()["verdict"]["reasons"]
    assert (code, reason["code"], repo.state.exists()) == (1, "wrong-identity", False), said
    assert "apply credentials" in reason["text"]
    assert len(repo.plans()) == 1


def test_a_failure_to_find_out_is_no_better(repo: Repo) -> None:
    repo.write("tfpipeline.toml", CONFIGURATION.format(plan="team", apply="team"))
    repo.write("whose.sh", "echo expired >&2; exit 3\n")
    code, said = repo.pytest("--tf-plan", "dev")
    assert (code, repo.plans()) == (4, []), said
    assert "expired" in said


def test_the_right_credentials_apply_and_are_in_the_evidence(repo: Repo) -> None:
    repo.write("tfpipeline.toml", CONFIGURATION.format(plan="team", apply="team"))
    code, said = repo.pytest("--apply-env", "dev")
    assert (code, repo.state.exists()) == (0, True), said
    assert repo.environment()["identity"] == "team"


SWAP = """
import os, pathlib

def test_nothing(tf_plan):
    program = pathlib.Path(os.environ["TFPIPELINE_TERRAFORM"])
    other = program.with_name("other")
    other.write_bytes(program.read_bytes() + b"x")
    other.chmod(0o755)
    other.replace(program)
"""


def test_a_terraform_that_is_swapped_during_the_run_applies_nothing(repo: Repo, tmp_path: Path) -> None:
    repo.write("tfpipeline.toml", CONFIGURATION.format(plan="team", apply="team"))
    repo.write("tests/test_swap.py", SWAP)
    copy = tmp_path / "bin" / "terraform"
    copy.parent.mkdir()
    shutil.copy2(str(shutil.which("terraform")), copy)
    code, said = repo.pytest("--apply-env", "dev", TFPIPELINE_TERRAFORM=str(copy))
    (reason,) = repo.environment()["verdict"]["reasons"]
    assert (code, reason["code"], repo.state.exists()) == (1, "tool-changed", False), said
    assert str(copy) in reason["text"]


@pytest.fixture
def emulated(tmp_path: Path) -> Callable[..., tuple[Answer, ...]]:
    """Asks for the account of an emulated environment, where nothing else is described."""

    def ask_for(account: str, emulator: Emulator) -> tuple[Answer, ...]:
        work = tmp_path / "work"
        work.mkdir()
        cli = cli_config(os.environ, work, None)
        environment = EnvironmentRun("staging", "aws", identity={"aws_account": account})
        run = Run(
            "r",
            "plan",
            Repository(str(tmp_path)),
            str(tmp_path),
            str(work),
            environments=(environment,),
            targets=(
                Target("core", "staging", emulated=True),
                Target("etl", "staging", env={"AWS_REGION": "eu-west-2"}),
            ),
            process_env={"staging": emulator.process_env},
            cli_config_path=str(cli.path),
        )
        return ask(open_context(run), environment, Phase.PLAN)

    return ask_for


def test_the_aws_account_is_asked_through_the_provider(
    tmp_path: Path, emulated: Callable[..., tuple[Answer, ...]]
) -> None:
    emulator = Emulator.start(
        Runner(),
        environment="staging",
        state_path=state_path(tmp_path, "staging"),
        work_path=tmp_path / "e",
    )
    try:
        (answer,) = emulated("999999999999", emulator)
    finally:
        emulator.stop()
    assert (answer.found, answer.problem, answer.right) == ("123456789012", "", False)
    assert not list(tmp_path.rglob("*.tfstate"))
