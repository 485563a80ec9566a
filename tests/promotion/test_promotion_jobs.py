"""What an apply job, or the check job before it, says at once instead of after everything was planned."""

from __future__ import annotations

from pathlib import Path

import pytest
from promoted import NONE, OTHER, Promotion


@pytest.fixture
def promotion(tmp_path: Path) -> Promotion:
    made = Promotion(tmp_path, 'isolation = "jobs"\n' + NONE)
    made.commit()
    return made


def test_evidence_of_a_run_that_was_refused_is_no_check(promotion: Promotion, tmp_path: Path) -> None:
    """A typo after a good check must neither be hidden by that one nor be explained by all that is missing."""
    promotion.run(4, "--tf-plan", "prodction")
    evidence = promotion.scratch.output / "evidence.json"
    kept = list((promotion.scratch.output / "evidence").iterdir())
    assert [one.read_bytes() for one in kept] == [evidence.read_bytes()]

    job = promotion.apply_job("production", evidence.rename(tmp_path / "check.json"))

    assert job.code == 4, job.text
    said = "check.json: the run that wrote this ended with exit code 4 before anything was checked"
    assert said in job.stderr.splitlines()[0]
    assert ".tfpipeline/evidence/" in job.stderr
    assert promotion.states() == {}


def test_without_a_key_that_both_know_neither_job_is_silent(promotion: Promotion, tmp_path: Path) -> None:
    without = {"TFPIPELINE_DIGEST_KEY": ""}

    checked = promotion.run(0, "--tf-plan", "production", env=without)
    job = promotion.apply_job("production", promotion.scratch.output / "evidence.json", env=without)

    for told in (checked.stdout, promotion.summary()):
        assert "no apply job can take this run for its check" in " ".join(told.split())
    assert "secrets.token_hex(32)" in checked.stdout
    assert job.code == 4, job.text
    assert "TFPIPELINE_DIGEST_KEY: an apply job compares its plans with those of the check job" in job.stderr
    assert "planning" not in job.text
    assert promotion.states() == {}


def test_with_a_key_nothing_is_said_of_it(promotion: Promotion) -> None:
    assert "no apply job" not in promotion.run(0, "--tf-plan", "production").stdout


def test_a_tool_that_cannot_be_had_ends_the_apply_job_before_it_plans(promotion: Promotion, tmp_path: Path) -> None:
    promotion.run(0, "--tf-plan", "production")
    claim = (promotion.scratch.output / "evidence.json").rename(tmp_path / "check.json")
    operator = tmp_path / "operator.toml"
    operator.write_text('[tools]\nterraform = "1.2.0"\n[environment.production]\n')
    operator.chmod(0o600)
    unreached = {"TFPIPELINE_RELEASES_MIRROR": str(tmp_path), "TFPIPELINE_TOOLS_DIR": str(tmp_path / "tools")}

    job = promotion.alone(4, "production", claim, f"--tf-operator={operator}", env=unreached)

    assert "terraform 1.2.0" in job.stdout
    for told in (job.text, promotion.summary()):
        assert "judged, but not applied" not in told
    assert promotion.evidence().environments == ()
    assert "terraform 1.2.0" in promotion.summary()


MISTYPED = [
    (("--approve", "10cefa3a"), "--approve: 10cefa3a is not a digest"),
    (("--approve", f"sha256:{'0' * 63}"), f"--approve: sha256:{'0' * 63} is not a digest"),
    (("--approve=",), "--approve: is empty: is a variable not set?"),
    (("--approve", OTHER, "--approve", f"{OTHER}\u00e9"), "0\u00e9 is not a digest"),
    (("--approval=nowhere.json",), "repository/nowhere.json is not there, or not a file"),
    (("--approval=tests",), "repository/tests is not there, or not a file"),
    ((f"--approval={'n' * 300}",), "n is not there, or not a file"),
]


@pytest.mark.parametrize(("words", "said"), MISTYPED)
def test_what_can_approve_nothing_is_refused_before_anything_starts(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    promotion = Promotion(tmp_path, NONE)
    promotion.commit()

    result = promotion.run(4, "--apply-env", "staging", *words)
    job = promotion.apply_job("staging", tmp_path / "never read", *words)

    assert job.code == 4, job.text
    for told in (result.text, job.stderr):
        assert said in told
    assert not (promotion.scratch.output / "runs").exists()
