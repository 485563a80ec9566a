"""Planning with the real terraform: waiting for state, and every way to fail, each with what to do."""

from __future__ import annotations

import fcntl
import hashlib
import json
import multiprocessing
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.codec import dumps, loads
from pytest_tfpipeline.context import open_context
from pytest_tfpipeline.model import Finding, PlanResult, PlanStatus, RemoteState, Root, Run, Severity, Target
from pytest_tfpipeline.process import Outcome
from pytest_tfpipeline.terraform.applying import apply_plan
from pytest_tfpipeline.terraform.diagnostics import render_findings
from pytest_tfpipeline.terraform.init import directory_of, ensure_init
from pytest_tfpipeline.terraform.plan import read_plan
from pytest_tfpipeline.terraform.planning import ensure_plan, make_plan

S3 = 'terraform {\n  backend "s3" {\n    bucket = "b"\n    key    = "k"\n    region = "eu-west-2"\n  }\n}\n'
NOPE = 'terraform {\n  required_providers {\n    n = {\n      source = "127.0.0.1:9/acme/nope"\n    }\n  }\n}\n'
SIMPLE = 'resource "terraform_data" "a" {\n  input = "x"\n}\n'


def test_a_root_whose_upstream_was_never_applied_is_deferred_and_planned_after_its_apply(
    chain: Any, chain_roots: tuple[Root, ...], chain_targets: tuple[Target, Target]
) -> None:
    up, down = chain_targets
    ctx = chain.open(up, down, roots=chain_roots, mode="apply")

    waiting = ensure_plan(ctx, down)
    assert (waiting.status, waiting.behind, waiting.findings) == (PlanStatus.DEFERRED, ("up",), ())

    planned = ensure_plan(ctx, up)
    assert (planned.status, planned.changes.add, planned.changes.outputs) == (PlanStatus.PLANNED, 1, ("lake",))
    assert not planned.state_exists
    assert apply_plan(ctx, up, planned).ok

    now = make_plan(ctx, down)
    assert now.status is PlanStatus.PLANNED, render_findings(now.findings)
    assert read_plan(str(now.json_path)).resources[0].after["input"] == "lake"
    assert ensure_plan(ctx, down) == now


def _plan_in_a_process(run: str, root: str) -> str:
    ctx = open_context(loads(Run, run))
    return dumps(ensure_plan(ctx, ctx.run.target(root, "staging")))


def test_processes_that_need_the_same_plan_share_one(chain: Any, chain_targets: tuple[Target, Target]) -> None:
    ctx = chain.open(*chain_targets)
    asked = [(dumps(ctx.run), root) for root in ("down", "up", "down", "up")]
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        down, up, *again = pool.starmap(_plan_in_a_process, asked)
    assert again == [down, up]
    assert loads(PlanResult, up) == ensure_plan(ctx, chain_targets[0])
    assert loads(PlanResult, down).behind == ("up",)


def test_state_in_a_file_outlives_the_run(chain: Any, chain_targets: tuple[Target, Target]) -> None:
    up, down = chain_targets
    first = chain.open(up, mode="apply")
    assert apply_plan(first, up, ensure_plan(first, up)).ok

    second = chain.open(up, down)
    again, reader = ensure_plan(second, up), ensure_plan(second, down)
    assert again.state_exists
    assert not again.changes.any
    assert reader.status is PlanStatus.PLANNED


