"""Ways around the gate that were tried, and what stands in each."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from promoted import NONE, Promotion, Terminal, make_keys

from pytest_tfpipeline.errors import UsageError
from pytest_tfpipeline.gate.reasons import Code, Verdict
from pytest_tfpipeline.gate.result import EnvironmentResult, Proposal, RunResult, Source
from pytest_tfpipeline.gate.waves import Applied, Result
from pytest_tfpipeline.model import Changes, CheckKind, EnvironmentRun, PlanResult, PlanStatus, Target
from pytest_tfpipeline.pipeline import agreement
from pytest_tfpipeline.pipeline.admission import Admission
from pytest_tfpipeline.pipeline.agreement import Agreement
from pytest_tfpipeline.pipeline.build import Wish, describe
from pytest_tfpipeline.pipeline.claims import Claims
from pytest_tfpipeline.process import Runner
from pytest_tfpipeline.proof.approval import SignedApproval, Statement
from pytest_tfpipeline.proof.ssh import Signature
from pytest_tfpipeline.proof.verify import Proof, verify_evidence
from pytest_tfpipeline.reports.write import write_evidence

PRODUCTION = EnvironmentRun("production")
JOBS = 'isolation = "jobs"\n'
COMMITS = """
import subprocess

def test_it(tf_outputs):
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    subprocess.run(["git", *who, "commit", "--quiet", "--allow-empty", "--message", "later"], check=True)
"""
EACH = """
variable "word" {
  type      = string
  sensitive = true
}

resource "terraform_data" "each" {
  for_each = toset([nonsensitive(var.word)])
}
"""
READS = """
data "terraform_remote_state" "a" {
  backend = "local"
  config = {
    path = "STATES/a-${var.environment}.tfstate"
  }
}

