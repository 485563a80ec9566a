"""`test[FILE]` with the real terraform: what each run block came to, what is refused, and what is not handed on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.checks import perform
from pytest_tfpipeline.checks.testresults import judge
from pytest_tfpipeline.discover.nativetests import RunBlock, TestFile, item_name, read_test_file
from pytest_tfpipeline.model import Check, CheckKind, Module, Outcome, Record, Severity, Tool
from pytest_tfpipeline.process import Outcome as ProcessOutcome
from pytest_tfpipeline.terraform.init import directory_of
from pytest_tfpipeline.terraform.testfeatures import lacking
from pytest_tfpipeline.terraform.testing import Ended
from pytest_tfpipeline.tools.providers import cli_config

MAIN = """variable "name" {
  type = string

  validation {
    condition     = length(var.name) > 2
    error_message = "too short"
  }
}

resource "terraform_data" "it" {
  input = var.name
}

output "name" {
  value = terraform_data.it.output
}
"""


def records(bench: Any, *files: str, directory: str = "mod", **settings: dict[str, object]) -> list[Record]:
    """The records of these files, which test the module in `directory`."""
    names = tuple(f"{directory}/{file}" for file in files)
    bench.described["modules"] = (Module(directory, directory, f"{directory}/main.tf", tests=names),)
    bench.run["settings"] = {"tests": {f"{directory}/{file}": given for file, given in settings.items()}}
    bench.context = bench.context or bench.open()
    checks = [
        Check(f"{directory}/main.tf::{item_name(name, directory)}", CheckKind.TFTEST, directory) for name in names
    ]
    return [perform(bench.context, check) for check in checks]


def cases(record: Record) -> dict[str, str]:
    return {case.id: case.outcome.value for case in record.cases}


def test_every_run_block_is_reported_with_its_diagnostics_at_file_and_line(bench: Any) -> None:
    bench.write("mod/main.tf", MAIN)
    bench.write("mod/tests/setup/main.tf", 'output "name" {\n  value = "from a helper"\n}\n')
    bench.write(
        "mod/tests/it.tftest.hcl",
        """variables {
  name = "hello"
}

run "setup" {
  module {
    source = "./tests/setup"
  }
}

run "wrong" {
  command = plan
  variables {
    name = run.setup.name
  }
  assert {
    condition     = terraform_data.it.input == "hello"
    error_message = "it is ${terraform_data.it.input}"
  }
}

run "refused" {
  command = plan
  variables {
    name = "a"
  }
  expect_failures = [var.name]
}

run "applied" {
  assert {
    condition     = output.name == "hello"
    error_message = "no output"
  }
}

run "broken" {
  command = plan
  variables {
    name = "a"
  }
}

