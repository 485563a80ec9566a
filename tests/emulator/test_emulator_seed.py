"""What `seed` makes is in the emulated cloud before anything is planned: once, whole, and by no real credential."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from cloud import boto3_client
from scratch import Scratch

from pytest_tfpipeline.context import Context, open_context
from pytest_tfpipeline.emulator import Emulator, StateStore
from pytest_tfpipeline.errors import EmulatorError
from pytest_tfpipeline.model import EnvironmentRun, Repository, Run, Target
from pytest_tfpipeline.pipeline.seed import Step, fill, seed_digest
from pytest_tfpipeline.process import Runner

Start = Callable[..., Emulator]

MODULE = """
import os

import boto3


def fill():
    client = boto3.client("ssm", region_name="eu-west-2")
    client.put_parameter(Name="/team", Value=os.environ["TFPIPELINE_ENVIRONMENT"], Type="String", Overwrite=True)


def fail():
    open("made-here", "w").close()
    boto3.client("ssm", region_name="eu-west-2").get_parameter(Name="/nothing")
"""

COMMAND = """
import os, sys

import boto3

assert boto3.client("sts").get_caller_identity()["Account"] == "123456789012"
leaked = [name for name, value in os.environ.items() if "a-real-one" in value]
assert not leaked, leaked
made = boto3.client("route53").create_hosted_zone(Name="example.org", CallerReference=str(os.getpid()))
"""


@dataclass
class Stub:
    """An emulated cloud that nobody has to start."""

    seeded: str = ""
    process_env: dict[str, str] = field(default_factory=dict)
    began: list[str] = field(default_factory=list)

    @contextmanager
    def seeding(self, digest: str) -> Iterator[None]:
        self.began.append(digest)
        yield
        self.seeded = digest


class Project:
    """A repository with seeds, and the context of a run on it."""

    def __init__(self, path: Path) -> None:
        self.path = path / "repo"
        self.work = path / "work"
        self.work.mkdir()
        self.write("seeds/cloud.py", MODULE)
        self.write("seeds/zone.py", COMMAND)
        self.write("unrelated.txt", "x")

    def write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def context(self, name: str, environ: dict[str, str] | None = None, **plan_env: str) -> Context:
        """Of a run called so, whose private copies are made anew."""
        work = self.work / name
        work.mkdir()
        files = {path.relative_to(self.path).as_posix(): "" for path in self.path.rglob("*") if path.is_file()}
        (work / "files.json").write_text(json.dumps(files))
        target = Target("core", "staging", plan_env=plan_env, emulated=True)
        run = Run(
            name,
            "apply",
            Repository(str(self.path)),
            str(self.work),
            str(work),
            targets=(target,),
            files_path=str(work / "files.json"),
        )
        return open_context(run, runner=Runner({**os.environ, **(environ or {})}))


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def refusal(project: Project, *steps: Step) -> str:
    """Why that seed, on a stub of a cloud, is refused."""
    with pytest.raises(EmulatorError) as caught:
        fill(project.context("refused"), EnvironmentRun("staging", "aws", seed=steps), cast("Any", Stub()))
    return str(caught.value)


def assuming(env: dict[str, str], role: str) -> dict[str, str]:
    """The variables of who assumed that role."""
    found = boto3_client("sts", env).assume_role(RoleArn=role, RoleSessionName="deploy")["Credentials"]
    keys = {"AWS_ACCESS_KEY_ID": "AccessKeyId", "AWS_SECRET_ACCESS_KEY": "SecretAccessKey"}
    return {**env, **{name: found[key] for name, key in keys.items()}, "AWS_SESSION_TOKEN": found["SessionToken"]}


def zones(emulator: Emulator) -> int:
    return len(boto3_client("route53", emulator.process_env).list_hosted_zones()["HostedZones"])


def test_a_cloud_is_filled_once_and_again_when_the_seed_changes(project: Project, start: Start) -> None:
    seed = EnvironmentRun("staging", "aws", seed=("seeds.cloud:fill", (sys.executable, "seeds/zone.py")))
    environ = {"AWS_SECRET_ACCESS_KEY": "a-real-one", "GITHUB_TOKEN": "a-real-one", "WRITER": "a-real-one"}
    first = start()
    fill(project.context("first", environ, AWS_PROFILE="a-real-one", WRITER="w"), seed, first)
    ssm = boto3_client("ssm", first.process_env, "eu-west-2")
    assert ssm.get_parameter(Name="/team")["Parameter"]["Value"] == "staging"
    assert zones(first) == 1
    first.stop()

    second = start()
    fill(project.context("second"), seed, second)
    assert zones(second) == 1, "it was there, so that nothing ran"
    project.write("seeds/zone.py", f"{COMMAND}\n")
    fill(project.context("changed"), seed, second)
    assert zones(second) == 2
    second.stop()

    third = start()
    with pytest.raises(EmulatorError, match=r"seed\[1\]"):
        fill(project.context("third"), EnvironmentRun("staging", "aws", seed=(*seed.seed[1:], ("false",))), third)
    assert zones(third) == 3
    third.stop()
    assert zones(start()) == 2, "what was cut short is not kept"


def test_a_step_that_fails_is_named_with_what_it_said(project: Project) -> None:
    said = refusal(project, (sys.executable, "-c", "import sys; sys.exit('no such table')"))
    assert said.startswith("environment.staging.seed[0]: `")
    assert "` failed with exit code 1\nno such table\n  -> correct what it does" in said


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (("no-such-program",), "could not be started: no-such-program: No such file"),
        ("seeds.nowhere:fill", "ModuleNotFoundError: No module named 'seeds.nowhere'"),
        ("seeds.cloud:nothing", "AttributeError: module 'seeds.cloud' has no attribute 'nothing'"),
        # Nothing listens behind a stub; the place is that of the repository's own line.
        ("seeds.cloud:fail", "seeds/cloud.py:14: "),
    ],
)
def test_what_cannot_be_run_is_said_without_a_traceback(project: Project, step: Step, words: str) -> None:
    said = refusal(project, step)
    assert words in said
    assert "Traceback" not in said
    assert not (project.path / "made-here").exists(), "the user's tree stays as it is"


def test_the_digest_is_over_what_the_seed_names(project: Project) -> None:
    steps: tuple[Step, ...] = ("seeds.cloud:fill", ("sh", "seeds/zone.py", "../outside"))
    before = seed_digest(steps, project.path)
    project.write("unrelated.txt", "y")
    assert seed_digest(steps, project.path) == before
    assert seed_digest(steps[:1], project.path) != before
    project.write("seeds/cloud.py", "def fill(): pass\n")
    changed = seed_digest(steps, project.path)
    assert changed != before
    project.write("seeds/zone.py", "")
    assert seed_digest(steps, project.path) != changed


def test_a_seed_that_is_done_is_not_run(project: Project) -> None:
    seed = EnvironmentRun("staging", "aws", seed=(("no-such-program",),))
    stub = Stub(seeded=seed_digest(seed.seed, project.path))
    fill(project.context("done"), seed, cast("Any", stub))
    fill(project.context("none"), EnvironmentRun("staging", "aws"), cast("Any", stub))
    assert stub.began == []


def test_a_run_with_a_broken_seed_ends_before_it_plans(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    scratch.root("a")
    scratch.configure('[environment.staging]\nemulator = "aws"\nseed = ["seeds.fill:all"]\n')
    scratch.write("seeds/fill.py", "def all():\n    raise LookupError('no table')\n")
    scratch.commit()
    result = scratch.run("--tf-plan", "staging", "-n0")
    assert result.code == 4, result.text
    assert "environment.staging.seed[0]: `seeds.fill:all` failed with exit code 1" in result.text
    assert "seeds/fill.py:2: LookupError: no table" in result.text
    assert "Traceback" not in result.text
    assert scratch.evidence()["run"]["exit_code"] == 4
    assert scratch.clean()


def test_stores_of_backends_are_there(start: Start) -> None:
    store = StateStore("states", "locks", "eu-west-1", "222222222222")
    env = start(buckets=(), stores=(store,)).process_env
    assumed = assuming(env, "arn:aws:iam::222222222222:role/terraform")
    table = boto3_client("dynamodb", assumed, "eu-west-1").describe_table(TableName="locks")["Table"]
    assert table["KeySchema"] == [{"AttributeName": "LockID", "KeyType": "HASH"}]
    assert boto3_client("s3", assumed).head_bucket(Bucket="states")["BucketRegion"] == "eu-west-1"
    with pytest.raises(ClientError, match="ResourceNotFound"):
        boto3_client("dynamodb", env, "eu-west-1").describe_table(TableName="locks")


def test_the_account_is_the_one_that_is_named_and_roles_keep_theirs(start: Start) -> None:
    env = start(account="111111111111").process_env
    assert boto3_client("sts", env).get_caller_identity()["Account"] == "111111111111"
    assert boto3_client("sns", env).create_topic(Name="here")["TopicArn"].split(":")[4] == "111111111111"
    assumed = assuming(env, "arn:aws:iam::222222222222:role/deploy")
    assert boto3_client("sts", assumed).get_caller_identity()["Account"] == "222222222222"
    assert boto3_client("sns", assumed).create_topic(Name="there")["TopicArn"].split(":")[4] == "222222222222"
    assert len(boto3_client("sns", env).list_topics()["Topics"]) == 1