def test_an_output_that_upstream_is_about_to_create_defers_and_another_fails(
    chain: Any, chain_targets: tuple[Target, Target]
) -> None:
    up, down = chain_targets
    first = chain.open(up, mode="apply")
    assert apply_plan(first, up, ensure_plan(first, up)).ok
    with (chain.repository / "up/main.tf").open("a") as stream:
        stream.write('output "pond" {\n  value = 1\n}\n')
    reads = (chain.repository / "down/main.tf").read_text()

    (chain.repository / "down/main.tf").write_text(reads.replace("outputs.lake", 'outputs["pond"]'))
    soon = ensure_plan(ctx := chain.open(up, down), down)
    assert (soon.status, soon.behind) == (PlanStatus.DEFERRED, ("up",)), render_findings(soon.findings)
    assert ensure_plan(ctx, up).changes.outputs == ("pond",)

    (chain.repository / "down/main.tf").write_text(reads.replace("outputs.lake", "outputs.sea"))
    never = ensure_plan(chain.open(up, down), down)
    assert never.status is PlanStatus.FAILED
    assert '"sea"' in never.findings[0].text


def test_a_failed_upstream_is_blamed_where_its_state_is_missing(
    chain: Any, chain_targets: tuple[Target, Target]
) -> None:
    up, down = chain_targets
    chain.write("up/main.tf", 'resource "terraform_data" "lake" {\n')
    failed = ensure_plan(chain.open(up, down), down)
    assert failed.status is PlanStatus.FAILED
    assert "could not be planned" in render_findings(failed.findings)
    assert {finding.rule for finding in failed.findings} == {"no-state", "upstream-failed"}


def test_all_missing_variables_are_one_finding_with_the_lines_that_fill_them(needy: Any) -> None:
    playground, root = needy
    target = Target("needy", "staging")
    (finding,) = ensure_plan(playground.open(target, roots=(root,)), target).findings
    assert (finding.rule, finding.file, finding.line) == ("missing-variable", "needy/main.tf", 1)
    assert "account (string): the account" in finding.text
    assert "size (number)" in finding.text
    assert 'vars = { account = "...", size = 0 }' in finding.text