run "after" {
  command = plan
}
""",
    )
    (record,) = records(bench, "tests/it.tftest.hcl")
    assert record.outcome is Outcome.FAILED
    assert cases(record) == {
        "tests/it.tftest.hcl::setup": "passed",
        "tests/it.tftest.hcl::wrong": "failed",
        "tests/it.tftest.hcl::refused": "passed",
        "tests/it.tftest.hcl::applied": "passed",
        "tests/it.tftest.hcl::broken": "error",
        "tests/it.tftest.hcl::after": "skipped",
    }
    places = [(finding.file, finding.line, finding.address) for finding in record.findings]
    assert places == [("mod/tests/it.tftest.hcl", 17, 'run "wrong"'), ("mod/tests/it.tftest.hcl", 40, 'run "broken"')]
    wrong = next(case for case in record.cases if case.id.endswith("wrong"))
    assert "mod/tests/it.tftest.hcl:17" in wrong.text
    assert "it is from a helper" in wrong.text
    assert record.text == "2 of 6 run blocks did not pass: wrong, broken"


def test_files_anywhere_below_and_in_json_are_run_and_stay_apart(bench: Any) -> None:
    bench.write("mod/main.tf", MAIN)
    bench.write("mod/beside.tftest.json", json.dumps({"variables": {"name": "json"}, "run": {"one": {}}}))
    helper = 'run "two" {\n  module {\n    source = "./tests/unit/helper"\n  }\n}\n'
    bench.write("mod/tests/unit/deep.tftest.hcl", helper)
    bench.write("mod/tests/unit/helper/main.tf", 'output "x" {\n  value = 1\n}\n')
    bench.write("mod/tests/auto.tfvars", 'name = "nobody"\n')
    bench.write("mod/tests/bad.tftest.hcl", 'variables {\n  name = "x"\n}\nrun "three" {\n  command = plan\n}\n')
    deep, bad, beside = records(bench, "tests/unit/deep.tftest.hcl", "tests/bad.tftest.hcl", "beside.tftest.json")
    assert (deep.outcome, cases(deep)) == (Outcome.PASSED, {"tests/unit/deep.tftest.hcl::two": "passed"})
    assert (bad.outcome, list(cases(bad))) == (Outcome.FAILED, ["tests/bad.tftest.hcl::three"])
    assert (beside.outcome, cases(beside)) == (Outcome.PASSED, {"beside.tftest.json::one": "passed"})
    assert beside.summary == "1 run block passed"


def test_a_file_that_tests_nothing_or_cannot_be_read_is_no_success(bench: Any) -> None:
    bench.write("mod/main.tf", MAIN)
    bench.write("mod/empty.tftest.hcl", 'variables {\n  name = "x"\n}\n')
    (record,) = records(bench, "empty.tftest.hcl")
    assert record.outcome is Outcome.ERROR
    assert [finding.rule for finding in record.findings] == ["no-run-block"]
    bench.context = None
    bench.path = bench.path / "again"
    bench.write("other/main.tf", MAIN)
    bench.write("other/broken.tftest.hcl", 'run "x" {\n  command = \n}\n')
    (record,) = records(bench, "broken.tftest.hcl", directory="other")
    assert record.outcome is Outcome.FAILED
    assert record.findings[0].file == "other/broken.tftest.hcl"
    assert record.findings[0].line == 2


def test_what_could_not_be_destroyed_is_named_and_fails(bench: Any) -> None:
    bench.write(
        "mod/main.tf",
        """resource "terraform_data" "stays" {
  provisioner "local-exec" {
    when    = destroy
    command = "exit 3"
  }
}
""",
    )
    bench.write("mod/it.tftest.hcl", 'run "makes" {}\n')
    (record,) = records(bench, "it.tftest.hcl")
    assert record.outcome is Outcome.FAILED
    assert cases(record) == {"it.tftest.hcl::makes": "passed"}
    left = next(finding for finding in record.findings if finding.rule == "test-left-behind")
    assert "terraform_data.stays" in left.text
    assert "terraform_data.stays" in record.text


def test_tests_get_no_credentials(bench: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_PROFILE", "ARM_CLIENT_SECRET", "VAULT_TOKEN", "TF_VAR_name", "MY_PIN"):
        monkeypatch.setenv(name, "geheim")
    seen = tmp_path / "seen"
    bench.write(
        "mod/main.tf",
        f"""resource "terraform_data" "it" {{
  provisioner "local-exec" {{
    command = "env > '{seen}'; ls -A \\"$HOME\\" >> '{seen}'; cat \\"$TF_CLI_CONFIG_FILE\\" >> '{seen}'"
  }}
}}
""",
    )
    bench.write("mod/it.tftest.hcl", 'run "it" {}\n')
    own = tmp_path / "own.tfrc"
    own.write_text('credentials "app.example.org" {\n  token = "geheim"\n}\n')
    bench.run["cli_config_path"] = str(own)
    (record,) = records(bench, "it.tftest.hcl")
    assert record.outcome is Outcome.PASSED, record.text
    text = seen.read_text()
    assert "geheim" not in text
    assert "PATH=" in text
    assert f"HOME={Path.home()}\n" not in text


def test_tests_that_do_not_end_are_stopped_and_clean_up(bench: Any, tmp_path: Path) -> None:
    destroyed = tmp_path / "destroyed"
    bench.write(
        "mod/main.tf",
        f"""resource "terraform_data" "made" {{
  provisioner "local-exec" {{
    when    = destroy
    command = "touch '{destroyed}'"
  }}
}}

