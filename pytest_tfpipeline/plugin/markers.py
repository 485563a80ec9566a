"""The markers, as pytest's registry wants them. The kinds are those of `model.CheckKind` that have items."""

from __future__ import annotations

MARKERS = (
    "tf_fmt: terraform fmt checks",
    "tf_lint: tflint and ruff checks",
    "tf_validate: terraform validate checks",
    "tf_policy(id, severity, roots, environments, unknown): checkov and plan policies; on a test: what it is about",
    "tf_plan: terraform plan checks",
    "tf_unit: the tests of Python suites",
    "tf_test: terraform's own tests (.tftest.hcl)",
)
