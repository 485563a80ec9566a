"""What an apply in a job of its own does not take from the tree."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from scratch import Scratch

from pytest_tfpipeline.errors import UsageError
from pytest_tfpipeline.gate.reasons import Code
from pytest_tfpipeline.model import EnvironmentRun, Repository, Run, Target
from pytest_tfpipeline.pipeline.bare import refuse_kept, strip
from pytest_tfpipeline.process import Runner

ASKS = {"command": ("sh", "-c", "id"), "expect": "1", "aws_account": "123456789012"}


def run_of(target: Target, environment: EnvironmentRun | None = None) -> Run:
    """A run of that one target."""
    return Run(
        id="run",
        mode="apply",
        repository=Repository(path="/repository"),
        output_path="/repository/.tfpipeline",
        work_path="/repository/.tfpipeline/runs/run",
        environments=(environment or EnvironmentRun("staging"),),
        targets=(target,),
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"prepare": (("make",),)}, "infra/a has `prepare` commands"),
        ({"after_apply": (("make",),)}, "infra/a has `after_apply` commands"),
        ({"env": {"LD_PRELOAD": "./evil.so"}}, "infra/a sets LD_PRELOAD"),
        ({"plan_env": {"PATH": "bin"}}, "infra/a sets PATH"),
        ({"apply_env": {"GIT_SSH_COMMAND": "./evil"}}, "infra/a sets GIT_SSH_COMMAND"),
        ({"env": {"bash_env": "./evil"}}, "infra/a sets bash_env"),
        ({"env": {"AWS_CONFIG_FILE": "./aws"}}, "infra/a sets AWS_CONFIG_FILE"),
        ({"plan_env": {"AWS_SHARED_CREDENTIALS_FILE": "./aws"}}, "infra/a sets AWS_SHARED_CREDENTIALS_FILE"),
        ({"env": {"GIT_ASKPASS": "./evil"}}, "infra/a sets GIT_ASKPASS"),
        ({"apply_env": {"SSH_ASKPASS": "./evil"}}, "infra/a sets SSH_ASKPASS"),
        ({"env": {"HOME": "home"}}, "infra/a sets HOME"),
        ({"env": {"TF_CLI_CONFIG_FILE": "terraformrc"}}, "infra/a sets TF_CLI_CONFIG_FILE"),
        ({"env": {"TF_PLUGIN_CACHE_DIR": "plugins"}}, "infra/a sets TF_PLUGIN_CACHE_DIR"),
        ({"env": {"KUBECONFIG": "cluster"}}, "infra/a sets KUBECONFIG"),
    ],
)
def test_what_would_run_code_of_the_tree_closes_the_gate_and_is_not_planned(
    given: dict[str, object], says: str
) -> None:
    bare = strip(run_of(replace(Target("infra/a", "staging"), **given)), None, Path("/repository"))

    (reason,) = bare.stripped["staging"]
    assert (reason.code, reason.text.startswith(says)) == (Code.ISOLATION, True)
    (target,) = bare.run.targets
    assert (target.prepare, target.after_apply, target.env, target.plan_env, target.apply_env) == ((), (), {}, {}, {})
    assert [problem.rule for problem in target.problems] == ["code-of-the-tree"]


def test_ordinary_variables_stay() -> None:
    env = {"AWS_REGION": "eu-west-2", "TF_VAR_path": "x", "TF_HTTP_ADDRESS": "https://example.org", "KUBE_HOST": "x"}
    target = Target("infra/a", "staging", env=env, plan_env={"AWS_PROFILE": "read"})

    bare = strip(run_of(target), None, Path("/repository"))

    assert (bare.run.targets, bare.stripped) == ((target,), {"staging": ()})


def test_a_command_for_the_identity_is_run_only_if_the_operator_names_it(tmp_path: Path) -> None:
    run = run_of(Target("infra/a", "staging"), EnvironmentRun("staging", identity=ASKS))
    operator = tmp_path / "operator.toml"
    operator.write_text('[environment.staging]\nidentity = { command = ["sh", "-c", "id"], expect = "1" }\n')

    bare = strip(run, None, Path("/repository"))
    vouched = strip(run, operator, Path("/repository"))

    assert [reason.code for reason in bare.stripped["staging"]] == [Code.ISOLATION]
    assert bare.run.environments[0].identity == {"aws_account": "123456789012"}
    assert (vouched.stripped["staging"], vouched.run.environments[0].identity) == ((), ASKS)


def test_an_output_directory_of_the_commit_is_refused(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.write("kept/evidence/made-up.json", "{}")
    scratch.commit()

    refuse_kept(Runner(), scratch.path, None)
    refuse_kept(Runner(), scratch.path, tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="is part of the commit"):
        refuse_kept(Runner(), scratch.path, scratch.path / "kept")


def test_a_seed_is_code_of_the_tree() -> None:
    seeded = EnvironmentRun("staging", "aws", seed=("seeds:fill", ("make", "seed")))

    bare = strip(run_of(Target("infra/a", "staging"), seeded), None, Path("/repository"))

    (reason,) = bare.stripped["staging"]
    assert (reason.code, reason.text.startswith("staging has a `seed`, and an apply")) == (Code.ISOLATION, True)
    assert bare.run.environments[0].seed == ()
