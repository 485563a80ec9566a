"""`fmt` over many directories in one call: the same records as one call for each gives, from fewer processes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from scratch import Scratch

from pytest_tfpipeline.checks import perform
from pytest_tfpipeline.checks.formatted import BATCH, batches
from pytest_tfpipeline.context import Context
from pytest_tfpipeline.model import Check, CheckKind, Record, Repository, Root, Run
from pytest_tfpipeline.process import Outcome, Request, Runner

FORMATTED = 'locals {\n  a  = "x"\n  bc = "y"\n}\n'
OTHERWISE = 'locals {\n  a = "x"\n  bc = "y"\n}\n'
BROKEN = "locals {\n"
FILES = {
    "-a": {"main.tf": FORMATTED},
    "b c": {"main.tf": FORMATTED, "more.tf": OTHERWISE, "values.tfvars": "a=1\n"},
    "b c/inner": {"main.tf": FORMATTED},
    "d": {"main.tf": BROKEN, "more.tf": OTHERWISE},
    "e": {"main.tf": FORMATTED},
    "f": {"main.tf": 'resource "a" {\n  "b" = \n}\n'},
    ".": {"main.tf": FORMATTED},
}


class Counting(Runner):
    """Counts what it starts."""

    def __init__(self) -> None:
        super().__init__()
        self.started: list[tuple[str, ...]] = []

    def run(self, request: Request, *args: Any, **kwargs: Any) -> Outcome:
        self.started.append(request.argv)
        return super().run(request, *args, **kwargs)

    def formatted(self) -> int:
        return sum("fmt" in argv for argv in self.started)


def checks_of(directories: list[str], kind: CheckKind = CheckKind.FMT) -> list[Check]:
    return [Check(f"{each}/main.tf::{kind}", kind, each) for each in directories]


def together(context: Context, checks: list[Check]) -> tuple[list[Record], int]:
    """The records of checks that were all selected, and how many calls of `fmt` they took."""
    runner = Counting()
    context = replace(context, runner=runner, batches=dict(batches(context.run, checks)))
    return [replace(perform(context, check), seconds=0.0) for check in checks], runner.formatted()


def opened(bench: Any, files: dict[str, dict[str, str]]) -> Context:
    bench.roots = list(files)
    for directory, content in files.items():
        for name, text in content.items():
            bench.write(f"{directory}/{name}", text)
    context: Context = bench.open()
    return context


@pytest.mark.parametrize("program", ["terraform", "tofu"])
def test_many_directories_get_the_records_that_each_of_them_gets_alone(bench: Any, program: str) -> None:
    bench.described = {"tofu": tuple(FILES) if program == "tofu" else ()}
    context, checks = opened(bench, FILES), checks_of(list(FILES))
    alone = [replace(perform(context, check), seconds=0.0) for check in checks]
    records, calls = together(context, checks)
    assert records == alone
    assert [record.outcome.value for record in records].count("passed") == 4
    # One over all, one without the two that cannot be parsed, and one for each directory that has anything to say.
    assert calls == 2 + 3


def test_directories_in_order_cost_one_call_and_those_not_selected_none(bench: Any) -> None:
    files = {name: {"main.tf": FORMATTED} for name in "abcd"} | {"e": {"main.tf": BROKEN}}
    records, calls = together(opened(bench, files), checks_of([*"abcd"]))
    assert {record.outcome.value for record in records} == {"passed"}
    assert calls == 1


def test_a_terraform_that_takes_one_directory_alone_is_asked_about_each(bench: Any, tmp_path: Path) -> None:
    """As terraform 1.2 does."""
    context = opened(bench, {name: {"main.tf": text} for name, text in (("a", FORMATTED), ("b", OTHERWISE))})
    old = tmp_path / "terraform"
    old.write_text(
        f'#!/bin/sh\nfor word; do case $word in ./*) n=$((n + 1)) ;; esac; done\n[ "${{n:-0}}" -gt 1 ] && '
        f'{{ echo "The fmt command expects at most one argument." >&2; exit 1; }}\n'
        f'exec {context.tool("terraform").path} "$@"\n'
    )
    old.chmod(0o755)
    context.workspace.put("tool/terraform", replace(context.tool("terraform"), path=str(old)))
    records, calls = together(replace(context, _tools={}), checks_of(["a", "b"]))
    assert [record.outcome.value for record in records] == ["passed", "failed"]
    assert calls == 1 + 2


def test_a_batch_holds_what_one_program_formats_and_no_more_than_two_workers_can_share() -> None:
    names = [f"r{number:03}" for number in range(2 * BATCH + 1)]
    repository = Repository("/r", roots=tuple(Root(name, name, f"{name}/main.tf") for name in names), tofu=("r001",))
    older = {"r002": "1.5.7", "r004": "1.5.7"}
    run = Run("one", mode="check", repository=repository, output_path="", work_path="", root_versions=older)
    others = checks_of(["other"], CheckKind.LINT)
    found = batches(run, [*checks_of(names[::-1]), *others])
    assert (found["r001"], found["r002"], "other" in found) == (("r001",), ("r002", "r004"), False)
    assert [len(batch) for batch in dict.fromkeys(found.values())] == [BATCH, BATCH - 2, 1, 2]
    assert all(name in batch for name, batch in found.items())


def test_a_run_asks_once_for_the_selected_items_of_both_workers(tmp_path: Path) -> None:
    scratch = Scratch(tmp_path)
    for name in "abc":
        scratch.root(name)
    scratch.commit()
    said, program = tmp_path / "said", tmp_path / "terraform"
    program.write_text(f'#!/bin/sh\n[ "$1" = fmt ] && echo "$@" >>"{said}"\nexec {shutil.which("terraform")} "$@"\n')
    program.chmod(0o755)
    done = scratch.run("-n2", "-k", "fmt", "infra/a", "infra/b", env={"TFPIPELINE_TERRAFORM": str(program)})
    assert done.code == 0, done.text
    (call,) = said.read_text().splitlines()
    # Whichever root came first is where it was called.
    assert {word for word in call.split() if word.startswith("./")} in ({"./.", "./../b"}, {"./../a", "./."})
