"""What goes wrong on the way from staging to production, and what it must not take with it."""

from __future__ import annotations

import signal
from pathlib import Path

from promoted import NONE, PROMOTE, Promotion

from pytest_tfpipeline.proof.complete import shortcomings

POLICY = """
def test_policy(tf_plan):
    assert tf_plan.environment != "{environment}"
"""
OUTPUT_FAILS = """
def test_it(tf_outputs):
    assert tf_outputs.environment != "staging"
"""


def made(path: Path, text: str = NONE) -> Promotion:
    return Promotion(path, text)


def test_a_failure_in_staging_leaves_both_untouched(tmp_path: Path) -> None:
    promotion = made(tmp_path)
    promotion.scratch.write("tests/test_policy.py", POLICY.format(environment="staging"))
    promotion.commit()

    result = promotion.run(1, *PROMOTE)

    assert promotion.states() == {}
    assert promotion.reasons("staging").keys() == {"check-failed"}
    assert promotion.reasons() == {"prior-missing": "staging, which comes before, was not completed"}
    assert "staging: closed, nothing was applied" in result.stdout
    assert "production: closed, nothing was applied" in result.stdout


def test_a_failure_in_production_does_not_hold_staging_back(tmp_path: Path) -> None:
    promotion = made(tmp_path)
    promotion.scratch.write("tests/test_policy.py", POLICY.format(environment="production"))
    promotion.commit()

    result = promotion.run(11, *PROMOTE)

    assert promotion.states().keys() == {"a-staging"}
    assert promotion.reasons().keys() == {"check-failed"}
    assert "staging: applied, 1 root changed" in result.stdout
    assert "production: closed, nothing was applied" in result.stdout


def test_a_failing_test_of_stagings_outputs_stops_before_production(tmp_path: Path) -> None:
    promotion = made(tmp_path)
    promotion.scratch.write(
        "tests/test_it.py", "def test_it(tf_outputs):\n    assert tf_outputs.environment != 'staging'\n"
    )
    promotion.commit()

    result = promotion.run(11, *PROMOTE, workers="2")

    assert promotion.states().keys() == {"a-staging"}
    assert "staging: applied, but its outputs were found wrong" in result.stdout
    assert promotion.reasons() == {"prior-missing": "staging, which comes before, was not completed"}
    assert any("tests after the apply" in cause for cause in shortcomings(promotion.evidence(), "staging"))


def test_a_worker_that_dies_closes_both(tmp_path: Path) -> None:
    promotion = made(tmp_path)
    promotion.scratch.write("tests/test_it.py", "import os\ndef test_it():\n    os._exit(9)\n")
    promotion.commit()

    promotion.run(1, *PROMOTE, workers="2")

    assert promotion.states() == {}
    assert "worker-crashed" in promotion.reasons("staging")


def test_a_worker_that_dies_in_the_tests_of_stagings_outputs_stops_before_production(tmp_path: Path) -> None:
    promotion = made(tmp_path)
    promotion.scratch.write("tests/test_it.py", "import os\ndef test_it(tf_outputs):\n    os._exit(9)\n")
    promotion.commit()

    promotion.run(11, *PROMOTE, workers="2")

    assert promotion.states().keys() == {"a-staging"}
    assert any(shortcomings(promotion.evidence(), "staging"))


def test_a_killed_run_leaves_evidence_of_what_it_had_applied_that_proves_no_complete_apply(tmp_path: Path) -> None:
    promotion = made(tmp_path)
    promotion.scratch.write("tests/test_it.py", KILL.format(mark=str(tmp_path / "mark")))
    promotion.commit()
    process = promotion.scratch.start(*PROMOTE, "-n", "0")

    process.communicate(timeout=100)

    assert process.returncode == -signal.SIGKILL
    assert promotion.states().keys() == {"a-staging"}
    evidence = promotion.evidence()
    staging = evidence.environment("staging")
    assert staging is not None
    assert [(one.root, one.outcome) for one in staging.applied] == [("infra/a", "applied")]
    assert evidence.run.exit_code == 2
    assert any("exit code 2" in cause for cause in shortcomings(evidence, "staging"))


KILL = """
import os, signal

def test_it(tf_outputs):
    os.kill(os.getpid(), signal.SIGKILL)
"""

MOVES = """
import json
from pathlib import Path

def test_moves(tf_outputs):
    path = Path({path!r})
    if tf_outputs.environment == "staging":
        state = json.loads(path.read_text())
        state["serial"] += 1
        state["outputs"] = {{}}
        path.write_text(json.dumps(state))

def test_seen(tf_plan):
    with open({log!r}, "a") as file:
        print(tf_plan.environment, sorted(tf_plan.outputs), file=file)
    assert tf_plan.environment != {refused!r} or not Path({path!r}).exists() or json.loads(
        Path({path!r}).read_text())["outputs"]
"""


def test_production_is_planned_and_policed_again_where_its_state_moved_meanwhile(tmp_path: Path) -> None:
    promotion = made(tmp_path)
    path, log = promotion.scratch.states / "a-production.tfstate", tmp_path / "log"
    promotion.commit()
    promotion.run(0, *PROMOTE)
    promotion.scratch.write("tests/test_moves.py", MOVES.format(path=str(path), log=str(log), refused="nobody"))
    promotion.commit()

    result = promotion.scratch.run(*PROMOTE, "-n", "0")

    assert result.code == 0, result.text
    assert promotion.live("production") == "production one"
    assert [line.split()[0] for line in log.read_text().splitlines()].count("production") == 2
    production = promotion.evidence().environment("production")
    assert production is not None
    assert production.applied[0].outcome == "applied"

    promotion.scratch.write("tests/test_moves.py", MOVES.format(path=str(path), log=str(log), refused="production"))
    promotion.commit()

    refused = promotion.scratch.run(*PROMOTE, "-n", "0")

    assert refused.code in (1, 11), refused.text
    assert "check-failed" in promotion.reasons()
    assert promotion.live("production") is None


IDENTITY = """[environment.production]
after = "staging"
approval = "none"
identity = {{ command = ["sh", "-c", "{command}"], expect = "live" }}
"""


def test_without_productions_credentials_the_next_job_goes_on(tmp_path: Path) -> None:
    promotion = made(tmp_path, IDENTITY.format(command="echo no credentials >&2; exit 1"))
    promotion.commit()

    result = promotion.run(10, *PROMOTE)

    assert promotion.states().keys() == {"a-staging"}
    goes_on = "pytest --apply-env production --tf-prior .tfpipeline/evidence.statement.json -n 0"
    for told in (result.stdout, promotion.summary()):
        assert goes_on in told
        assert "no credentials" in told
        assert "production: left to a job that has its credentials, nothing was applied" in told
    assert "TFPIPELINE_SIGNING_KEY names no key" in result.stdout
    assert promotion.reasons().keys() == {"wrong-identity"}
    assert not any(shortcomings(promotion.evidence(), "staging"))


def test_wrong_credentials_for_production_are_no_reason_to_wait(tmp_path: Path) -> None:
    promotion = made(tmp_path, IDENTITY.format(command="echo somebody"))
    promotion.commit()

    result = promotion.run(11, *PROMOTE)

    assert promotion.states().keys() == {"a-staging"}
    assert promotion.reasons().keys() >= {"wrong-identity"}
    assert "somebody" in result.stdout
