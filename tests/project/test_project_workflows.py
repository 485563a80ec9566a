"""The workflows: safe as written, and every `run:` line of check and apply really executed, so that none can rot."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

TOP = Path(__file__).parents[2]
FOLDER = TOP / ".github" / "workflows"
FILES = sorted(path.name for path in FOLDER.glob("*.yml"))
REUSABLE = ("apply.yml", "check.yml", "pipeline.yml")
CALLERS = {
    "on-branch.yml": "./.github/workflows/check.yml",
    "on-main.yml": "./.github/workflows/apply.yml",
    "on-release.yml": "./.github/workflows/apply.yml",
    "on-demand.yml": "./.github/workflows/pipeline.yml",
}
#: What leaves the runner: never a plan or a state, which hold secrets.
KEPT = {".tfpipeline/evidence.json", ".tfpipeline/summary.md", ".tfpipeline/junit.xml"}
INPUT = re.compile(r"\$\{\{ inputs\.(\w+) \}\}")


def workflow(name: str) -> dict[str, Any]:
    """The parsed file; YAML 1.1 reads the key `on` as true, so it is put back."""
    parsed = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return {("on" if key is True else key): value for key, value in parsed.items()}


def jobs(name: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = workflow(name)["jobs"]
    return found


def steps(name: str) -> list[dict[str, Any]]:
    return [step for job in jobs(name).values() for step in job.get("steps", [])]


def uses(step: dict[str, Any]) -> str:
    return str(step.get("uses", "")).split("@")[0]


# As written


def test_the_four_triggers_call_the_reusable_workflows() -> None:
    assert {name: [job["uses"] for job in jobs(name).values()] for name in CALLERS} == {
        name: [called] for name, called in CALLERS.items()
    }
    assert workflow("on-branch.yml")["on"] == {"push": {"branches-ignore": ["main"]}}
    assert workflow("on-main.yml")["on"] == {"push": {"branches": ["main"]}}
    assert workflow("on-release.yml")["on"] == {"release": {"types": ["published"]}}
    assert set(workflow("on-demand.yml")["on"]) == {"workflow_dispatch"}
    assert set(FILES) == {*REUSABLE, *CALLERS, "ci.yml"}


@pytest.mark.parametrize("name", CALLERS)
def test_a_caller_gives_only_inputs_that_exist(name: str) -> None:
    for job in jobs(name).values():
        inputs = workflow(Path(job["uses"]).name)["on"]["workflow_call"]["inputs"]
        assert set(job["with"]) <= set(inputs)
        assert {key for key, value in inputs.items() if value.get("required")} <= set(job["with"])


@pytest.mark.parametrize("name", FILES)
def test_every_action_is_pinned_to_a_commit_with_its_version(name: str) -> None:
    lines = [line.strip() for line in (FOLDER / name).read_text(encoding="utf-8").splitlines()]
    named = [line.removeprefix("- ") for line in lines if line.removeprefix("- ").startswith("uses: ")]
    pinned = re.compile(r"uses: [\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|uses: \./\.github/workflows/\w+\.yml")
    assert [line for line in named if not pinned.fullmatch(line)] == []


def test_one_action_has_one_version() -> None:
    pins = {(uses(step), step["uses"]) for name in FILES for step in steps(name) if "uses" in step}
    assert len(pins) == len({action for action, _ in pins})


@pytest.mark.parametrize("name", FILES)
def test_permissions_are_the_least(name: str) -> None:
    """Nothing by default; a token for OIDC only where a role may be assumed, here or in the workflow called."""
    assert workflow(name)["permissions"] == {}
    for job in jobs(name).values():
        assumes = "uses" in job or any(uses(step) == "aws-actions/configure-aws-credentials" for step in job["steps"])
        oidc = {"id-token": "write"} if assumes else {}
        assert job["permissions"] == {"contents": "read", **oidc}


@pytest.mark.parametrize("name", FILES)
def test_no_expression_reaches_a_shell(name: str) -> None:
    """An input is text that somebody else wrote: it is handed over as a variable, and quoted."""
    for step in steps(name):
        assert "${{" not in step.get("run", "")
        for variable in step.get("env", {}):
            unquoted = re.sub(r'"[^"]*"', "", step["run"])
            assert f"${variable}" not in unquoted


@pytest.mark.parametrize("name", FILES)
def test_a_job_is_bounded_and_leaves_no_credentials_in_the_checkout(name: str) -> None:
    for job in jobs(name).values():
        assert "uses" in job or ("timeout-minutes" in job and job["runs-on"] == "ubuntu-24.04")
    for step in steps(name):
        if uses(step) == "actions/checkout":
            assert step["with"]["persist-credentials"] is False
        if uses(step) == "hashicorp/setup-terraform":
            assert step["with"]["terraform_wrapper"] is False, "the wrapper spoils JSON and exit codes"


def test_applies_of_one_environment_queue_and_are_never_cancelled() -> None:
    assert workflow("apply.yml")["concurrency"] == {
        "group": "tfpipeline-${{ inputs.environment }}",
        "cancel-in-progress": False,
    }


def test_a_newer_push_replaces_the_check_of_its_own_branch_only() -> None:
    concurrency = workflow("check.yml")["concurrency"]
    assert concurrency["cancel-in-progress"] is True
    assert concurrency["group"] == "tfpipeline-check-${{ inputs.environment }}-${{ github.ref }}"


def test_an_apply_waits_for_the_protection_rules_of_its_environment() -> None:
    (job,) = jobs("apply.yml").values()
    assert job["environment"] == "${{ inputs.environment }}"
    assert "environment" not in jobs("check.yml")["check"]


def test_production_comes_after_staging_in_the_pipeline() -> None:
    pipeline = jobs("pipeline.yml")
    assert list(pipeline) == ["staging", "production"]
    assert {job["uses"] for job in pipeline.values()} == {"./.github/workflows/apply.yml"}
    assert pipeline["production"]["needs"] == "staging"
    assert pipeline["production"]["with"]["environment"] == "${{ inputs.production }}"
    assert pipeline["production"]["with"]["aws_role"] == "${{ inputs.production_role }}"
    assert pipeline["staging"]["with"]["environment"] == "${{ inputs.staging }}"
    assert pipeline["staging"]["with"]["aws_role"] == "${{ inputs.staging_role }}"


@pytest.mark.parametrize("name", ["check.yml", "apply.yml", "ci.yml"])
def test_evidence_is_kept_also_on_failure_and_plans_never(name: str) -> None:
    (upload,) = [step for step in steps(name) if uses(step) == "actions/upload-artifact"]
    assert upload["if"] == "always()"
    assert upload["with"]["include-hidden-files"] is True
    kept = set(upload["with"]["path"].split())
    assert ".tfpipeline/evidence.json" in kept
    assert kept <= KEPT


def test_an_apply_uses_no_cache() -> None:
    assert not any(uses(step) == "actions/cache" for step in steps("apply.yml"))
    (setup,) = [step for step in steps("apply.yml") if uses(step) == "astral-sh/setup-uv"]
    assert setup["with"]["enable-cache"] is False


def test_actionlint_finds_nothing() -> None:
    actionlint = shutil.which("actionlint")
    assert actionlint, "go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12"
    done = subprocess.run([actionlint, *(str(FOLDER / name) for name in FILES)], capture_output=True, timeout=60)
    assert (done.returncode, done.stdout.decode()) == (0, "")


def test_ci_runs_what_a_developer_runs() -> None:
    assert [step["run"] for step in steps("ci.yml") if "run" in step] == ["bash .ci/run"]
    done = subprocess.run(["bash", "-n", ".ci/run"], cwd=TOP, capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


# As executed

MAIN_TF = """\
terraform {{
  required_version = ">= 1.4"

  backend "local" {{
    path = "{state}"
  }}
}}

