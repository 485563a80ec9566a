"""What a terraform without JSON says, read as what it would have said with it."""

from __future__ import annotations

from pytest_tfpipeline.terraform.diagnostics import findings_from_diagnostics, render_findings
from pytest_tfpipeline.terraform.mends import MENDS
from pytest_tfpipeline.terraform.plaintext import diagnostics_of_text

INIT_1_5 = """There are some problems with the configuration, described below.

The Terraform configuration must be valid before initialization so that
Terraform can determine which modules and providers need to be installed.

Error: Unsupported block type

  on main.tf line 22:
  22: removed {

Blocks of type "removed" are not expected here. Did you mean "moved"?


Warning: Deprecated

  on main.tf line 3, in terraform:
   3:   old = 1

Do not.


Error: Failed to query available provider packages

Could not retrieve the list of available versions for provider
hashicorp/none: no such host
"""


def test_each_error_is_a_finding_with_its_place(tmp_path: object) -> None:
    found = findings_from_diagnostics(diagnostics_of_text(INIT_1_5), "infra/a", str(tmp_path), rule="terraform-init")
    assert [(one.rule, one.severity.value, one.file, one.line) for one in found] == [
        ("terraform-init", "error", "infra/a/main.tf", 22),
        ("no-provider", "error", None, None),
        ("terraform-init", "warning", "infra/a/main.tf", 3),
    ]
    assert render_findings(found[:2]).splitlines() == [
        "infra/a/main.tf:22: error [terraform-init] Unsupported block type",
        "  22 | removed {",
        "     | ^^^^^^^^^",
        '  Blocks of type "removed" are not expected here. Did you mean "moved"?',
        "",
        "error [no-provider] Failed to query available provider packages",
        "  Could not retrieve the list of available versions for provider hashicorp/none: no such host",
        "  -> " + next(mend.advice for mend in MENDS if mend.rule == "no-provider"),
    ]


def test_anything_else_is_none() -> None:
    assert diagnostics_of_text("panic: runtime error\n\ngoroutine 1\n") == ()
