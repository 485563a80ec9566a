"""Production in a run of its own: what staging proved, handed on in a file; and which commit may follow which."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from promoted import NONE, PROMOTE, Promotion, allowed, make_keys

PRODUCTION = ("--apply-env", "production")


@dataclass(frozen=True)
class Handed:
    """A repository whose staging was applied, and the files that a job would hand on."""

    promotion: Promotion
    folder: Path

    def prior(self, name: str) -> str:
        return f"--tf-prior={self.folder / name}"

    def keep(self, name: str) -> None:
        """The last run's evidence, under a name of its own."""
        for suffix in ("", ".sig"):
            shutil.copy(
                self.promotion.scratch.output / f"evidence.statement.json{suffix}", self.folder / (name + suffix)
            )

    def refused(self, *args: str) -> dict[str, str]:
        """Run production, which must be closed and stay as it is."""
        result = self.promotion.run(1, *PRODUCTION, *args)
        assert "production: closed, nothing was applied" in result.stdout
        return self.promotion.reasons()


@pytest.fixture(scope="module")
def handed(tmp_path_factory: pytest.TempPathFactory) -> Handed:
    """The files `old` (of an earlier commit), `part` (a test of the outputs failed), `good`; `plain` without signature,
    `stranger` signed by nobody known, `edited` after it was signed. No test here may apply anything."""
    path = tmp_path_factory.mktemp("prior")
    keys = make_keys(path / "keys", "ci", "eve")
    promotion = Promotion(path, 'signers = "allowed_signers"\n' + NONE)
    promotion.scratch.write("allowed_signers", allowed(keys, "ci"))
    handed, signing = Handed(promotion, path), {"TFPIPELINE_SIGNING_KEY": str(keys["ci"])}
    promotion.commit()
    promotion.run(0, "--apply-env", "staging", env=signing)
    handed.keep("old")
    test = promotion.scratch.write("tests/test_fails.py", "def test_it(tf_outputs):\n    assert False\n")
    promotion.commit()
    promotion.run(11, "--apply-env", "staging", env=signing)
    handed.keep("part")
    test.unlink()
    promotion.root("a", value="two")
    promotion.commit()
    promotion.run(0, "--apply-env", "staging", env={"TFPIPELINE_SIGNING_KEY": str(keys["eve"])})
    handed.keep("stranger")
    promotion.run(0, "--apply-env", "staging", env=signing)
    handed.keep("good")
    shutil.copy(promotion.scratch.output / "evidence.json", path / "plain")
    for name in ("bare", "edited"):
        shutil.copy(path / "good", path / name)
    shutil.copy(path / "good.sig", path / "edited.sig")
    (path / "edited").write_bytes((path / "edited").read_bytes().replace(b'"passed"', b'"Passed"', 1) + b" ")
    return handed


def test_without_evidence_of_staging_it_is_closed_and_says_what_to_give(handed: Handed) -> None:
    reasons = handed.refused()

    assert reasons.keys() == {"prior-missing"}
    assert "give it with --tf-prior=FILE" in reasons["prior-missing"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("plain", "it is not signed: its checksum finds damage"),
        ("bare", "it is not signed: there is no bare.sig beside it"),
        ("stranger", "is by a key that is not in"),
        ("old", "it is of another commit"),
    ],
)
def test_evidence_that_proves_nothing_of_this_commit(handed: Handed, name: str, said: str) -> None:
    reasons = handed.refused(handed.prior(name))

    assert reasons.keys() == {"prior-invalid"}
    texts = [one["text"] for one in handed.promotion.scratch.environment()["verdict"]["reasons"]]
    assert any(said in text and f"/{name} does not count as evidence of staging" in text for text in texts), texts


def test_evidence_of_a_staging_whose_outputs_failed(handed: Handed) -> None:
    handed.refused(handed.prior("part"))

    texts = [one["text"] for one in handed.promotion.scratch.environment()["verdict"]["reasons"]]
    assert any("tests after the apply did not pass" in text for text in texts), texts


def test_signed_evidence_of_a_complete_staging_opens_and_superseded_evidence_does_not(handed: Handed) -> None:
    """Applies, so that it has a copy of everything but the states."""
    promotion = handed.promotion
    states = {path: path.read_bytes() for path in promotion.scratch.states.glob("*.tfstate")}

    promotion.run(0, *PRODUCTION, handed.prior("good"))

    assert promotion.live("production") == "production two"
    for path in promotion.scratch.states.glob("*.tfstate"):
        if path in states:
            path.write_bytes(states[path])
        else:
            path.unlink()


def test_a_commit_that_does_not_contain_the_one_applied_last_is_a_rollback(tmp_path: Path) -> None:
    promotion = Promotion(tmp_path, NONE)
    promotion.commit()
    promotion.root("a", value="two")
    promotion.commit()
    promotion.run(0, *PROMOTE)
    promotion.scratch.git("checkout", "--quiet", "HEAD~1")

    result = promotion.run(1, *PROMOTE)

    assert promotion.reasons("staging").keys() == {"rollback"}
    assert "to go back on purpose: --tf-rollback" in result.stdout
    assert promotion.live("staging") == "staging two"

    promotion.run(0, *PROMOTE, "--tf-rollback")

    assert promotion.live("production") == "production one"


def test_unreadable_evidence_of_an_earlier_run_closes_until_it_is_moved_away_or_a_rollback_is_meant(
    tmp_path: Path,
) -> None:
    promotion = Promotion(tmp_path, NONE)
    promotion.commit()
    promotion.run(0, *PROMOTE)
    (kept,) = (promotion.scratch.output / "evidence").glob("*.json")
    kept.write_text(json.dumps({"schema_version": 99}))

    result = promotion.run(1, *PROMOTE)

    assert promotion.reasons("staging").keys() == {"rollback"}
    assert f"kept evidence cannot be read: {kept}: was made by a newer" in promotion.reasons("staging")["rollback"]
    assert "if that run applied nothing newer, move it away, else give --tf-rollback" in result.stdout

    result = promotion.run(0, *PROMOTE, "--tf-rollback")

    assert f"kept evidence was not counted: {kept}" in result.stdout
