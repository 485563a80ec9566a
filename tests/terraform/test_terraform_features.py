"""What an older terraform lacks is said by its name."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tfpipeline.checks.validate import check
from pytest_tfpipeline.model import Check, CheckKind, PlanStatus, Target, Tool
from pytest_tfpipeline.terraform.features import lacking
from pytest_tfpipeline.terraform.planning import ensure_plan

REMOVED = 'Unsupported block type\nBlocks of type "removed" are not\nexpected here. Did you mean "moved"?'


@pytest.mark.parametrize(
    ("program", "version", "text", "said"),
    [
        ("terraform", "1.5.7", REMOVED, "terraform 1.5.7 does not know `removed` blocks, which are there since 1.7"),
        ("terraform", "1.7.0", REMOVED, ""),
        ("tofu", "1.6.2", REMOVED, "tofu 1.6.2 does not know `removed` blocks"),
        ("tofu", "1.10.6", 'Blocks of type "ephemeral" are not expected here.', "since 1.11"),
        ("terraform", "1.3.9", 'The provider does not support resource type "terraform_data".', "since 1.4"),
        ("terraform", "1.7.5", "Missing newline\n  3 | x = provider::time::rfc3339_parse(1)", "functions of providers"),
        ("terraform", "1.8.0", "Invalid\n  3 | x = provider::time::rfc3339_parse(1)", ""),
        ("terraform", "1.2.9", 'There is no function named "startswith".', "since 1.3"),
        ("terraform", "1.9.8", 'An argument named "use_lockfile" is not expected here.', "`use_lockfile`"),
        ("terraform", "1.3.9", 'Blocks of type "nonsense" are not expected here.', ""),
    ],
)
def test_what_is_lacking_is_named(program: str, version: str, text: str, said: str) -> None:
    found = lacking(Tool(program, version, f"/bin/{program}", ""), text)
    assert said in found
    assert bool(said) == bool(found)


def test_what_only_opentofu_has_is_said_where_terraform_refuses_it(playground: Any) -> None:
    playground.write("app/main.tf", "terraform {\n  encryption {\n  }\n}\n")
    app = Target("app", "staging")
    result = ensure_plan(playground.open(app), app)
    assert result.status is PlanStatus.FAILED
    assert any("terraform has no `encryption` blocks: OpenTofu has" in one.text for one in result.findings)


def test_what_is_lacking_is_said_by_validate(playground: Any) -> None:
    """The function is not read before `terraform validate` reads it."""
    playground.write("app/main.tf", 'output "o" {\n  value = urldecode("a")\n}\n')
    found = check(playground.open(Target("app", "staging")), Check("app/main.tf::validate", CheckKind.VALIDATE, "app"))
    assert any("`urldecode`: OpenTofu has" in one.text for one in found.findings)
