"""Break one thing at a time: nothing is applied, the exit code is 1, and the terminal and the evidence say why.

Whether something was applied is asked of the state file.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from scratch import Result, Scratch

from pytest_tfpipeline.checks.records import from_findings
from pytest_tfpipeline.model import Check, CheckKind, Finding, Severity
from pytest_tfpipeline.plugin.items import shortened

HERE = ("-n", "0")


def blocked(scratch: Scratch, *args: str, codes: set[str], says: str, code: int = 1, **run: object) -> Result:
    """Run the apply; it must not happen, for these reasons and no others."""
    scratch.commit()
    result = scratch.run("--apply-env", "staging", *args, **run)
    assert not scratch.applied("a"), result.text
    assert result.code == code, result.text
    assert scratch.reasons() == codes, result.text
    assert scratch.environment()["applied"] == []
    assert scratch.environment()["verdict"]["open"] is False
    assert scratch.evidence()["run"]["exit_code"] == code
    section = result.stdout.partition("the gate to staging is closed, nothing was applied")[2]
    assert says in section, result.text
    for each in codes:
        assert f"{each}: " in section, result.text
    assert "staging: closed, nothing was applied" in section
    assert scratch.locks() == []
    return result


@dataclass(frozen=True)
class Broken:
    """How a repository is broken in one place, and what is said of it."""

    name: str
    break_it: Callable[[Scratch], object]
    codes: frozenset[str]
    says: str
    args: tuple[str, ...] = HERE


def failing_policy(scratch: Scratch) -> None:
    scratch.write("tests/test_strict.py", "def test_none(tf_plan):\n    assert not tf_plan.resources()\n")


def lint_warning(scratch: Scratch) -> None:
    scratch.root("a", 'resource "terraform_data" "more" {\n  input = "${terraform_data.it.output}"\n}')


def unformatted(scratch: Scratch) -> None:
    scratch.root("a", 'resource "terraform_data" "more" {\n    input="x"\n}')


def failing_suite(scratch: Scratch) -> None:
    scratch.write("lambdas/one/pyproject.toml", '[project]\nname = "one"\nversion = "1"\n')
    scratch.write("lambdas/one/tests/test_one.py", "def test_sum():\n    assert 1 + 1 == 3\n")


def syntax_error(scratch: Scratch) -> None:
    scratch.root("b", 'resource "terraform_data" {')


def skipped_policy(scratch: Scratch) -> None:
    scratch.write("tests/test_later.py", "import pytest\n\ndef test_later(tf_plan):\n    pytest.skip('not now')\n")


def xfailed_policy(scratch: Scratch) -> None:
    text = "import pytest\n\n@pytest.mark.xfail\ndef test_known(tf_plan):\n    assert not tf_plan.resources()\n"
    scratch.write("tests/test_known.py", text)


def unexpectedly_passing_policy(scratch: Scratch) -> None:
    text = (
        "import pytest\n\n@pytest.mark.xfail(strict=False)\ndef test_known(tf_plan):\n    assert tf_plan.resources()\n"
    )
    scratch.write("tests/test_known.py", text)


def dropped_check(scratch: Scratch) -> None:
    scratch.write("conftest.py", DROP.format(name="fmt"))


def dropped_policy(scratch: Scratch) -> None:
    scratch.write("conftest.py", DROP.format(name="test_small"))


DROP = """
def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if "{name}" not in item.nodeid]
"""


def silent_report(scratch: Scratch) -> None:
    """A conftest that keeps a check from running at all: there is no report and so no record."""
    text = "def pytest_runtest_protocol(item):\n    return True if item.nodeid.endswith('::validate') else None\n"
    scratch.write("conftest.py", text)


def editing_test(scratch: Scratch) -> None:
    path = scratch.path / "infra/a/more.tf"
    text = f"from pathlib import Path\n\ndef test_edit(tf_plan):\n    Path({str(path)!r}).write_text('# changed')\n"
    scratch.write("infra/a/more.tf", "# as committed\n")
    scratch.write("tests/test_edit.py", text)


def tampering_test(scratch: Scratch) -> None:
    text = f"""
from pathlib import Path

def test_tamper(tf_plan):
    (plan,) = Path({str(scratch.output)!r}).glob("runs/*/plans/staging/*.tfplan")
    plan.write_bytes(plan.read_bytes() + b"more")
"""
    scratch.write("tests/test_tamper.py", text)


def forged_answer(scratch: Scratch) -> None:
    """A conftest that makes a failing check pass: its own record still says that it failed."""
    unformatted(scratch)
    text = """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    report.outcome = "passed"
    return report
