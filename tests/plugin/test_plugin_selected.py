"""Nothing is started, asked or looked for that no selected item needs; and what they need is there before the first."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scratch import Result, Scratch

CLOUD, PROVIDERS, CHECKOV = "pytest_tfpipeline.emulator.server", "pytest_tfpipeline.warm.providers", "server.py"

#: Writes down every process that is started, in the controller and in the workers.
SPY = """
import json
import os

from pytest_tfpipeline.process import Runner


def noted(started):
    def start(self, request, *args, **kwargs):
        with open(os.environ["STARTED"], "a") as file:
            file.write(json.dumps([word for word in request.argv]) + "\\n")
        return started(self, request, *args, **kwargs)
    return start


Runner.spawn, Runner.run = noted(Runner.spawn), noted(Runner.run)
"""

RULE = """
def test_has_a_value(tf_plan):
    assert tf_plan.resources("terraform_data")


def test_of_lint_is_no_policy():
    pass
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path)
    made.without_checkov()
    made.configure('[environment.staging]\nemulator = "aws"\n')
    made.root("a")
    made.root("b")
    made.write("conftest.py", SPY)
    made.write("tests/test_rule.py", RULE)
    made.commit()
    made.env["STARTED"] = str(tmp_path / "started")
    return made


def started(scratch: Scratch, *args: str) -> tuple[Result, list[list[str]]]:
    """What the run said, and the command of every process that it started."""
    done, path = scratch.run(*args), Path(scratch.env["STARTED"])
    return done, [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def services(commands: list[list[str]]) -> set[str]:
    return {name for name in (CLOUD, PROVIDERS, CHECKOV) for words in commands if name in " ".join(words)}


@pytest.mark.parametrize(
    ("workers", "args"),
    [
        ("0", ("-k", "lint")),
        ("2", ("-m", "tf_lint or tf_unit")),
        ("2", ("infra/a/main.tf::lint", "infra/b/main.tf::lint")),
    ],
)
def test_lint_of_a_run_that_plans_starts_linters_alone(scratch: Scratch, workers: str, args: tuple[str, ...]) -> None:
    done, commands = started(scratch, "--tf-plan", "staging", "-n", workers, *args)
    assert done.code == 0, done.text
    assert {Path(words[0]).name for words in commands} - {"tflint", "git"} == set()
    assert sum("--chdir" in words for words in commands) == 2


@pytest.mark.parametrize(
    ("workers", "args"),
    [
        ("0", ("-m", "tf_validate")),
        ("2", ("infra/a/main.tf::plan[staging]",)),
        ("2", ("-k", "has_a_value")),
    ],
)
def test_what_is_about_the_environment_finds_its_cloud_and_the_providers(
    scratch: Scratch, workers: str, args: tuple[str, ...]
) -> None:
    done, commands = started(scratch, "--tf-plan", "staging", "-n", workers, *args)
    assert done.code == 0, done.text
    assert services(commands) == {CLOUD, PROVIDERS}


def test_a_run_that_leaves_nothing_out_starts_everything(scratch: Scratch) -> None:
    done, commands = started(scratch, "--tf-plan", "staging", "-n", "0")
    assert done.code == 0, done.text
    assert services(commands) >= {CLOUD, PROVIDERS}


@pytest.mark.parametrize("workers", ["0", "2"])
def test_whose_credentials_these_are_matters_only_to_plans(scratch: Scratch, workers: str) -> None:
    asks = 'identity = { command = ["sh", "-c", "echo somebody"], expect = "nobody" }\n'
    scratch.configure(f'[environment.staging]\nemulator = "aws"\n{asks}')
    scratch.commit()
    done, commands = started(scratch, "--tf-plan", "staging", "-n", workers, "-k", "lint")
    assert (done.code, "sh" in {words[0] for words in commands}) == (0, False), done.text
    done, commands = started(scratch, "--tf-plan", "staging", "-n", workers, "-m", "tf_plan")
    assert (done.code, "sh" in {words[0] for words in commands}) == (4, True), done.text
    assert "nobody" in done.text
    assert "Traceback" not in done.text
    evidence = json.loads((scratch.output / "evidence.json").read_text())
    assert evidence["run"]["exit_code"] == 4
    assert not any("plan" in words for words in commands)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_cloud_is_filled_only_for_plans_and_before_them(scratch: Scratch, workers: str) -> None:
    scratch.configure('[environment.staging]\nemulator = "aws"\nseed = [["sh", "-c", "true"]]\n')
    scratch.commit()
    _, commands = started(scratch, "--tf-plan", "staging", "-n", workers, "-k", "lint")
    assert "sh" not in {words[0] for words in commands}
    done, commands = started(scratch, "--tf-plan", "staging", "-n", workers, "-m", "tf_plan")
    names = [words[0] if words[0] == "sh" else words[1] for words in commands]
    assert done.code == 0, done.text
    assert names.index("sh") < names.index("plan")


def test_a_tool_that_no_selected_check_needs_may_be_missing(scratch: Scratch) -> None:
    scratch.env["TFPIPELINE_CHECKOV"] = "/does/not/exist"
    done, _ = started(scratch, "--tf-plan", "staging", "-m", "tf_lint")
    assert done.code == 0, done.text
    done, _ = started(scratch, "--tf-plan", "staging", "-m", "tf_policy")
    assert (done.code, "/does/not/exist" in done.text) == (4, True), done.text


@pytest.mark.parametrize("workers", ["0", "2"])
def test_an_interrupt_of_what_waits_for_the_selection_is_written_down_as_one(scratch: Scratch, workers: str) -> None:
    interrupt = "import os, signal; os.kill(int(os.environ['CONTROLLER']), signal.SIGINT); signal.pause()"
    scratch.configure(f'[environment.staging]\nemulator = "aws"\nseed = [["python3", "-c", {json.dumps(interrupt)}]]\n')
    scratch.write("conftest.py", "import os\n\nos.environ.setdefault('CONTROLLER', str(os.getpid()))\n")
    scratch.commit()

    done = scratch.run("--tf-plan", "staging", "-n", workers, "-k", "plan")

    assert done.code == 2, done.text
    evidence = scratch.evidence()
    assert evidence["run"]["exit_code"] == 2
    assert [one["name"] for one in evidence["environments"]] == ["staging"]
