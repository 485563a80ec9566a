"""The `unit` check: a suite in a repository, from the copy of the tree to the record."""

from __future__ import annotations

from typing import Any

from pytest_tfpipeline.model import CheckKind, Outcome, Target


def test_a_suite_is_run_in_the_copy_and_never_in_the_users_tree(bench: Any) -> None:
    bench.suites = ["app", "app/inner"]
    bench.write("app/test_it.py", "def test_it():\n    open('written', 'w').close()\n")
    bench.write("app/inner/test_inner.py", "def test_inner():\n    assert False\n")
    record = bench.perform(CheckKind.UNIT, "app")
    assert (record.outcome, record.summary) == (Outcome.PASSED, "1 passed")
    assert [case.id for case in record.cases] == ["test_it.py::test_it"]
    assert not (bench.repository / "app/written").exists()


def test_a_failing_test_is_told_without_control_sequences_or_declared_credentials(bench: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("OUR_KEY_FOR_APPLY", "seen")
    bench.suites = ["app"]
    bench.run = {"targets": (Target("root", "staging", apply_env={"OUR_KEY_FOR_APPLY": "x"}),)}
    body = "import os\ndef test_it():\n    assert 'OUR_KEY_FOR_APPLY' in os.environ, '\\x1b[31mred'\n"
    bench.write("app/test_it.py", body)
    record = bench.perform(CheckKind.UNIT, "app")
    assert record.outcome is Outcome.FAILED
    assert "test_it.py::test_it: failed" in record.text
    assert "red" in record.text
    assert "\x1b" not in record.text + record.cases[0].text