"""
    scratch.write("conftest.py", text)


BROKEN = (
    Broken("failing policy", failing_policy, frozenset({"check-failed"}), "tests/test_strict.py::test_none[a-staging]"),
    Broken("lint warning", lint_warning, frozenset({"check-failed"}), "infra/a/main.tf::lint"),
    Broken("unformatted", unformatted, frozenset({"check-failed"}), "infra/a/main.tf::fmt"),
    Broken("failing suite", failing_suite, frozenset({"check-failed"}), "lambdas/one/"),
    Broken("skipped policy", skipped_policy, frozenset({"check-skipped"}), "not now"),
    Broken("xfailed policy", xfailed_policy, frozenset({"check-skipped"}), "test_known.py::test_known[a-staging]"),
    Broken("xpassed policy", unexpectedly_passing_policy, frozenset({"check-skipped"}), "test_known[a-staging]"),
    Broken("dropped check", dropped_check, frozenset({"check-missing"}), "infra/a/main.tf::fmt"),
    Broken("dropped policy", dropped_policy, frozenset({"check-missing"}), "test_rules.py::test_small[a-staging]"),
    Broken("dropped by worker", dropped_policy, frozenset({"check-missing"}), "test_small[a-staging]", ("-n", "2")),
    Broken("no report", silent_report, frozenset({"check-missing"}), "infra/a/main.tf::validate"),
    Broken("edited", editing_test, frozenset({"tree-changed", "tree-dirty", "check-error"}), "more.tf"),
    Broken("tampered plan", tampering_test, frozenset({"plan-changed"}), "infra/a/main.tf::plan[staging]"),
    Broken("forged report", forged_answer, frozenset({"check-failed"}), "infra/a/main.tf::fmt"),
)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda one: one.name)
def test_one_broken_thing_keeps_an_apply_from_happening(broken: Broken, scratch: Scratch) -> None:
    broken.break_it(scratch)

    blocked(scratch, *broken.args, codes=set(broken.codes), says=broken.says)


def test_a_syntax_error_in_one_root_stops_the_others_too_but_they_are_all_judged(scratch: Scratch) -> None:
    syntax_error(scratch)

    result = blocked(scratch, "-n", "2", codes={"check-failed", "check-skipped"}, says="infra/b/main.tf")

    assert "infra/b/main.tf:15" in result.text
    assert "Traceback" not in result.text
    assert scratch.outcomes()["infra/a/main.tf::plan[staging]"] == "passed"


NARROWED = (
    ("-k", "not fmt"),
    ("-m", "not tf_lint"),
    ("--deselect", "infra/a/main.tf::fmt"),
    ("infra/a",),
    ("--ignore", "tests"),
)


@pytest.mark.parametrize("args", NARROWED, ids=lambda args: args[0])
def test_whatever_takes_a_check_out_of_the_run_is_named(args: tuple[str, ...], scratch: Scratch) -> None:
    """Also where every expected check is left: somebody's tests are not."""
    gone = {"infra/a", "--ignore"} & set(args)

    codes = {"narrowed"} if gone else {"narrowed", "check-missing"}
    result = blocked(scratch, *HERE, *args, codes=codes, says=args[0])

    header = result.stdout.partition("rootdir:")[0]
    assert re.search(rf"this run cannot apply: .*{args[0]}", header), "said at once, and not after all checks"


def test_deselecting_through_the_environment_counts_as_well(scratch: Scratch) -> None:
    env = {"PYTEST_ADDOPTS": "-k 'not fmt'"}

    blocked(scratch, *HERE, codes={"narrowed", "check-missing"}, says="infra/a/main.tf::fmt", env=env)


def test_options_that_reorder_or_cut_short_are_named_each(scratch: Scratch) -> None:
    args = ("--ff", "--nf", "--maxfail=3", "-o", "addopts=", "-p", "no:doctest", "--runxfail")

    result = scratch_run_closed(scratch, *args)

    for name in ("--ff", "--nf", "-x/--maxfail", "-o addopts=", "-p no:doctest", "--runxfail"):
        assert f"narrowed: {name} was given" in result.text, result.text


def scratch_run_closed(scratch: Scratch, *args: str) -> Result:
    scratch.commit()
    result = scratch.run("--apply-env", "staging", *HERE, *args)
    assert result.code == 1, result.text
    assert not scratch.applied("a")
    assert "narrowed" in scratch.reasons()
    return result


@pytest.mark.parametrize("args", [("--lf",), ("--sw",), ("-x",)], ids=lambda args: args[0])
def test_a_run_that_leaves_out_what_passed_or_what_comes_later(args: tuple[str, ...], scratch: Scratch) -> None:
    """After a failure, `--lf` and `--sw` run little, and `-x` stops at once."""
    scratch.write("tests/test_first.py", "def test_first():\n    assert False\n")
    scratch.commit()
    before = scratch.run("-n", "0", "-k", "test_first")
    assert before.code == 1

    scratch_run_closed(scratch, *args)

    assert {"narrowed", "check-failed", "check-missing"} <= scratch.reasons()


def test_nothing_collected_is_not_nothing_wrong(scratch: Scratch) -> None:
    scratch_run_closed(scratch, "-k", "of_this_name_there_is_nothing")

    assert {"narrowed", "check-missing"} <= scratch.reasons()
    assert set(scratch.outcomes().values()) == {"missing"}


