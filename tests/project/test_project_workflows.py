"""The workflows: safe as written, and every `run:` line really executed, job by job, so that none can rot."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

TOP = Path(__file__).parents[2]
FOLDER = TOP / ".github" / "workflows"
FILES = sorted(path.name for path in FOLDER.glob("*.yml"))
REUSABLE = ("apply.yml", "check.yml", "pipeline.yml", "production.yml")
CALLERS = {
    "on-branch.yml": "./.github/workflows/check.yml",
    "on-main.yml": "./.github/workflows/apply.yml",
    "on-release.yml": "./.github/workflows/production.yml",
    "on-demand.yml": "./.github/workflows/pipeline.yml",
}
#: What leaves the runner: never a plan or a state, which hold secrets.
KEPT = {".tfpipeline/evidence.json", ".tfpipeline/summary.md", ".tfpipeline/junit.xml"}
SIGNED = {".tfpipeline/evidence.statement.json", ".tfpipeline/evidence.statement.json.sig"}
EXPRESSION = re.compile(r"\$\{\{ ([\w.]+) \}\}")


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


@pytest.mark.parametrize("name", [*CALLERS, "pipeline.yml"])
def test_a_caller_gives_only_inputs_that_exist(name: str) -> None:
    for job in jobs(name).values():
        called = workflow(Path(job["uses"]).name)["on"]["workflow_call"]
        for given, declared in (("with", called["inputs"]), ("secrets", called.get("secrets", {}))):
            assert set(job.get(given, {})) <= set(declared)
            assert {key for key, value in declared.items() if value.get("required")} <= set(job.get(given, {}))


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
    """Nothing by default; a token for OIDC only where a role may be assumed, and the artifacts of other runs only where
    evidence is fetched; here or in the workflow called."""
    assert workflow(name)["permissions"] == {}
    for job in jobs(name).values():
        assumes = "uses" in job or any(uses(step) == "aws-actions/configure-aws-credentials" for step in job["steps"])
        oidc = {"id-token": "write"} if assumes else {}
        fetches = "github.token" in str(job) or Path(job.get("uses", "")).name in ("production.yml", "pipeline.yml")
        other_runs = {"actions": "read"} if fetches else {}
        assert job["permissions"] == {"contents": "read", **oidc, **other_runs}


@pytest.mark.parametrize("name", FILES)
def test_no_expression_reaches_a_shell(name: str) -> None:
    """An input is text that somebody else wrote: it is handed over as a variable, and quoted."""
    for step in steps(name):
        assert "${{" not in step.get("run", "")
        for variable in step.get("env", {}):
            unquoted = re.sub(r'"(?:\\.|[^"\\])*"', "", step["run"])
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


@pytest.mark.parametrize("name", ["apply.yml", "production.yml"])
def test_applies_of_one_environment_queue_and_are_never_cancelled(name: str) -> None:
    assert workflow(name)["concurrency"] == {
        "group": "tfpipeline-${{ inputs.environment }}",
        "cancel-in-progress": False,
    }


def test_a_newer_push_replaces_the_check_of_its_own_branch_only() -> None:
    concurrency = workflow("check.yml")["concurrency"]
    assert concurrency["cancel-in-progress"] is True
    assert concurrency["group"] == "tfpipeline-check-${{ inputs.environment }}-${{ github.ref }}"


def test_an_apply_waits_for_the_protection_rules_of_its_environment() -> None:
    protected = {name: [job for job, found in jobs(name).items() if "environment" in found] for name in REUSABLE}
    assert protected == {"apply.yml": ["apply"], "check.yml": [], "pipeline.yml": [], "production.yml": ["apply"]}
    assert jobs("apply.yml")["apply"]["environment"] == "${{ inputs.environment }}"
    assert jobs("production.yml")["apply"]["environment"] == "${{ inputs.environment }}"


def test_only_the_protected_job_of_production_may_write_or_sign() -> None:
    named = {job: str(found) for job, found in jobs("production.yml").items()}
    assert [job for job, text in named.items() if "inputs.write_role" in text] == ["apply"]
    assert [job for job, text in named.items() if "secrets.signing_key" in text] == ["apply"]


def test_the_jobs_of_the_engine_run_nothing_of_the_repository() -> None:
    """No pytest, and nothing that was built or installed from the checkout."""
    for job in ("propose", "apply"):
        runs = "\n".join(step.get("run", "") for step in jobs("production.yml")[job]["steps"])
        assert "pytest " not in runs
        assert "uv run" not in runs
        assert '"$engine" -I -m pytest_tfpipeline' in runs
        assert "uv sync --locked --no-install-project\n" in runs


def test_production_goes_on_only_from_what_went_well() -> None:
    found = jobs("production.yml")
    assert (found["propose"]["needs"], found["propose"]["if"]) == ("check", "inputs.approval")
    assert found["apply"]["needs"] == ["check", "propose"]
    assert found["apply"]["if"] == (
        "${{ !cancelled() && needs.check.result == 'success' "
        "&& (!inputs.approval || needs.propose.outputs.waits == 'true') }}"
    )


def test_production_comes_after_staging_in_the_pipeline() -> None:
    pipeline = jobs("pipeline.yml")
    assert {name: job["uses"] for name, job in pipeline.items()} == {
        "staging": "./.github/workflows/apply.yml",
        "production": "./.github/workflows/production.yml",
    }
    assert pipeline["production"]["needs"] == "staging"
    assert pipeline["production"]["if"] == "needs.staging.outputs.waits != 'true'"
    assert pipeline["production"]["with"]["environment"] == "${{ inputs.production }}"
    assert pipeline["production"]["with"]["after"] == "${{ inputs.staging }}"
    assert pipeline["production"]["with"]["write_role"] == "${{ inputs.write_role }}"
    assert pipeline["staging"]["with"]["environment"] == "${{ inputs.staging }}"
    assert pipeline["staging"]["with"]["aws_role"] == "${{ inputs.staging_role }}"


@pytest.mark.parametrize("name", ["check.yml", "apply.yml", "production.yml", "ci.yml"])
def test_evidence_is_kept_also_on_failure_and_plans_never(name: str) -> None:
    for job in jobs(name).values():
        uploads = [step for step in job["steps"] if uses(step) == "actions/upload-artifact"]
        assert [step["name"] for step in uploads if step.get("if") == "always()"] == ["Keep the evidence"]
        for upload in uploads:
            assert upload["with"]["include-hidden-files"] is True
            kept = set(upload["with"]["path"].split())
            assert ".tfpipeline/evidence.json" in kept
            assert kept <= KEPT | SIGNED


@pytest.mark.parametrize("name", ["apply.yml", "production.yml"])
def test_an_apply_uses_no_cache(name: str) -> None:
    assert not any(uses(step) == "actions/cache" for step in steps(name))
    for setup in [step for step in steps(name) if uses(step) == "astral-sh/setup-uv"]:
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
terraform {
  required_version = ">= 1.4"

  backend "local" {}
}

variable "greeting" {
  type        = string
  description = "What the resource remembers"
}

resource "terraform_data" "this" {
  input = var.greeting
}
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
environments = ["staging", "production"]
signers = ".tfpipeline-signers"

{rules}

[[tool.tfpipeline.root]]
match = "terraform/app"
var_files = ["terraform/config/{{env}}.tfvars"]
backend = ["path={states}/{{env}}.tfstate"]
apply = true
"""