resource "terraform_data" "waits" {{
  input = terraform_data.made.id

  provisioner "local-exec" {{
    command = "exec sleep 600"
  }}
}}
""",
    )
    bench.write("mod/it.tftest.hcl", 'run "it" {}\n')
    (record,) = records(bench, "it.tftest.hcl", **{"it.tftest.hcl": {"timeout": 3.0}})
    assert record.outcome is Outcome.FAILED
    timeout = next(finding for finding in record.findings if finding.rule == "timeout")
    assert "3 seconds" in timeout.text
    assert "[[test]]" in timeout.text
    assert destroyed.exists(), record.text


def test_var_files_of_the_configuration_are_weaker_than_the_file_itself(bench: Any) -> None:
    bench.write("mod/main.tf", MAIN)
    bench.write("config/both.tfvars", 'name = "from the var file"\n')
    asked = '  assert {{\n    condition     = output.name == "{}"\n    error_message = output.name\n  }}\n'
    first = f'run "theirs" {{\n{asked.format("from the var file")}}}\n'
    own = f'run "own" {{\n  variables {{\n    name = "own"\n  }}\n{asked.format("own")}}}\n'
    bench.write("mod/it.tftest.hcl", first + own)
    (record,) = records(bench, "it.tftest.hcl", **{"it.tftest.hcl": {"var_files": ["config/both.tfvars"]}})
    assert record.outcome is Outcome.PASSED, record.cases


REAL = """terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

