"""`--tf-output DIR` in two words: pytest must not take DIR for the place that it is about."""

from __future__ import annotations

from pathlib import Path

from scratch import Scratch


def repository(tmp_path: Path) -> Scratch:
    """One root, one test in `testpaths`, and one beside it that fails wherever it is collected."""
    made = Scratch(tmp_path)
    made.root("a")
    made.write("tests/test_ours.py", "def test_ours():\n    pass\n")
    made.write("test_theirs.py", "def test_theirs():\n    assert False\n")
    made.commit()
    return made


def test_workers_collect_what_the_controller_does(tmp_path: Path) -> None:
    said = repository(tmp_path).run("-n1", "-k", "ours or theirs", "--tf-output", str(tmp_path / "out"))
    assert said.code == 0, said.text
    assert "1 passed" in said.stdout
    assert (tmp_path / "out" / "evidence.json").is_file()


def test_a_directory_that_leads_pytest_away_is_a_usage_error(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    scratch = repository(tmp_path)
    said = scratch.run("-k", "ours", "--tf-output", str(out))
    assert said.code == 4, said.text
    assert f"--tf-output={out}" in said.stderr
    said = scratch.run("-k", "ours", f"--tf-output={out}")
    assert said.code == 0, said.text
