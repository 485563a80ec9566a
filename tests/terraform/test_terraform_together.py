"""What terraform says once for each provider is shown once for each root, with all of their names."""

from __future__ import annotations

from typing import Any

from pytest_tfpipeline.model import Finding, Severity, Target
from pytest_tfpipeline.terraform.diagnostics import render_findings
from pytest_tfpipeline.terraform.planning import ensure_plan

_HEAD, _ADVICE = "Failed to query available provider packages", "-> Check it."
_LIST = "Could not retrieve the list of available versions for provider"


def _finding(said: str, file: str = "a/main.tf", rule: str = "no-provider") -> Finding:
    return Finding(rule, Severity.ERROR, f"{_HEAD}\n{said}\n{_ADVICE}", file=file)


def test_a_line_for_each_reason_and_advice_once() -> None:
    findings = [
        _finding(f"{_LIST} x/a: no such host"),
        _finding(f"{_LIST} x/b: no available releases match 2.0"),
        _finding(f"{_LIST} registry.test/x/c: no such host"),
        _finding(f"{_LIST} x/d: no such host"),
    ]
    assert render_findings(findings).splitlines() == [
        f"a/main.tf: error [no-provider] {_HEAD}",
        f"  {_LIST}s x/a, registry.test/x/c and x/d: no such host",
        f"  {_LIST} x/b: no available releases match 2.0",
        f"  {_ADVICE}",
    ]


def test_nothing_else_is_put_together() -> None:
    alone = [
        _finding(f"{_LIST} x/a: no"),
        _finding(f"{_LIST} x/b: no", file="b/main.tf"),
        _finding(f"{_LIST} x/b: no", rule="terraform"),
        _finding("Something of no provider by name"),
        Finding("no-provider", Severity.ERROR, f"{_LIST} x/b: no", file="a/main.tf"),
        Finding("no-provider", Severity.ERROR, "", file="a/main.tf"),
    ]
    assert render_findings(alone).count("[no-provider]") == 5
    assert render_findings(alone).count(f"{_LIST} x/b: no") == 3


def test_three_providers_that_terraform_cannot_find(playground: Any) -> None:
    wanted = "\n".join(f'    {name} = {{\n      source = "acme/{name}"\n    }}' for name in ("one", "two", "three"))
    playground.write("root/main.tf", f"terraform {{\n  required_providers {{\n{wanted}\n  }}\n}}\n")
    target = Target("root", "staging")
    findings = ensure_plan(playground.open(target), target).findings
    told = render_findings(findings)
    assert len([one for one in findings if one.rule == "no-provider"]) == 3
    assert told.count("[no-provider]") == 1
    assert all(f"acme/{name}" in told for name in ("one", "two", "three"))