variable "greeting" {{
  type        = string
  description = "What the resource remembers"
}}

resource "terraform_data" "this" {{
  input = var.greeting
}}
"""

PYPROJECT = """\
[project]
name = "infrastructure"
version = "0"
requires-python = ">=3.11"
dependencies = ["pytest-tfpipeline"]

[tool.uv.sources]
pytest-tfpipeline = {{ path = "{wheel}" }}

[tool.pytest.ini_options]
testpaths = ["tests"]

[tool.tfpipeline]
environments = ["staging"]

[[tool.tfpipeline.root]]
match = "terraform/app"
var_files = ["terraform/config/{{env}}.tfvars"]
apply = true
"""

TEST_POLICY = """\
def test_the_greeting_is_polite(tf_plan):
    (resource,) = tf_plan.resources("terraform_data")
    assert resource.after["input"] == "hello"
"""


@dataclass(frozen=True)
class Scratch:
    """A user's repository with one root, and where that root's state goes."""

    path: Path
    state: Path
    summary: Path

    def evidence(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.path / ".tfpipeline" / "evidence.json").read_text(encoding="utf-8"))
        return found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a user would install, of this checkout as it is now."""
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(["uv", "build", "--quiet", "--wheel", "--out-dir", str(out), str(TOP)], check=True, timeout=120)
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture
def scratch(tmp_path: Path, wheel: Path) -> Scratch:
    made = Scratch(tmp_path / "repository", tmp_path / "state" / "app.tfstate", tmp_path / "summary.md")
    made.state.parent.mkdir()
    files = {
        "terraform/app/main.tf": MAIN_TF.format(state=made.state),
        "terraform/config/staging.tfvars": 'greeting = "hello"\n',
        "pyproject.toml": PYPROJECT.format(wheel=wheel),
        "requirements.txt": f"pytest-tfpipeline @ {wheel.as_uri()}\n",
        "tests/test_policy.py": TEST_POLICY,
        ".gitignore": ".venv/\n.tfpipeline/\n__pycache__/\n.pytest_cache/\n",
    }
    for name, text in files.items():
        path = made.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return made