resource "terraform_data" "reads" {
  input = data.terraform_remote_state.a.outputs.value
}
"""
QUESTION = "To apply this, type staging"
PROVISIONER = """
resource "terraform_data" "looks" {
  provisioner "local-exec" {
    command = "echo keys: $TFPIPELINE_DIGEST_KEY $TFPIPELINE_SIGNING_KEY > FILE"
  }
}
"""
SIGNED = (Signature("alice", "SHA256:" + "a" * 43),)


@pytest.fixture
def commits(tmp_path: Path) -> tuple[Path, str, str]:
    """A repository, and its two commits, the older one first."""
    top = tmp_path / "repository"

    def git(*words: str) -> str:
        who = ("-c", "user.name=Scratch", "-c", "user.email=scratch@example.org")
        argv = ["git", "-C", str(top), *who, *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    top.mkdir()
    git("init", "--quiet")
    found = []
    for message in ("one", "two"):
        git("commit", "--quiet", "--allow-empty", "--message", message)
        found.append(git("rev-parse", "HEAD"))
    return top, found[0], found[1]


def told(output: Path, commit: str, *, started: str) -> Path:
    """Evidence of an apply of production, as a run writes it."""
    applied = Result((Applied("infra/a", 1, "applied"),))
    result = RunResult(
        id=f"{started[:10].replace('-', '')}T000000-abcdef",
        mode="apply",
        started=started,
        seconds=1.0,
        source=Source("repository", commit, "main", True),
        command=("pytest",),
        workers=0,
        exit_code=0,
        environments=(EnvironmentResult(PRODUCTION, verdict=Verdict("production"), result=applied),),
    )
    write_evidence(result, output, ())
    return output / "evidence.json"


def admission(top: Path, output: Path, commit: str, *proofs: Proof) -> Admission:
    ctx: Any = SimpleNamespace(run=SimpleNamespace(output_path=str(output)), runner=Runner())
    source = Source("repository", commit, "main", True)
    return Admission(ctx, top, source, Claims(), b"", False, proofs)


class TestRollback:
    def test_unsigned_evidence_does_not_hide_what_was_applied_last(
        self, tmp_path: Path, commits: tuple[Path, str, str]
    ) -> None:
        top, older, newer = commits
        told(tmp_path / "kept", newer, started="2026-01-02T00:00:00+00:00")
        made_up = told(tmp_path / "given", older, started="2036-01-01T00:00:00+00:00")
        proof = verify_evidence(Runner(), made_up, None)

        found = [*admission(top, tmp_path / "kept", older, proof).to_order(PRODUCTION, [])]

        assert [one.code for one in found] == [Code.ROLLBACK]
        assert newer[:12] in found[0].text

    def test_unsigned_evidence_of_a_later_apply_still_stands_against_this_one(
        self, tmp_path: Path, commits: tuple[Path, str, str]
    ) -> None:
        top, older, newer = commits
        told(tmp_path / "kept", older, started="2026-01-02T00:00:00+00:00")
        proof = verify_evidence(Runner(), told(tmp_path / "given", newer, started="2026-02-01T00:00:00+00:00"), None)

        found = [*admission(top, tmp_path / "kept", older, proof).to_order(PRODUCTION, [])]

        assert [one.code for one in found] == [Code.ROLLBACK]

    def test_signed_evidence_of_a_later_apply_is_the_last_one(
        self, tmp_path: Path, commits: tuple[Path, str, str]
    ) -> None:
        """After a deliberate rollback in another place, the older commit is what is there."""
        top, older, newer = commits
        told(tmp_path / "kept", newer, started="2026-01-02T00:00:00+00:00")
        proof = verify_evidence(Runner(), told(tmp_path / "given", older, started="2026-02-01T00:00:00+00:00"), None)
        signed = replace(proof, signed_by=SIGNED, problems=())

        assert [*admission(top, tmp_path / "kept", older, signed).to_order(PRODUCTION, [])] == []


class TestExitCodes:
    def test_an_apply_job_says_what_it_has_taken_over(self, tmp_path: Path) -> None:
        promotion, check = in_jobs(tmp_path)

        promotion.alone(0, "production", check)

        assert promotion.live("production") == "production one"
        taken_over = {check.check for check in promotion.evidence().checks if check.reused}
        assert CheckKind.VALIDATE in taken_over
        made_here = {check.check for check in promotion.evidence().checks if not check.reused}
        assert made_here == {CheckKind.PLAN, CheckKind.POLICY}

    def test_what_ends_the_job_before_anything_is_planned_is_what_its_evidence_says(self, tmp_path: Path) -> None:
        promotion, check = in_jobs(tmp_path)
        (tmp_path / "prior.json").write_text("{")

        result = promotion.alone(4, "production", check, "--tf-prior", str(tmp_path / "prior.json"))

        assert promotion.states() == {}
        assert "prior.json: is not JSON" in result.text


class TestWhatEvidenceSays:
    def test_the_commit_is_the_one_that_was_applied_and_not_a_later_one(self, tmp_path: Path) -> None:
        """Long applies are where somebody commits something else meanwhile, in the same checkout."""
        promotion = Promotion(tmp_path, NONE)
        promotion.scratch.write("tests/test_outputs.py", COMMITS)
        promotion.commit()
        began = promotion.scratch.git("rev-parse", "HEAD").strip()

        promotion.run(0, "--apply-env", "staging")

        assert promotion.scratch.git("rev-parse", "HEAD").strip() != began
        assert promotion.evidence().run.commit == began
        assert {path.name.split("-")[1] for path in (promotion.scratch.output / "evidence").iterdir()} == {began[:12]}

    def test_a_plan_is_evidence_of_the_commit_that_it_began_with_and_says_that_another_came(
        self, tmp_path: Path
    ) -> None:
        promotion = Promotion(tmp_path, NONE)
        promotion.scratch.write("tests/test_outputs.py", COMMITS.replace("(tf_outputs)", "()"))
        promotion.commit()
        began = promotion.scratch.git("rev-parse", "HEAD").strip()

        result = promotion.run(0, "--tf-plan", "staging")

        now, run = promotion.scratch.git("rev-parse", "HEAD").strip(), promotion.evidence().run
        assert now != began
        assert (run.commit, run.tree_clean) == (began, False)
        assert f"note: HEAD is {now} and was {began} when the run began" in " ".join(result.stdout.split())


class TestSecrets:
    def test_one_in_an_address_is_masked_while_it_is_applied(self, tmp_path: Path) -> None:
        promotion = Promotion(tmp_path, NONE)
        promotion.root("a", EACH)
        promotion.commit()
        words = ("--apply-env", "staging")

        result = promotion.run(0, *words, env={"TF_VAR_word": "open-sesame-27"})

        assert 'terraform_data.each["***"]: created' in result.stdout
        assert "open-sesame-27" not in result.text

    def test_our_keys_reach_nothing_that_terraform_starts(self, tmp_path: Path) -> None:
        promotion = Promotion(tmp_path, NONE)
        promotion.root("a", PROVISIONER.replace("FILE", str(tmp_path / "seen")))
        promotion.commit()

        (key,) = make_keys(tmp_path / "keys", "ci").values()
        promotion.run(0, "--apply-env", "staging", env={"TFPIPELINE_SIGNING_KEY": str(key)})

        assert (tmp_path / "seen").read_text().strip() == "keys:"


class TestQuestions:
    def test_what_changed_while_somebody_thought_about_a_later_wave_stands_against_it(
        self, tmp_path: Path, terminal: Callable[..., Terminal]
    ) -> None:
        promotion = Promotion(tmp_path, '[environment.staging]\napproval = "manual"\n')
        promotion.root("b", READS.replace("STATES", str(promotion.scratch.states)))
        promotion.commit()
        shown = terminal(promotion, "--apply-env", "staging", "-n", "0")
        shown.until(QUESTION)
        shown.press("staging\n")
        shown.until("terraform_data.reads")
        shown.shown = shown.shown.partition("terraform_data.reads")[2]
        shown.until(QUESTION)
        promotion.scratch.write("infra/c/main.tf", "")
        shown.press("staging\n")

        assert shown.end() == 11

        assert promotion.states().keys() == {"a-staging"}
        assert "not committed: infra/c/main.tf" in shown.shown

    def test_an_approval_of_the_next_environment_is_no_invalid_one_of_this(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        both = [EnvironmentRun(name, approval="signed", signatures=1) for name in ("staging", "production")]
        until = datetime.now(UTC) + timedelta(hours=1)
        statement = Statement("repository", "production", "c" * 40, "sha256:" + "a" * 64, until)
        given = SignedApproval("given.json", statement, SIGNED)
        monkeypatch.setattr(agreement, "verify_approval", lambda *_: given)
        target = Target("infra/a", "staging", apply=True)
        run = SimpleNamespace(environments=both, output_path=str(tmp_path), target=lambda *_: target)
        ctx: Any = SimpleNamespace(run=run, runner=None)
        seeker = Agreement(
            ctx, Source("repository", "c" * 40, "main", True), Claims(approvals=(tmp_path / "given.json",)), None
        )
        plan = PlanResult("infra/a", "staging", PlanStatus.PLANNED, changes=Changes(add=1))

        answer = seeker.seek(
            EnvironmentResult(both[0], (plan,)), Proposal("sha256:" + "b" * 64), 1, lambda request: None
        )

        assert [reason.code for reason in answer.reasons] == [Code.APPROVAL_MISSING]


def test_an_apply_job_that_is_run_again_finds_nothing_to_change(tmp_path: Path) -> None:
    """The same evidence twice, as a CI system retries a job: it saw plans that are carried out."""
    promotion, check = in_jobs(tmp_path)

    promotion.alone(0, "production", check)
    before = promotion.states()
    again = promotion.alone(0, "production", check)

    assert promotion.states() == before
    assert "production: nothing to change" in again.stdout
    assert "the check job saw other plans; nothing is left to change now" in promotion.summary()


def test_an_apply_job_plans_nothing_where_the_check_jobs_word_does_not_count(tmp_path: Path) -> None:
    """A plan runs what the tree says, with the credentials of that job."""
    promotion, check = in_jobs(tmp_path)
    promotion.root("a", value="two")
    promotion.commit()

    promotion.alone(1, "production", check)

    assert promotion.reasons().keys() == {"isolation"}
    assert promotion.scratch.environment("production")["plans"] == []


def test_an_environment_that_the_operator_does_not_know_is_noted(tmp_path: Path) -> None:
    """A branch can call production something else, and then no rule of the operator's is about it."""
    promotion = Promotion(tmp_path, 'env_alias = { "pr-*" = "production" }\n')
    promotion.commit()
    operator = tmp_path / "operator.toml"
    operator.write_text('[environment.production]\napproval = "manual"\n')
    operator.chmod(0o600)
    wish = Wish("plan", ("production", "staging", "pr-7"), operator=operator)

    notes = describe(promotion.scratch.path, wish, Runner()).notes

    assert notes == (
        "the operator file says nothing about staging: what is allowed there is the repository's own word",
    )


def test_an_environment_that_the_operator_does_not_know_is_not_applied(tmp_path: Path) -> None:
    promotion = Promotion(tmp_path)
    promotion.commit()
    operator = tmp_path / "operator.toml"
    operator.write_text('[environment.production]\napproval = "manual"\n')
    operator.chmod(0o600)

    with pytest.raises(UsageError, match="says nothing about staging"):
        describe(promotion.scratch.path, Wish("apply", ("staging",), operator=operator), Runner())


def in_jobs(path: Path) -> tuple[Promotion, Path]:
    """A repository whose check and apply are jobs of their own, and the evidence of the check of production."""
    promotion = Promotion(path, JOBS)
    promotion.commit()
    promotion.run(0, "--tf-plan", "production")
    return promotion, (promotion.scratch.output / "evidence.json").rename(path / "check.json")
