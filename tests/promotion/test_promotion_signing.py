"""The key that evidence is signed with: tried before anything is begun; and what is said where it fails later."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from promoted import NONE, Promotion, make_keys

from pytest_tfpipeline.proof.statement import STATEMENT

APPLY = ("--apply-env", "staging")
BREAKS = """
import os

def test_it(tf_outputs):
    os.unlink(KEY)
"""
BREAKS_IN_TERRAFORM = """
resource "terraform_data" "breaks" {
  provisioner "local-exec" {
    command = "rm KEY"
  }
}
"""


def nowhere(path: Path) -> str:
    return str(path / "none")


def locked(path: Path) -> str:
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "open-sesame", "-f", str(path / "locked")]
    subprocess.run(argv, check=True, timeout=60)
    return str(path / "locked")


def half(path: Path) -> str:
    """The public half of a key that nobody has."""
    (key,) = make_keys(path / "half", "gone").values()
    key.unlink()
    return str(key.with_suffix(".pub"))


def itself(path: Path) -> str:
    """The text of a key, in the place of its path."""
    return make_keys(path / "text", "text")["text"].read_text()


Made = Callable[[Path], str]
BAD = [
    pytest.param(nowhere, "none is not there, or not a file", id="not there"),
    pytest.param(locked, "locked: nothing can be signed with it: it has a passphrase", id="locked"),
    pytest.param(half, "its private key is neither beside it nor in an agent", id="half"),
    pytest.param(itself, "what it holds (a key itself, and no path?) is not there", id="the key itself"),
]


def signing(key: str | Path) -> Mapping[str, str]:
    return {"TFPIPELINE_SIGNING_KEY": str(key)}


@pytest.mark.parametrize(("made", "said"), BAD)
def test_a_key_that_signs_nothing_is_refused_before_anything_is_planned(tmp_path: Path, made: Made, said: str) -> None:
    promotion = Promotion(tmp_path, NONE)
    promotion.commit()

    result = promotion.run(4, *APPLY, env=signing(made(tmp_path)))

    assert "TFPIPELINE_SIGNING_KEY: " in result.text
    assert said in " ".join(result.text.split())
    assert "***" not in result.text
    assert "BEGIN OPENSSH" not in result.text
    assert not (promotion.scratch.output / "runs").exists()


def test_a_plan_is_not_begun_with_such_a_key_either(tmp_path: Path) -> None:
    promotion = Promotion(tmp_path, NONE)
    promotion.commit()
    result = promotion.run(4, "--tf-plan", "staging", env=signing(tmp_path / "none"))
    assert f"TFPIPELINE_SIGNING_KEY: {tmp_path / 'none'} is not there" in result.text


@pytest.mark.parametrize(("made", "said"), BAD)
def test_an_apply_job_is_not_begun_with_it(tmp_path: Path, made: Made, said: str) -> None:
    promotion = Promotion(tmp_path, NONE)
    promotion.commit()

    result = promotion.apply_job("staging", tmp_path / "never read", env=signing(made(tmp_path)))

    assert result.code == 4, result.text
    assert "TFPIPELINE_SIGNING_KEY: " in result.stderr
    assert said in " ".join(result.stderr.split())
    assert "***" not in result.text
    assert "BEGIN OPENSSH" not in result.text
    assert not promotion.scratch.output.exists()


def test_a_key_that_is_gone_after_the_apply_makes_no_success_of_it(tmp_path: Path) -> None:
    promotion = Promotion(tmp_path, NONE)
    (key,) = make_keys(tmp_path / "keys", "ci").values()
    test = promotion.scratch.write("tests/test_breaks.py", BREAKS.replace("KEY", repr(str(key))))
    promotion.commit()

    result = promotion.run(11, *APPLY, env=signing(key))

    assert promotion.live("staging") == "staging one"
    assert f"what the run proved could not be written: {key}: is not there" in " ".join(result.stdout.split())
    assert not (promotion.scratch.output / STATEMENT).exists()

    test.unlink()
    promotion.commit()
    make_keys(tmp_path / "keys", "ci")
    promotion.run(0, *APPLY, env=signing(key))
    assert (promotion.scratch.output / f"{STATEMENT}.sig").exists()


def test_nor_in_an_apply_job(tmp_path: Path) -> None:
    promotion = Promotion(tmp_path, NONE)
    (key,) = make_keys(tmp_path / "keys", "ci").values()
    promotion.root("a", BREAKS_IN_TERRAFORM.replace("KEY", str(key)))
    promotion.commit()
    promotion.run(0, "--tf-plan", "staging")
    claim = (promotion.scratch.output / "evidence.json").rename(tmp_path / "check.json")

    result = promotion.alone(11, "staging", claim, env=signing(key))

    assert promotion.live("staging") == "staging one"
    assert f"what the run proved could not be written: {key}: is not there" in result.stdout


def test_a_run_that_applied_nothing_and_cannot_sign_is_no_success_either(tmp_path: Path) -> None:
    promotion = Promotion(tmp_path, NONE)
    (key,) = make_keys(tmp_path / "keys", "ci").values()
    promotion.scratch.write("tests/test_breaks.py", BREAKS.replace("KEY", repr(str(key))).replace("tf_outputs", ""))
    promotion.commit()
    promotion.run(3, "--tf-plan", "staging", env=signing(key))