def test_terraform_is_not_asked_what_is_known_without_it(needy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    playground, root = needy
    monkeypatch.setenv("TFPIPELINE_TERRAFORM", str(playground.path / "no-terraform"))
    monkeypatch.setenv("TF_VAR_account", "given")
    playground.write("needy/x.auto.tfvars.json", '{"other": 1}')
    known = Finding("incomplete-backend", Severity.ERROR, "it lacks a key")
    target = Target("needy", "staging", problems=(known,))
    first, finding = ensure_plan(playground.open(target, roots=(root,)), target).findings
    assert first == known
    assert finding.rule == "missing-variable"
    assert "account" not in finding.text
    assert "size (number)" in finding.text


def test_a_var_file_that_a_prepare_command_renders_counts(needy: Any) -> None:
    playground, root = needy
    command = ("sh", "-c", "printf 'account = \"a\"\nsize = 1\n' > out.tfvars")
    target = Target("needy", "staging", var_files=("out.tfvars",), prepare=(command,))
    result = ensure_plan(playground.open(target, roots=(root,)), target)
    assert result.status is PlanStatus.PLANNED, render_findings(result.findings)


def test_the_state_of_a_root_that_is_kept_here_is_read_from_here(playground: Any) -> None:
    """The reader and its module ask a bucket that nobody has; in the run's copy they ask the file."""
    remote = (
        'data "terraform_remote_state" "up" {\n  backend = "s3"\n  workspace = "x"\n  config = { bucket = "b" }\n}\n'
    )
    playground.write("up/main.tf", UP_REMOTE)
    playground.write("down/main.tf", remote + 'module "m" {\n  source = "../m"\n}\n' + READER)
    playground.write("m/main.tf", remote + READER)
    reads = tuple(RemoteState("up", "s3", {"bucket": "b"}, f"{each}/main.tf", 1, root="up") for each in ("down", "m"))
    roots = (
        Root("up", "up", "up/main.tf", backend="s3"),
        Root("down", "down", "down/main.tf", after=("up",), modules=("m",), remote_states=reads),
    )
    up = Target("up", "staging", backend_local=True, workspace="staging", apply=True)
    down = Target("down", "staging", after=("up",))
    first = playground.open(up, down, roots=roots, mode="apply")
    assert ensure_plan(first, down).behind == ("up",)
    assert apply_plan(first, up, ensure_plan(first, up)).ok

    second = playground.open(up, down, roots=roots)
    result = ensure_plan(second, down)
    assert result.status is PlanStatus.PLANNED, render_findings(result.findings)
    plan = read_plan(str(result.json_path))
    planned = [item["change"]["after"]["input"] for item in plan.raw["resource_changes"]]
    assert planned == ["lake", "lake"]
    assert str(playground.path) not in json.dumps(plan.raw["configuration"]["root_module"]["resources"])


UP_REMOTE = 'terraform {\n  backend "s3" {}\n}\noutput "lake" {\n  value = "lake"\n}\n'
READER = 'resource "terraform_data" "reader" {\n  input = data.terraform_remote_state.up.outputs.lake\n}\n'


def test_vars_win_over_var_files_and_stay_private(needy: Any) -> None:
    playground, root = needy
    playground.write("config/ä b.tfvars", 'account = "weak"\nsize = 1\n')
    target = Target("needy", "staging", var_files=("config/ä b.tfvars",), vars={"account": 'it\'s "strong" ${x}'})
    ctx = playground.open(target, roots=(root,))
    result = ensure_plan(ctx, target)
    assert result.status is PlanStatus.PLANNED, render_findings(result.findings)
    plan = read_plan(str(result.json_path))
    assert plan.variables == {"account": 'it\'s "strong" ${x}', "size": 1}
    private = [Path(str(result.plan_path)), Path(str(result.json_path)), ctx.workspace.vars_path(target)]
    assert [path.stat().st_mode & 0o777 for path in private] == [0o600] * 3


def test_an_undeclared_tf_var_does_not_reach_terraform(needy: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    playground, root = needy
    monkeypatch.setenv("TF_VAR_account", "kept")
    monkeypatch.setenv("TF_VAR_stranger", "dropped")
    target = Target("needy", "staging", vars={"size": 1})
    ctx = playground.open(target, roots=(root,))
    assert read_plan(str(ensure_plan(ctx, target).json_path)).variables["account"] == "kept"
    assert ctx.unset(target, root) == ("TF_VAR_stranger",)


@pytest.mark.parametrize(("ignored", "advice"), [(False, "Create it"), (True, "copy_in")])
def test_a_missing_var_file_is_named_and_terraform_not_asked(playground: Any, ignored: bool, advice: str) -> None:
    playground.write("root/main.tf", SIMPLE)
    target = Target("root", "staging", var_files=("config/staging.tfvars",))
    ctx = playground.open(target)
    if ignored:
        playground.write("config/staging.tfvars", "")
    (finding,) = ensure_plan(ctx, target).findings
    assert (finding.rule, finding.file) == ("missing-variable-file", "config/staging.tfvars")
    assert advice in finding.text


def test_problems_of_the_target_are_its_findings(playground: Any) -> None:
    problem = Finding("missing-environment-variable", Severity.ERROR, "AUTOMATION_URL is not set")
    target = Target("root", "staging", problems=(problem,))
    assert ensure_plan(playground.open(target), target).findings == (problem,)


def test_copy_in_brings_what_git_ignores(playground: Any) -> None:
    playground.write("root/main.tf", 'output "o" {\n  value = file("../build/x.jar")\n}\n')
    target = Target("root", "staging")
    ctx = playground.open(target, settings={"copy_in": ["build/*.jar"]})
    playground.write("build/x.jar", "payload")
    assert read_plan(str(ensure_plan(ctx, target).json_path)).outputs["o"].after == "payload"


def test_a_held_lock_names_its_holder_and_age(playground: Any) -> None:
    playground.write("root/main.tf", SIMPLE)
    target = Target("root", "staging", apply=True)
    first = playground.open(target, mode="apply")
    assert apply_plan(first, target, ensure_plan(first, target)).ok
    ctx = playground.open(target, mode="apply")
    assert ensure_init(ctx, "root", "staging").ok
    state = ctx.workspace.state_path("staging", "root") / "terraform.tfstate"
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 3 * 3600 - 60))
    lock = {"ID": "97b9", "Operation": "OperationTypeApply", "Who": "alice@laptop", "Created": created, "Path": "s"}
    (state.parent / ".terraform.tfstate.lock.info").write_text(json.dumps(lock))
    with state.open("r+") as stream:
        fcntl.lockf(stream, fcntl.LOCK_EX)
        (finding,) = ensure_plan(ctx, target).findings
    assert finding.rule == "state-locked"
    for word in ("alice@laptop", "for apply", "(3 hours ago)", "terraform force-unlock 97b9"):
        assert word in finding.text