def test_collecting_only_applies_nothing(scratch: Scratch) -> None:
    scratch.commit()

    result = scratch.run("--apply-env", "staging", "--collect-only", "-q")

    assert result.code == 1, result.text
    assert "infra/a/main.tf::plan[staging]" in result.stdout
    assert not scratch.applied("a")
    assert not scratch.evidence()["environments"][0]["applied"]


def test_a_killed_worker_closes_the_gate_and_its_test_is_not_run_again(scratch: Scratch) -> None:
    scratch.write("tests/test_kill.py", KILL.format(log=str(scratch.path.parent / "log")))

    result = blocked(scratch, "-n", "2", codes={"check-error", "worker-crashed"}, says="tests/test_kill.py::test_kill")

    assert (scratch.path.parent / "log").read_text() == "x"
    assert scratch.outcomes()["infra/a/main.tf::plan[staging]"] == "passed"
    assert "worker" in result.text


KILL = """
import os
import signal

def test_kill():
    with open("{log}", "a") as log:
        log.write("x")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_test_that_ends_the_only_process_applies_nothing(scratch: Scratch) -> None:
    scratch.write("tests/test_zz_exit.py", "import os\n\ndef test_exit():\n    os._exit(0)\n")
    scratch.commit()

    scratch.run("--apply-env", "staging", "-p", "no:xdist")

    assert not scratch.applied("a")


def test_a_file_that_cannot_be_collected(scratch: Scratch) -> None:
    scratch.write("tests/test_import.py", "import nothing_of_that_name\n")
    scratch.commit()

    for args in (HERE, ("-n", "2")):
        result = scratch.run("--apply-env", "staging", *args)

        assert result.code == 1, result.text
        assert not scratch.applied("a")
        assert "collection-error" in scratch.reasons(), result.text
        assert "nothing_of_that_name" in result.text


def test_a_dirty_tree_is_refused_by_name(scratch: Scratch) -> None:
    scratch.commit()
    scratch.write("infra/a/new.tf", "# not committed\n")

    result = scratch.run("--apply-env", "staging", *HERE)

    assert result.code == 1
    assert scratch.reasons() == {"tree-dirty"}
    assert "infra/a/new.tf" in result.text
    assert not scratch.applied("a")


def test_an_ignored_file_that_terraform_would_read(scratch: Scratch) -> None:
    scratch.write(".gitignore", "*.auto.tfvars\n.pytest_cache/\n__pycache__/\n")
    scratch.write("infra/a/local.auto.tfvars", "")

    blocked(scratch, *HERE, codes={"ignored-input"}, says="infra/a/local.auto.tfvars")


def test_terraform_that_is_replaced_during_the_run(scratch: Scratch) -> None:
    program = scratch.path.parent / "bin" / "terraform"
    program.write_text('#!/bin/sh\nexec "$REAL_TERRAFORM" "$@"\n')
    program.chmod(0o755)
    text = f"def test_swap(tf_plan):\n    with open({str(program)!r}, 'a') as file:\n        file.write('# other')\n"
    scratch.write("tests/test_swap.py", text)
    env = {"TFPIPELINE_TERRAFORM": str(program), "REAL_TERRAFORM": real_terraform()}

    blocked(scratch, *HERE, codes={"tool-changed"}, says="terraform", env=env)


def real_terraform() -> str:
    found = shutil.which("terraform")
    assert found is not None
    return found


def test_a_changed_file_of_the_private_copy_is_not_applied(scratch: Scratch) -> None:
    text = f"""
from pathlib import Path

def test_edit(tf_plan):
    (tree,) = Path({str(scratch.output)!r}).glob("runs/*/tree/staging/infra/a")
    (tree / "more.auto.tfvars").write_text("")
"""
    scratch.write("tests/test_edit.py", text)

    blocked(scratch, *HERE, codes={"tree-changed"}, says="more.auto.tfvars")


def test_of_many_findings_each_has_its_first_line() -> None:
    """The worst of a few new findings need not be the first."""
    check = Check("infra/a/main.tf::policy", CheckKind.POLICY, "infra/a")
    found = [
        Finding(
            f"CKV_{number}",
            Severity.ERROR,
            f"Rule {number}\n-> mend it",
            "a.b",
            "infra/a/main.tf",
            number,
            f"{number} | x",
        )
        for number in range(10, 22)
    ]
    text = from_findings(check, found, what="checkov").text
    short = shortened(text)
    assert len(text.splitlines()) > 2 * len(short.splitlines())
    assert all(f"main.tf:{number}: error [CKV_{number}] Rule {number}" in short for number in range(10, 22)), short
    whole, left = len(text.splitlines()), short.splitlines()[-1]
    assert left.startswith(f"... {whole - len(short.splitlines()) + 1} more lines: -v shows them")


def test_a_thousand_findings_are_no_wall_of_text() -> None:
    head = "checkov: 1,000 findings in infra/a\n\n"
    short = shortened(
        head + "\n\n".join(f"infra/a/main.tf:{line}: error [CKV_1] It\n  -> mend" for line in range(1000))
    )
    assert len(short.splitlines()) == 26