def commit(scratch: Scratch) -> None:
    who = ("-c", "user.name=test", "-c", "user.email=test@example.invalid")
    for argv in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "--message", "state of the test"]):
        subprocess.run(["git", *argv], cwd=scratch.path, check=True, timeout=60)


def runner_environment(scratch: Scratch) -> dict[str, str]:
    """A CI runner's: no environment of this test run's own leaks into it."""
    mine = ("VIRTUAL_ENV", "PYTEST_", "COV_", "TF_", "TFPIPELINE_", "GITHUB_", "UV_PROJECT", "UV_NO_SYNC", "UV_PYTHON")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    return {**inherited, "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(scratch.summary)}


def execute(name: str, scratch: Scratch, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the file's `run:` lines as a runner does, in order, to the first failure; the last one's outcome.

    Only `${{ inputs.NAME }}` is expanded, with the workflow's own defaults: a test above proves that there is nothing
    else to expand.
    """
    declared = workflow(name)["on"]["workflow_call"]["inputs"]
    given = {key: str(value.get("default", "")) for key, value in declared.items()} | inputs
    done = None
    for step in steps(name):
        if "run" not in step:
            continue
        env = {key: INPUT.sub(lambda found: given[found[1]], value) for key, value in step.get("env", {}).items()}
        argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
        environment = runner_environment(scratch) | env
        done = subprocess.run(argv, cwd=scratch.path, env=environment, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            break
    assert done is not None
    return done


def test_the_check_workflow_plans_and_applies_nothing(scratch: Scratch) -> None:
    """Installed from a requirements file: a repository without a uv.lock."""
    commit(scratch)
    done = execute("check.yml", scratch, requirements="requirements.txt")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not scratch.state.exists()
    (environment,) = scratch.evidence()["environments"]
    assert [(plan["root"], plan["add"]) for plan in environment["plans"]] == [("terraform/app", 1)]
    assert environment["applied"] == []
    assert kept_files(scratch) == KEPT
    assert "terraform/app" in scratch.summary.read_text(encoding="utf-8")


def test_the_apply_workflow_applies_what_passed(scratch: Scratch) -> None:
    """Installed from the project's uv.lock."""
    lock(scratch)
    commit(scratch)
    done = execute("apply.yml", scratch, environment="staging")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "hello" in scratch.state.read_text(encoding="utf-8")
    (environment,) = scratch.evidence()["environments"]
    assert [(each["root"], each["outcome"]) for each in environment["applied"]] == [("terraform/app", "applied")]
    assert kept_files(scratch) == KEPT


def test_the_apply_workflow_fails_and_applies_nothing_when_a_policy_fails(scratch: Scratch) -> None:
    (scratch.path / "terraform/config/staging.tfvars").write_text('greeting = "oi"\n', encoding="utf-8")
    commit(scratch)
    done = execute("apply.yml", scratch, environment="staging", requirements="requirements.txt")
    assert done.returncode == 1, done.stdout + done.stderr
    assert not scratch.state.exists()
    assert scratch.evidence()["environments"][0]["verdict"]["open"] is False
    assert kept_files(scratch) == KEPT


def lock(scratch: Scratch) -> None:
    argv = ["uv", "lock", "--quiet"]
    subprocess.run(argv, cwd=scratch.path, env=runner_environment(scratch), check=True, timeout=120)


def kept_files(scratch: Scratch) -> set[str]:
    """Which of the files that the workflow keeps are there."""
    return {name for name in KEPT if (scratch.path / name).is_file()}
