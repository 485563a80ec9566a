"""What the real tools find is known again after their files have changed around it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.checks.baseline import compared_key, entries_key
from pytest_tfpipeline.model import Baseline, CheckKind, Compared, KnownFindings, Outcome, Record

QUEUE = 'resource "aws_sqs_queue" "{0}" {{\n  name = "{0}"\n}}\n'
CALL = 'module "{0}" {{\n  source = "./modules/q"\n}}\n'
UNUSED = 'variable "{0}" {{\n  type = string\n}}\n'
UGLY = "locals {{\n  {0}   = 1\n}}\n"
RULES = 'config {\n  disabled_by_default = true\n}\n\nrule "terraform_unused_declarations" {\n  enabled = true\n}\n'


def repository(bench: Any, path: Path, *, recording: bool) -> Any:
    fresh = type(bench)(path, roots=["top"], run={"baseline": Baseline("known.json", recording=recording)})
    fresh.write(".tflint.hcl", RULES)
    fresh.write("top/modules/q/main.tf", QUEUE.format("inner"))
    return fresh


def perform(bench: Any, kind: CheckKind, known: KnownFindings) -> tuple[Record, Compared]:
    bench.context = bench.open()
    bench.context.workspace.put(entries_key((str(kind), "top", None)), known)
    record = bench.perform(kind, "top")
    return record, bench.context.workspace.get(compared_key(record.check), Compared)


def test_beside_a_file_that_checkov_cannot_parse_findings_are_recorded_and_known(bench: Any, tmp_path: Path) -> None:
    def made(name: str, *, recording: bool) -> Any:
        fresh = repository(bench, tmp_path / name, recording=recording)
        fresh.write("top/main.tf", QUEUE.format("a"))
        fresh.write("top/broken.tf", 'resource "x" {\n')
        return fresh

    first, before = perform(made("was", recording=True), CheckKind.POLICY, KnownFindings())
    assert first.outcome is Outcome.ERROR
    assert [one.address for one in before.found] == ["aws_sqs_queue.a"]
    assert before.partial
    again, after = perform(made("now", recording=False), CheckKind.POLICY, KnownFindings(before.found))
    assert [(one.rule, one.known) for one in again.findings if one.known is False] == [("checkov-parse", False)]
    assert again.outcome is Outcome.ERROR
    assert again.text.startswith("top is policed only in part: checkov cannot parse top/broken.tf; 1 known\n")
    assert "CKV_AWS" not in again.text
    assert (after.new, after.left) == ((), ())
    worse = made("more", recording=False)
    worse.write("top/more.tf", QUEUE.format("new"))
    _, compared = perform(worse, CheckKind.POLICY, KnownFindings(before.found))
    assert [one.address for one in compared.new] == ["aws_sqs_queue.new"]


@pytest.mark.parametrize(
    ("kind", "new", "left"),
    [
        (CheckKind.FMT, ["top/more.tf"], []),
        (CheckKind.LINT, ['variable "new" is declared but not used'], ['variable "gone" is declared but not used']),
        (CheckKind.POLICY, ["aws_sqs_queue.new"], ["aws_sqs_queue.gone"]),
    ],
)
def test_what_was_recorded_is_known_wherever_it_stands_and_nothing_else(
    bench: Any, tmp_path: Path, kind: CheckKind, new: list[str], left: list[str]
) -> None:
    was = repository(bench, tmp_path / "was", recording=True)
    was.write("top/main.tf", QUEUE.format("a") + QUEUE.format("gone") + CALL.format("one"))
    was.write("top/variables.tf", UNUSED.format("old") + UNUSED.format("gone") + UGLY.format("odd"))
    record, before = perform(was, kind, KnownFindings())
    assert record.outcome is Outcome.PASSED, record.text
    assert all(finding.known for finding in record.findings)

    now = repository(bench, tmp_path / "now", recording=False)
    calls = CALL.format("zero") + CALL.format("one")
    now.write("top/main.tf", f"# One more line.\n\n{calls}{QUEUE.format('a')}{QUEUE.format('new')}")
    now.write("top/variables.tf", f"# Here too.\n{UGLY.format('odd')}{UNUSED.format('new')}{UNUSED.format('old')}")
    if kind is CheckKind.FMT:
        now.write("top/more.tf", UGLY.format("even"))
    record, compared = perform(now, kind, KnownFindings(before.found))
    assert record.outcome is Outcome.FAILED
    assert [one.address or (one.file if kind is CheckKind.FMT else one.text) for one in compared.new] == new
    # What is left has no text any more: it is looked up in what was recorded.
    texts = {one.content: one.address or one.text for one in before.found}
    assert [texts[one.content] for one in compared.left] == left
    assert sum(not finding.known for finding in record.findings) == len(new)
