"""Two jobs and a baseline: what the check job let through must be what counts where the apply is."""

from __future__ import annotations

from pathlib import Path

from promoted import Promotion

FILE = ".tfpipeline-baseline.json"
FAILING = """
check "size" {
  assert {
    condition     = terraform_data.it.input == "large"
    error_message = "too small"
  }
}
"""


def operator(path: Path, text: str) -> str:
    file = path / "operator.toml"
    file.write_text(text)
    file.chmod(0o600)
    return f"--tf-operator={file}"


def test_two_jobs_let_through_what_both_allow(tmp_path: Path) -> None:
    promotion = Promotion(tmp_path, 'isolation = "jobs"\n', environments=("staging",))
    promotion.root("a", FAILING)
    promotion.commit()
    scratch = promotion.scratch
    assert scratch.run("--tf-baseline", "--tf-plan", "staging", "-n0").code == 0
    assert '"rule": "TFP003"' in (scratch.path / FILE).read_text()
    promotion.commit()
    checked = scratch.run("--tf-plan", "staging", "-n0")
    assert checked.code == 0, checked.text
    claim = tmp_path / "claim.json"
    claim.write_bytes((scratch.output / "evidence.json").read_bytes())

    none = operator(tmp_path, "baseline = false\n[environment.staging]\n")
    refused = promotion.alone(1, "staging", claim, none)
    assert promotion.reasons("staging").keys() == {"isolation"}
    assert "the check job let 1 known finding through by its baseline, and none counts here" in refused.text
    assert promotion.live("staging") is None

    applied = promotion.alone(0, "staging", claim)
    assert "staging: 1 known finding was let through: the baseline has them" in applied.text
    assert promotion.live("staging") == "staging one"
    assert scratch.environment("staging")["verdict"]["known"] == 1
