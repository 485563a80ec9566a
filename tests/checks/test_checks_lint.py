"""The `lint` check, with the real tflint and ruff."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.checks import perform, ruff, tflint
from pytest_tfpipeline.model import Check, CheckKind, Outcome, Record, Severity
from pytest_tfpipeline.process import Outcome as Ended

CLEAN = 'terraform {\n  required_version = ">= 1.2"\n}\n\nresource "terraform_data" "a" {}\n'
UNUSED = CLEAN + '\nvariable "unused" {\n  type = string\n}\n'


def lint(bench: Any, directory: str) -> Record:
    record: Record = bench.perform(CheckKind.LINT, directory)
    return record


def test_a_clean_root_passes(bench: Any) -> None:
    bench.roots = ["terraform/core"]
    bench.write("terraform/core/main.tf", CLEAN)
    record = lint(bench, "terraform/core")
    assert (record.outcome, record.findings) == (Outcome.PASSED, ())


def test_an_issue_says_where_and_what_to_do(bench: Any) -> None:
    bench.roots = ["terraform/core"]
    bench.write("terraform/core/main.tf", CLEAN)
    bench.write("terraform/core/sub file.tf", 'variable "unused" {\n  type = string\n}\n')
    record = lint(bench, "terraform/core")
    (finding,) = record.findings
    assert record.outcome is Outcome.FAILED
    assert (finding.rule, finding.severity) == ("terraform_unused_declarations", Severity.WARNING)
    assert (finding.file, finding.line) == ("terraform/core/sub file.tf", 1)
    assert "\n-> https://github.com/terraform-linters/" in finding.text
    assert finding.excerpt == '  1 | variable "unused" {'
    assert "terraform/core/sub file.tf:1" in record.text


def test_issues_below_the_severity_pass_and_stay_in_the_record(bench: Any) -> None:
    bench.roots, bench.run = ["core"], {"settings": {"lint_severity": "error"}}
    bench.write("core/main.tf", UNUSED)
    record = lint(bench, "core")
    assert record.outcome is Outcome.PASSED
    assert [finding.rule for finding in record.findings] == ["terraform_unused_declarations"]


def test_a_syntax_error_is_a_finding_with_its_place(bench: Any) -> None:
    bench.roots = ["core"]
    bench.write("core/main.tf", CLEAN + 'resource "x" {\n')
    record = lint(bench, "core")
    assert record.outcome is Outcome.FAILED
    assert (record.findings[0].file, record.findings[0].line) == ("core/main.tf", 6)


def test_the_nearest_configuration_counts_and_the_users_own_does_not(
    bench: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = 'rule "terraform_unused_declarations" {\n  enabled = false\n}\n'
    home = tmp_path / "home"
    home.mkdir()
    (home / ".tflint.hcl").write_text(off)
    monkeypatch.setenv("HOME", str(home))
    bench.roots = ["a/core", "b/core"]
    for name in bench.roots:
        bench.write(f"{name}/main.tf", UNUSED)
    bench.write("a/.tflint.hcl", off)
    assert lint(bench, "a/core").outcome is Outcome.PASSED
    assert lint(bench, "b/core").outcome is Outcome.FAILED


def test_a_wrong_configuration_is_reported_at_its_place(bench: Any) -> None:
    bench.roots = ["core"]
    bench.write("core/main.tf", CLEAN)
    bench.write(".tflint.hcl", "config {\n  nonsense = true\n}\n")
    record = lint(bench, "core")
    assert record.outcome is Outcome.FAILED
    assert (record.findings[0].file, record.findings[0].line) == (".tflint.hcl", 2)


def test_plugins_that_cannot_be_had_are_an_error_and_asked_for_once(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    source = 'plugin "nope" {\n  enabled = true\n  version = "0.1.0"\n  source  = "github.com/example/nope"\n}\n'
    bench.roots = ["a", "b"]
    bench.write(".tflint.hcl", source)
    for name in bench.roots:
        bench.write(f"{name}/main.tf", CLEAN)
    first = lint(bench, "a")
    assert first.outcome is Outcome.ERROR
    assert "could not install the plugins of .tflint.hcl" in first.text
    assert "tflint --init --config .tflint.hcl" in first.text
    kept = list(Path(bench.context.run.work_path, "store").glob("tflint-init-*.json"))
    assert len(kept) == 1
    lint(bench, "b")
    assert list(Path(bench.context.run.work_path, "store").glob("tflint-init-*.json")) == kept


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ('plugin "terraform" {\n  enabled = true\n}\n', False),
        ('plugin "aws" {\n  version = "1"\n  source = "github.com/x/y"\n}\n', True),
        ('# plugin "aws" {\n#  source = "github.com/x/y"\n# }\n', False),
        ('plugin "terraform" {\n}\nrule "x" {\n  source = "y"\n}\n', False),
    ],
)
def test_init_is_only_run_for_plugins_with_a_source(text: str, needed: bool) -> None:
    assert tflint.needs_init(text) is needed


@pytest.mark.parametrize("code", [None, -9, 3, 127])
def test_an_unknown_end_of_tflint_is_never_a_pass(code: int | None, tmp_path: Path) -> None:
    assert tflint.read(Ended(code, '{"issues":[],"errors":[]}', "", 0.1), tmp_path, ".").problem


@pytest.mark.parametrize(("code", "out"), [(0, ""), (0, "[]"), (2, "no json"), (1, '{"issues":[],"errors":[]}')])
def test_an_answer_of_tflint_that_says_nothing_is_never_a_pass(code: int | None, out: str, tmp_path: Path) -> None:
    assert tflint.read(Ended(code, out, "", 0.1), tmp_path, ".").problem


def test_ruff_over_a_suite_with_its_own_configuration(bench: Any) -> None:
    bench.suites = ["app", "app/inner"]
    bench.write("pyproject.toml", '[tool.ruff.lint]\nselect = ["E711"]\n')
    bench.write("app/test_it.py", "import os\n\n\ndef test_it():\n    assert None == None\n")
    bench.write("app/inner/test_it.py", "import os\n\nx = None == 1\n")
    record = lint(bench, "app")
    assert record.outcome is Outcome.FAILED
    assert {(each.rule, each.file, each.line) for each in record.findings} == {("E711", "app/test_it.py", 5)}
    assert "-> https://docs.astral.sh/ruff" in record.findings[0].text


def test_ruff_without_a_configuration_and_a_syntax_error(bench: Any) -> None:
    bench.suites = ["app"]
    bench.write("app/test_it.py", "def broken(:\n    pass\n")
    bench.write("app/unused.py", "import os\n")
    record = lint(bench, "app")
    assert {each.rule for each in record.findings} == {"invalid-syntax", "F401"}


def test_a_directory_that_is_a_root_and_a_suite_has_both(bench: Any) -> None:
    bench.roots, bench.suites = ["app"], ["app"]
    bench.write("app/main.tf", UNUSED)
    bench.write("app/test_it.py", "import os\n")
    by_ruff = lint(bench, "app")
    by_tflint = perform(bench.context, Check("app/main.tf::lint", CheckKind.LINT, "app"))
    assert [each.rule for each in by_ruff.findings] == ["F401"]
    assert [each.rule for each in by_tflint.findings] == ["terraform_unused_declarations"]


def test_a_wrong_configuration_of_ruff_is_an_error(bench: Any) -> None:
    bench.suites = ["app"]
    bench.write("app/ruff.toml", "no-such-key = 1\n")
    bench.write("app/test_it.py", "")
    record = lint(bench, "app")
    assert record.outcome is Outcome.ERROR
    assert "no-such-key" in record.text


@pytest.mark.parametrize(("code", "out"), [(0, ""), (1, "[]"), (2, "[]"), (None, "[]"), (-9, "[]")])
def test_an_answer_of_ruff_that_says_nothing_is_never_a_pass(code: int | None, out: str, tmp_path: Path) -> None:
    assert ruff.read(Ended(code, out, "", 0.1), tmp_path).problem