RULES = """\
[tool.tfpipeline.environment.production]
after = "staging"
approval = "manual"
"""

TEST_POLICY = """\
def test_the_greeting_is_polite(tf_plan):
    (resource,) = tf_plan.resources("terraform_data")
    assert resource.after["input"] == "hello"
"""

NO_CHECKOV = """\
#!/bin/sh
[ "$1" = --version ] && exec echo 3.0.0
echo '{"passed": 0, "failed": 0, "skipped": 0, "parsing_errors": 0, "resource_count": 0}'
"""

#: GitHub's own program, as far as it is asked: which run has kept an artifact of that name, of this commit.
GH = """\
#!/bin/sh
name=${2#*name=}
name=${name%%&*}
if [ "$1" = api ] && [ -e "$ARTIFACTS/$name" ]; then echo 4711; fi
"""

DIGEST_KEY = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"


@dataclass
class GitHub:
    """What is around the jobs: a user's repository with one root, its secrets, and the artifacts that jobs leave."""

    path: Path
    wheel: Path
    secrets: dict[str, str] = field(default_factory=dict)
    jobs: int = 0

    @property
    def origin(self) -> Path:
        return self.path / "repository"

    def state(self, environment: str) -> str | None:
        file = self.path / "states" / f"{environment}.tfstate"
        return file.read_text(encoding="utf-8") if file.exists() else None


