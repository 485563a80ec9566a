"""A repository that is not clean adopts the plugin: real runs, with the real terraform and tflint."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from scratch import Scratch

FILE = ".tfpipeline-baseline.json"
#: Fails a shipped rule on its plan, is not formatted, and has an interpolation that tflint does not like.
UNCLEAN = """
check "size" {
  assert {
    condition     = terraform_data.it.input == "large"
    error_message = "too small"
  }
}

output "again" {
  value = "${terraform_data.it.output}"
}

locals {
  odd   = 1
}
"""


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    made = Scratch(tmp_path)
    made.without_checkov()
    made.root("a", UNCLEAN)
    return made


def findings(scratch: Scratch) -> list[tuple[str, str | None, str]]:
    found: list[dict[str, Any]] = json.loads((scratch.path / FILE).read_bytes())["findings"]
    return [(one["check"], one.get("environment"), one["rule"]) for one in found]


def operator(path: Path, text: str) -> str:
    file = path / "operator.toml"
    file.write_text(text)
    file.chmod(0o600)
    return f"--tf-operator={file}"


def test_from_the_first_baseline_to_a_smaller_one(scratch: Scratch) -> None:
    scratch.write("tests/test_broken.py", "import nothing_of_that_name\n")
    scratch.commit()
    first = scratch.run("--tf-baseline", "--tf-plan", "staging", "-n0")
    assert first.code == 0, first.text
    assert f"{FILE}: 3 known findings; 3 added, 0 kept, 0 removed" in first.text
    assert "added: infra/a policy[staging]: 1 (TFP003 1)" in first.text
    assert findings(scratch) == [
        ("fmt", None, "terraform-fmt"),
        ("lint", None, "terraform_deprecated_interpolation"),
        ("policy", "staging", "TFP003"),
    ]
    assert scratch.git("status", "--porcelain") == f"?? {FILE}\n"
    (narrowed,) = [one for one in scratch.environment()["verdict"]["reasons"] if one["code"] == "narrowed"]
    assert "--tf-baseline" in narrowed["text"]

    (scratch.path / "tests/test_broken.py").unlink()
    scratch.root("a", f"# What was there is further down now.\n\n{UNCLEAN}")
    scratch.commit()
    applied = scratch.run("--apply-env", "staging", "-n0")
    assert applied.code == 0, applied.text
    assert scratch.applied("a")
    assert "note: 3 known findings were let through: the baseline has them" in applied.text
    assert "not formatted" not in applied.text.lower()
    assert scratch.environment()["verdict"] == {"open": True, "reasons": [], "known": 3}
    told = scratch.evidence()["baseline"]
    assert (told["file"], told["known"], told["gone"]) == (FILE, 3, 0)
    assert "3 known findings were let through" in (scratch.output / "summary.md").read_text()

    less = UNCLEAN.replace('"${terraform_data.it.output}"', "terraform_data.it.output")
    scratch.root("a", f'{less}\noutput   "new" {{\n  value = 1\n}}\n')
    scratch.commit()
    worse = scratch.run("--apply-env", "staging", "-n0")
    assert worse.code == 1, worse.text
    assert scratch.reasons() == {"check-failed"}
    assert scratch.outcomes()["infra/a/main.tf::fmt"] == "failed"
    assert scratch.outcomes()["infra/a/main.tf::lint"] == "passed"
    assert f"1 known finding of {FILE} is found no more" in worse.text
    assert scratch.environment()["verdict"]["known"] == 1

    scratch.root("a", less)
    fewer = scratch.run("--tf-baseline", "-m", "tf_lint or tf_fmt", "-n0")
    assert fewer.code == 0, fewer.text
    assert f"{FILE}: 2 known findings; 0 added, 2 kept, 1 removed" in fewer.text
    assert "1 known finding of checks that were not run, or could not judge, stay as they are" in fewer.text
    assert findings(scratch) == [("fmt", None, "terraform-fmt"), ("policy", "staging", "TFP003")]


def test_what_cannot_be_judged_fails_and_the_rest_is_recorded(scratch: Scratch) -> None:
    scratch.write("infra/b/main.tf", 'terraform {\n  backend "local" {}\n}\n\nresource "terraform_data" {\n')
    scratch.commit()
    result = scratch.run("--tf-baseline", "-n0")
    assert result.code == 1, result.text
    assert f"{FILE}: 2 known findings; 2 added" in result.text
    assert "these could not judge everything" in result.text
    assert re.search(r"^note:   infra/b/main\.tf::\w+ and 1 more: infra/b/main\.tf:5: ", result.text, re.MULTILINE)
    assert [check for check, _, _ in findings(scratch)] == ["fmt", "lint"]
    again = scratch.run("-m", "tf_fmt or tf_lint", "-n0")
    assert again.code == 1, again.text
    assert {name for name, outcome in scratch.outcomes().items() if outcome == "failed"} == {
        "infra/b/main.tf::fmt",
        "infra/b/main.tf::lint",
    }


def test_a_baseline_that_git_ignores_closes_the_gate(scratch: Scratch) -> None:
    scratch.root("a")
    scratch.write(".gitignore", f".pytest_cache/\n__pycache__/\n{FILE}\n")
    scratch.write(FILE, '{"version": 1, "findings": []}')
    scratch.commit()
    result = scratch.run("--apply-env", "staging", "-n0")
    assert result.code == 1, result.text
    assert scratch.reasons() == {"ignored-input"}
    assert f"not in the commit: {FILE}, which lets findings through" in result.text
    assert not scratch.applied("a")


def test_what_is_refused_before_anything_runs(scratch: Scratch) -> None:
    scratch.commit()

    def refused(*words: str) -> str:
        result = scratch.run(*words)
        assert result.code == 4, result.text
        assert "Traceback" not in result.text
        return result.text

    assert "cannot be given with --apply-env" in refused("--tf-baseline", "--apply-env", "staging")
    assert "lets no baseline count" in refused("--tf-baseline", operator(scratch.path.parent, "baseline = false\n"))
    scratch.write(FILE, '{\n"version": 1,\n<<<<<<< HEAD\n')
    assert f"{FILE}:3: is not valid JSON" in refused()
    (scratch.path / FILE).unlink()
    ini = (scratch.path / "pytest.ini").read_text()
    scratch.write("pytest.ini", ini.replace("addopts = ", "addopts = --tf-baseline "))
    assert "counts only when it is typed" in refused()
    assert not (scratch.path / FILE).exists()