def test_a_run_that_cannot_apply_takes_no_lock(playground: Any) -> None:
    playground.write("root/main.tf", SIMPLE)
    target = Target("root", "staging")
    ctx = playground.open(target)
    assert ensure_init(ctx, "root", "staging").ok
    state = ctx.workspace.state_path("staging", "root") / "terraform.tfstate"
    with state.open("w") as stream:
        fcntl.lockf(stream, fcntl.LOCK_EX)
        assert ensure_plan(ctx, target).status is PlanStatus.PLANNED


def test_a_syntax_error_is_shown_with_its_line(playground: Any) -> None:
    playground.write("a b/main.tf", 'resource "terraform_data" "ä" {\n  input = \n}\n')
    target = Target("a b", "staging")
    found = ensure_plan(playground.open(target), target).findings
    assert [(finding.file, finding.line) for finding in found] == [("a b/main.tf", 2)]
    assert "  2 |   input =" in found[0].excerpt
    assert "^" in found[0].excerpt


@pytest.mark.parametrize(
    ("text", "rule", "named"),
    [
        ('module "m" {\n  source = "./nothere"\n}\n', "no-module", '"m"'),
        ('module "m" {\n  source = "git::https://127.0.0.1:9/x.git"\n}\n', "no-module", "127.0.0.1:9"),
        (NOPE, "no-provider", "acme/nope"),
        ('terraform {\n  required_version = "< 1.0"\n}\n', "terraform-version", "1.0"),
        (S3.replace("region", "# region"), "no-region", "AWS_REGION"),
        (S3, "no-credentials", "AWS_PROFILE"),
    ],
)
def test_what_cannot_be_had_is_said_in_seconds(
    playground: Any, text: str, rule: str, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    playground.write("root/main.tf", text)
    target = Target("root", "staging")
    started = time.monotonic()
    result = ensure_plan(playground.open(target), target)
    assert time.monotonic() - started < 15
    assert result.status is PlanStatus.FAILED
    told = render_findings(result.findings)
    assert rule in {finding.rule for finding in result.findings}, told
    assert named in told
    assert "->" in told
    assert "/tree/" not in told


def test_prepare_runs_once_in_the_copy_and_its_failure_is_a_finding(playground: Any) -> None:
    playground.write("one/main.tf", 'output "o" {\n  value = file("../made.txt")\n}\n')
    playground.write("two/main.tf", SIMPLE)
    make = ("sh", "-c", "echo x >> made.txt")
    one = Target("one", "staging", prepare=(make,))
    two = Target("two", "staging", prepare=(make, ("sh", "-c", "echo no jar here >&2; exit 3")))
    ctx = playground.open(one, two)
    assert read_plan(str(ensure_plan(ctx, one).json_path)).outputs["o"].after == "x\n"
    (finding,) = ensure_plan(ctx, two).findings
    assert "exit code 3" in finding.text
    assert "no jar here" in finding.text
    assert not (playground.repository / "made.txt").exists()


def test_a_command_that_hangs_is_stopped_and_told_its_time(playground: Any) -> None:
    playground.write("root/main.tf", SIMPLE)
    target = Target("root", "staging", prepare=(("sleep", "60"),), timeouts={"prepare": 0.3})
    (finding,) = ensure_plan(playground.open(target), target).findings
    assert finding.rule == "timeout"
    assert "after 0.3 seconds" in finding.text


def test_a_workspace_is_selected_and_made_where_missing(playground: Any) -> None:
    playground.write("root/main.tf", 'output "o" {\n  value = terraform.workspace\n}\n')
    target = Target("root", "staging", workspace="staging-eu", apply=True)
    ctx = playground.open(target, mode="apply")
    result = ensure_plan(ctx, target)
    assert read_plan(str(result.json_path)).outputs["o"].after == "staging-eu"
    assert apply_plan(ctx, target, result).ok
    assert ensure_plan(playground.open(target), target).state_exists


def test_backend_local_overrides_any_backend_in_the_copy_alone(playground: Any) -> None:
    text = f'terraform {{\n  backend "s3" {{\n    bucket = "b"\n    key    = "k"\n  }}\n}}\n{SIMPLE}'
    playground.write("root/main.tf", text)
    playground.write("bare/main.tf", SIMPLE)
    targets = (Target("root", "staging", backend_local=True), Target("bare", "staging", backend_local=True))
    ctx = playground.open(*targets, roots=(Root("root", "root", "root/main.tf", backend="s3"),))
    results = [ensure_plan(ctx, target) for target in targets]
    assert [result.status for result in results] == [PlanStatus.PLANNED] * 2, render_findings(results[0].findings)
    assert sorted(path.name for path in (playground.repository / "root").iterdir()) == ["main.tf"]


def test_a_committed_state_is_not_applied_into_a_copy(playground: Any) -> None:
    playground.write("root/main.tf", SIMPLE)
    playground.write("root/terraform.tfstate", '{"version":4,"serial":1,"lineage":"x","outputs":{},"resources":[]}')
    target = Target("root", "staging", apply=True)
    (finding,) = ensure_plan(playground.open(target, mode="apply"), target).findings
    assert (finding.rule, finding.file) == ("state-in-the-tree", "root/terraform.tfstate")
    assert ensure_plan(playground.open(target), target).status is PlanStatus.PLANNED


def test_the_users_tree_stays_as_it_was(chain: Any, chain_targets: tuple[Target, Target]) -> None:
    def git(*argv: str) -> str:
        done = subprocess.run(["git", *argv], cwd=chain.repository, check=True, capture_output=True, text=True)
        return done.stdout

    git("init", "-q")
    git("add", ".")
    git("-c", "user.name=n", "-c", "user.email=e@example.com", "commit", "-qm", "all")
    before = _hashes(chain.repository)
    up = replace(chain_targets[0], prepare=(("touch", "up/generated.tf"),))
    ctx = chain.open(up, mode="apply")
    assert apply_plan(ctx, up, ensure_plan(ctx, up)).ok
    assert _hashes(chain.repository) == before
    assert git("status", "--porcelain", "--ignored") == ""


def _hashes(top: Path) -> dict[str, str]:
    files = [path for path in top.rglob("*") if path.is_file() and ".git" not in path.parts]
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.parametrize("emulated", [True, False])
def test_a_data_source_that_finds_nothing_in_an_emulated_cloud_says_how_to_fill_it(
    playground: Any, *, emulated: bool
) -> None:
    playground.write("a/main.tf", SIMPLE)
    target = Target("a", "staging")
    env = {"staging": {"HTTPS_PROXY": "http://127.0.0.1:9"}} if emulated else {}
    directory = directory_of(playground.open(target, process_env=env), "a", "staging")
    said = {"severity": "error", "summary": "no matching VPC found", "address": "data.aws_vpc.it"}
    outcome = Outcome(1, json.dumps({"type": "diagnostic", "diagnostic": said}), "", 1.0)
    (finding,) = directory.judge(outcome, "plan")
    assert ("`seed` of the environment" in finding.text) is emulated
    (finding,) = directory.judge(outcome, "validate")
    assert finding.text == "no matching VPC found"