@dataclass(frozen=True)
class Job:
    """A job that ran to its first failing step, on a fresh runner with a checkout of its own."""

    runner: Path
    code: int
    text: str
    outputs: dict[str, str]

    def evidence(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.runner / "checkout/.tfpipeline/evidence.json").read_bytes())
        return found

    def kept(self) -> set[str]:
        """Which of the files that the workflow keeps are there."""
        return {name for name in KEPT | SIGNED if (self.runner / "checkout" / name).is_file()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a user would install, of this checkout as it is now."""
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(["uv", "build", "--quiet", "--wheel", "--out-dir", str(out), str(TOP)], check=True, timeout=120)
    (path,) = out.glob("*.whl")
    return path


@pytest.fixture
def github(tmp_path: Path, wheel: Path) -> GitHub:
    made = GitHub(tmp_path, wheel)
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True, timeout=60)
    made.secrets = {"digest_key": DIGEST_KEY, "signing_key": key.read_text(encoding="utf-8").strip()}
    signer = f'ci@example.org namespaces="tfpipeline-evidence" {key.with_suffix(".pub").read_text(encoding="utf-8")}'
    files = {
        "terraform/app/main.tf": MAIN_TF,
        "terraform/config/staging.tfvars": 'greeting = "hello"\n',
        "terraform/config/production.tfvars": 'greeting = "hello"\n',
        "requirements.txt": f"pytest-tfpipeline @ {wheel.as_uri()}\n",
        "tests/test_policy.py": TEST_POLICY,
        ".tfpipeline-signers": signer,
        ".gitignore": ".venv/\n.tfpipeline/\n__pycache__/\n.pytest_cache/\n",
    }
    for name, text in files.items():
        path = made.origin / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name, text in {"checkov": NO_CHECKOV, "gh": GH}.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    return made


def commit(github: GitHub, rules: str = RULES, *, lock: bool = False) -> None:
    states = github.path / "states"
    states.mkdir()
    pyproject = PYPROJECT.format(wheel=github.wheel, rules=rules, states=states)
    (github.origin / "pyproject.toml").write_text(pyproject, encoding="utf-8")
    who = ("-c", "user.name=test", "-c", "user.email=test@example.invalid")
    if lock:
        argv = ["uv", "lock", "--quiet"]
        subprocess.run(argv, cwd=github.origin, env=runner_environment(github, github.path), check=True, timeout=120)
    for argv in (["init", "--quiet"], ["add", "."], [*who, "commit", "--quiet", "--message", "state of the test"]):
        subprocess.run(["git", *argv], cwd=github.origin, check=True, timeout=60)


def runner_environment(github: GitHub, runner: Path) -> dict[str, str]:
    """A CI runner's: no environment of this test run's own leaks into it."""
    mine = ("VIRTUAL_ENV", "PYTEST_", "COV_", "TF_", "TFPIPELINE_", "GITHUB_", "UV_PROJECT", "UV_NO_SYNC", "UV_PYTHON")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    programs = github.path / "bin"
    return {
        **inherited,
        "ARTIFACTS": str(github.path / "artifacts"),
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(runner / "output"),
        "GITHUB_REPOSITORY": "example/infrastructure",
        "GITHUB_SHA": "0" * 40,
        "GITHUB_STEP_SUMMARY": str(runner / "summary.md"),
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "RUNNER_TEMP": str(runner / "temp"),
        "TFPIPELINE_CHECKOV": str(programs / "checkov"),
    }


def run_job(github: GitHub, name: str, job: str, needs: dict[str, Job] | None = None, **inputs: str) -> Job:
    """Run a job as a runner does: a fresh checkout, its `run:` lines and its artifacts in order, to the first failure.

    Only what is listed here is expanded; a test above proves that no expression stands in a `run:` line.
    """
    github.jobs += 1
    runner = github.path / f"runner-{github.jobs}"
    (runner / "temp").mkdir(parents=True)
    subprocess.run(["git", "clone", "--quiet", str(github.origin), str(runner / "checkout")], check=True, timeout=60)
    declared = workflow(name)["on"]["workflow_call"]
    known = {"github.token": "token", "github.run_attempt": "1", "runner.temp": str(runner / "temp")}
    known |= {f"inputs.{key}": str(value.get("default", "")) for key, value in declared["inputs"].items()}
    known |= {f"inputs.{key}": value for key, value in inputs.items()}
    known |= {f"secrets.{key}": github.secrets.get(key, "") for key in declared.get("secrets", {})}
    for before, done in (needs or {}).items():
        known |= {f"needs.{before}.outputs.{key}": value for key, value in done.outputs.items()}
    code, said = 0, ""
    for step in jobs(name)[job]["steps"]:
        if not _wanted(step, known, outputs_of(runner), failed=code != 0):
            continue
        if "artifact" in step.get("uses", ""):
            move_artifact(github, runner, step, known)
        elif "run" in step:
            env = {key: expand(value, known) for key, value in step.get("env", {}).items()}
            argv = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
            environment = runner_environment(github, runner) | env
            folder = runner / "checkout"
            done_ = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
            code, said = done_.returncode, said + done_.stdout + done_.stderr
    return Job(runner, code, said, outputs_of(runner))


def expand(text: str, known: dict[str, str]) -> str:
    return EXPRESSION.sub(lambda found: known.get(found[1], "") if "needs." in found[1] else known[found[1]], text)


def _wanted(step: dict[str, Any], known: dict[str, str], outputs: dict[str, str], *, failed: bool) -> bool:
    condition = step.get("if", "")
    if condition == "always()":
        return True
    if re.fullmatch(r"steps\.(apply|engine)\.outputs\.waits != 'true'", condition):
        return not failed and outputs.get("waits") != "true"
    if condition:
        found = re.fullmatch(r"(inputs\.\w+) != ''", condition)
        assert found, condition
        return not failed and known[found[1]] != ""
    return not failed


def outputs_of(runner: Path) -> dict[str, str]:
    """All steps of a job write into one file here; `run` is what the job calls `prior_run`."""
    file = runner / "output"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    found = dict(line.split("=", 1) for line in lines)
    return found | ({"prior_run": found["run"]} if "run" in found else {})


def move_artifact(github: GitHub, runner: Path, step: dict[str, Any], known: dict[str, str]) -> None:
    artifact = github.path / "artifacts" / expand(step["with"]["name"], known)
    if uses(step) == "actions/download-artifact":
        assert expand(step["with"].get("run-id", "4711"), known) == "4711"
        shutil.copytree(artifact, expand(step["with"]["path"], known))
        return
    for name in step["with"]["path"].split():
        if (runner / "checkout" / name).is_file():
            artifact.mkdir(parents=True, exist_ok=True)
            shutil.copy(runner / "checkout" / name, artifact)
    assert artifact.is_dir() or step["with"]["if-no-files-found"] == "warn"


def test_the_check_workflow_plans_and_applies_nothing(github: GitHub) -> None:
    """Installed from a requirements file: a repository without a uv.lock."""
    commit(github)
    done = run_job(github, "check.yml", "check", environment="staging", requirements="requirements.txt")
    assert done.code == 0, done.text
    assert github.state("staging") is None
    (environment,) = done.evidence()["environments"]
    assert [(plan["root"], plan["add"]) for plan in environment["plans"]] == [("terraform/app", 1)]
    assert environment["applied"] == []
    assert done.kept() == KEPT
    assert "terraform/app" in (done.runner / "summary.md").read_text(encoding="utf-8")


def test_the_apply_workflow_fails_and_applies_nothing_when_a_policy_fails(github: GitHub) -> None:
    (github.origin / "terraform/config/staging.tfvars").write_text('greeting = "oi"\n', encoding="utf-8")
    commit(github)
    done = run_job(github, "apply.yml", "apply", environment="staging", requirements="requirements.txt")
    assert done.code == 1, done.text
    assert github.state("staging") is None
    assert done.evidence()["environments"][0]["verdict"]["open"] is False
    assert done.kept() >= KEPT
    assert not (github.path / "artifacts/tfpipeline-proof-staging").exists(), "nothing may go on from it"


def test_the_apply_workflow_waits_without_failing(github: GitHub) -> None:
    commit(github, '[tool.tfpipeline.environment.staging]\napproval = "manual"\n')
    done = run_job(github, "apply.yml", "apply", environment="staging", requirements="requirements.txt")
    assert (done.code, done.outputs) == (0, {"waits": "true"}), done.text
    assert github.state("staging") is None
    assert not (github.path / "artifacts/tfpipeline-proof-staging").exists(), "nothing may go on from it"


def test_staging_to_production_through_every_job(github: GitHub) -> None:
    """Installed from the project's uv.lock. Production is applied by the last job alone, and only as approved."""
    commit(github, lock=True)
    staging = run_job(github, "apply.yml", "apply", environment="staging")
    assert (staging.code, staging.outputs) == (0, {}), staging.text
    assert "hello" in (github.state("staging") or "")
    assert staging.kept() == KEPT | SIGNED

    check = run_job(github, "production.yml", "check", after="staging")
    assert check.code == 0, check.text
    propose = run_job(github, "production.yml", "propose", {"check": check}, after="staging")
    assert propose.code == 0, propose.text
    assert propose.outputs["waits"] == "true"
    assert propose.outputs["digest"] in (propose.runner / "summary.md").read_text(encoding="utf-8")
    assert not (propose.runner / "checkout/.venv").exists()

    other = Job(propose.runner, 0, "", {"digest": f"sha256:{'0' * 64}"})
    refused = run_job(github, "production.yml", "apply", {"check": check, "propose": other}, after="staging")
    assert (refused.code, "approval-invalid" in refused.text) == (1, True), refused.text
    assert github.state("production") is None

    applied = run_job(github, "production.yml", "apply", {"check": check, "propose": propose}, after="staging")
    assert (applied.code, applied.outputs) == (0, {}), applied.text
    assert "hello" in (github.state("production") or "")
    assert applied.kept() >= SIGNED
    assert applied.evidence()["environments"][0]["approval"]["digest"] == propose.outputs["digest"]


def test_production_is_not_reached_when_a_policy_fails(github: GitHub) -> None:
    """And where the check job's failure is not heeded, its evidence opens nothing."""
    (github.origin / "terraform/config/production.tfvars").write_text('greeting = "oi"\n', encoding="utf-8")
    commit(github, rules="")
    check = run_job(github, "production.yml", "check", requirements="requirements.txt")
    assert check.code == 1, check.text
    claim = github.path / "artifacts/tfpipeline-claim-production"
    assert not claim.exists(), "it was handed on"
    claim.mkdir()
    shutil.copy(check.runner / "checkout/.tfpipeline/evidence.json", claim)
    applied = run_job(github, "production.yml", "apply", {"check": check}, engine=str(github.wheel))
    assert (applied.code, "check-failed" in applied.text) == (1, True), applied.text
    assert github.state("production") is None


def test_production_without_an_approval_is_applied_after_its_check(github: GitHub) -> None:
    commit(github, rules="")
    check = run_job(github, "production.yml", "check", requirements="requirements.txt")
    applied = run_job(github, "production.yml", "apply", {"check": check}, engine=str(github.wheel))
    assert applied.code == 0, check.text + applied.text
    assert "hello" in (github.state("production") or "")


def test_production_needs_evidence_of_staging(github: GitHub) -> None:
    commit(github)
    check = run_job(github, "production.yml", "check", after="staging", requirements="requirements.txt")
    assert (check.code, "no run has kept evidence that staging was applied" in check.text) == (1, True), check.text