resource "aws_ssm_parameter" "it" {
  name  = "/it"
  type  = "String"
  value = "hello"
}
"""


PROVIDER = 'provider "aws" {\n  region = "eu-west-2"\n}\n'
APPLIES = """run "made" {
  assert {
    condition     = aws_ssm_parameter.it.value == "hello"
    error_message = "no"
  }
}
"""


def test_with_a_cloud_tests_are_refused_emulated_or_mocked(bench: Any, tmp_path: Path) -> None:
    """One bench for all of them: the provider is initialised once."""
    bench.write("mod/main.tf", REAL)
    bench.write("mod/refused.tftest.hcl", PROVIDER + APPLIES + 'run "too" {}\nrun "not" {\n  command = plan\n}\n')
    bench.write("mod/emulated.tftest.hcl", PROVIDER + APPLIES)
    bench.write("mod/mocked.tftest.hcl", f'mock_provider "aws" {{}}\n{APPLIES}')
    bench.write("mod/plan.tftest.hcl", 'run "it" {\n  command = plan\n}\n')
    bench.run["cli_config_path"] = str(cli_config(os.environ, tmp_path, None).path)
    settings = {"emulated.tftest.hcl": {"emulator": "aws"}, "refused.tftest.hcl": {"table": "[[test]]"}}
    names = ("refused.tftest.hcl", "emulated.tftest.hcl", "mocked.tftest.hcl", "plan.tftest.hcl")
    refused, emulated, mocked, planned = records(bench, *names, **settings)

    assert refused.outcome is Outcome.ERROR
    assert refused.cases == ()
    (finding,) = refused.findings
    assert (finding.rule, finding.file, finding.line) == ("test-needs-cloud", "mod/refused.tftest.hcl", 4)
    assert 'run "made" and 1 more would make something with hashicorp/aws' in finding.text
    assert '[[test]]\n     match = "mod/*"\n     emulator = "aws"' in finding.text
    assert emulated.outcome is Outcome.PASSED, emulated.text
    assert cases(emulated) == {"emulated.tftest.hcl::made": "passed"}
    assert mocked.outcome is Outcome.PASSED, mocked.text
    assert planned.outcome is Outcome.FAILED
    finding = planned.findings[0]
    assert (finding.rule, finding.file, finding.line) == ("no-credentials", "mod/plan.tftest.hcl", 1)
    assert "mock the provider" in finding.text
    assert "AWS_PROFILE" not in finding.text


FEATURES = """mock_provider "aws" {}
run "it" {
  parallel  = true
  state_key = "one"
}
"""


@pytest.mark.parametrize(
    ("name", "version", "expected"),
    [
        ("terraform", "1.5.7", {None: "1.6"}),
        ("terraform", "1.6.0", {1: "1.7", 3: "1.12", 4: "1.11"}),
        ("terraform", "1.11.4", {3: "1.12"}),
        ("terraform", "1.12.0", {}),
        ("tofu", "1.10.0", {3: None, 4: None}),
    ],
)
def test_what_an_older_program_lacks_is_said_by_name(
    name: str, version: str, expected: dict[int | None, str | None], tmp_path: Path
) -> None:
    path = tmp_path / "it.tftest.hcl"
    path.write_text(FEATURES.replace("  state_key", "  state_key"))
    tool = Tool(name, version, f"/bin/{name}", "")
    found = list(lacking(tool, read_test_file(path), "it.tftest.hcl"))
    assert len(found) == len(expected)
    for finding, since in zip(found, expected.values(), strict=True):
        assert finding.severity is Severity.ERROR
        assert (since or "has no such thing") in finding.text
        assert version in finding.text or since is None


def said(*messages: dict[str, object]) -> str:
    return "\n".join(json.dumps({"@timestamp": "2026-01-01T00:00:00Z", **message}) for message in messages)


def ran(name: str, status: str) -> dict[str, object]:
    return {"type": "test_run", "@testrun": name, "test_run": {"progress": "complete", "status": status}}


FOUND: dict[str, object] = {"type": "test_abstract", "test_abstract": {"it.tftest.hcl": ["one", "two"]}}
NOTHING: dict[str, object] = {"type": "test_abstract", "test_abstract": {}}
CUT_SHORT: dict[str, object] = {
    "type": "test_interrupt",
    "test_interrupt": {"states": {"one": [{"instance": "aws_vpc.it"}]}},
}


@pytest.mark.parametrize(
    ("code", "stdout", "rules", "text"),
    [
        (0, said(FOUND, ran("one", "pass"), ran("two", "pass")), [], ""),
        (0, said(NOTHING), ["test-not-run", "test-not-run"], 'run "one" was not run'),
        (0, "", ["test-not-run", "test-not-run"], 'run "two" was not run'),
        (0, said(FOUND, ran("one", "pass"), ran("two", "skip")), ["test-not-run"], 'run "two" was not run'),
        (0, said(FOUND, ran("one", "pass")), ["terraform-test"], "did not come to its end"),
        (0, said(FOUND, ran("one", "pass"), ran("two", "fail")), ["terraform-test"], "ended as `fail`"),
        (0, said(FOUND, ran("one", "pass"), ran("two", "curious")), ["terraform-test"], "ended as `curious`"),
        (1, said(FOUND, ran("one", "pass"), ran("two", "pass")), ["terraform-test"], "exit code 1"),
        (-9, said(FOUND, ran("one", "pass"), ran("two", "pass")), ["terraform-test"], "signal 9"),
        (0, said(FOUND, ran("one", "pass"), ran("two", "pass"), CUT_SHORT), ["test-left-behind"], "aws_vpc.it"),
    ],
)
def test_only_what_is_said_of_every_run_block_is_a_success(
    bench: Any, code: int, stdout: str, rules: list[str], text: str
) -> None:
    bench.write("mod/main.tf", MAIN)
    directory = directory_of(bench.open(), "mod", None)
    tests = TestFile(runs=(RunBlock("one", 1), RunBlock("two", 5)))
    tested = Ended(ProcessOutcome(code, stdout, "", 1.0))
    judged = judge(directory, "mod/it.tftest.hcl", tests, tested, emulated=False)
    assert judged.passed is (not rules)
    assert [finding.rule for finding in judged.findings] == rules
    assert text in "\n".join(finding.text for finding in judged.findings)
    assert all(finding.file == "mod/it.tftest.hcl" for finding in judged.findings)


def test_the_state_that_terraform_leaves_is_kept_and_named(bench: Any) -> None:
    bench.write(
        "mod/main.tf",
        """resource "terraform_data" "it" {
  provisioner "local-exec" {
    command = "echo '{\\"secret\\": 1}' > errored_test.tfstate"
  }
}
""",
    )
    bench.write("mod/it.tftest.hcl", 'run "it" {}\n')
    (record,) = records(bench, "it.tftest.hcl")
    assert record.outcome is Outcome.FAILED
    (kept,) = (bench.path / "output").rglob("errored/**/*.tfstate")
    assert str(kept) in record.text
    assert kept.stat().st_mode & 0o777 == 0o600
    assert not list(bench.context.workspace.tree(None).rglob("errored_test.tfstate"))
