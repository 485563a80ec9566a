"""What of a command line takes something away from a run, and what was really typed."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_tfpipeline.plugin.narrowing import is_committed, narrowing, selects, typed_values

pytest_plugins = "pytester"

#: hypothesis wants to be loaded as a plugin before anything of it is imported.
BARE = ("-p", "no:tfpipeline", "-p", "no:hypothesispytest")


@pytest.fixture
def parsed(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A configuration of pytest, in a repository, from words that were typed, from ini, and from PYTEST_ADDOPTS."""
    (pytester.path / ".git").mkdir()
    (pytester.path / "tests").mkdir()
    (pytester.path / "words").write_text("-k\nlint\n")
    (pytester.path / "more").write_text("-p\nno:timeout\n-o\ntestpaths=tests\n")

    def parse(*typed: str, ini: str = "", environ: str = "") -> pytest.Config:
        pytester.makeini(f"[pytest]\naddopts = {ini}\n")
        monkeypatch.setenv("PYTEST_ADDOPTS", environ)
        return pytester.parseconfig(*BARE, *typed)

    return parse


def found(config: pytest.Config) -> list[str]:
    """But for what the tests themselves need."""
    return [each for each in narrowing(config) if each.removeprefix("-p ") not in BARE]


@pytest.mark.parametrize(
    ("typed", "flag"),
    [
        (["-k", "lint"], "-k"),
        (["-klint"], "-k"),
        (["-m", "tf_lint"], "-m"),
        (["--lf"], "--lf"),
        (["--ff"], "--ff"),
        (["--nf"], "--nf"),
        (["--sw"], "--sw"),
        (["--deselect", "a.py::b"], "--deselect"),
        (["--deselect=a.py::b"], "--deselect"),
        (["--ignore=tests"], "--ignore"),
        (["--ignore-glob=*"], "--ignore-glob"),
        (["-x"], "-x/--maxfail"),
        (["--maxfail=2"], "-x/--maxfail"),
        (["--collect-only"], "--collect-only"),
        (["--setup-only"], "--setup-only"),
        (["--setup-plan"], "--setup-plan"),
        (["--runxfail"], "--runxfail"),
        (["--trace"], "--trace"),
        (["--noconftest"], "--noconftest"),
        (["--confcutdir=tests"], "--confcutdir"),
        (["--continue-on-collection-errors"], "--continue-on-collection-errors"),
        (["tests"], "a path argument (tests)"),
        (["-p", "no:randomly", "-p", "no:timeout"], "-p no:timeout"),
        (["-pno:timeout"], "-p no:timeout"),
        (["-o", "testpaths=tests"], "-o testpaths=tests"),
        (["--override-ini=testpaths=tests"], "-o testpaths=tests"),
        (["@words"], "-k"),
    ],
)
def test_each_option_is_named(parsed: Any, typed: list[str], flag: str) -> None:
    assert found(parsed(*typed)) == [flag]
    if not flag.startswith("a path"):
        assert flag in found(parsed(environ=" ".join(typed)))


def test_a_file_of_words_is_read(parsed: Any) -> None:
    assert found(parsed("@more")) == ["-p no:timeout", "-o testpaths=tests"]


def test_nothing_is_made_of_what_takes_nothing_away(parsed: Any) -> None:
    assert found(parsed("-q", "--tb=short", "-p", "no:cacheprovider", "-p", "no:xdist")) == []


def test_what_the_repository_has_committed_counts_only_where_a_cache_or_an_answer_decides(parsed: Any) -> None:
    assert found(parsed(ini="-k lint -x")) == []
    assert found(parsed(ini="--trace")) == ["--trace"]
    assert found(parsed(ini="--lf")) == ["--lf"]
    for typed in (["-k", "plan"], ["-kplan"], ["@words"]):
        assert found(parsed(*typed, ini="-k lint")) == ["-k"]


def test_a_start_below_the_top_is_named(parsed: Any, pytester: pytest.Pytester, monkeypatch: Any) -> None:
    parsed()
    monkeypatch.chdir(pytester.path / "tests")
    config = pytester.parseconfig(*BARE, f"--rootdir={pytester.path}")
    assert any("tests to start in" in each for each in found(config))


def test_plugins_that_are_not_looked_for_are_named(parsed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    config = parsed()
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    assert found(config) == ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]


@pytest.mark.parametrize(("typed", "said"), [(["--maxfail", "1"], ("1",)), (["--maxfail=1"], ("1",)), ([], ())])
def test_only_the_words_themselves_are_typed(parsed: Any, typed: list[str], said: tuple[str, ...]) -> None:
    """An ini file, a variable and a file of words are none: none of them may loosen anything."""
    assert typed_values(parsed(*typed, ini="--maxfail=2", environ="--maxfail=3"), "--maxfail") == said
    assert typed_values(parsed("@words"), "-k") == ()


def test_a_flag_is_committed_where_nobody_typed_it(parsed: Any) -> None:
    assert is_committed(parsed(ini="-x"), "-x/--maxfail")
    assert not is_committed(parsed("--maxfail=1", ini="-x"), "-x/--maxfail")
    assert not is_committed(parsed(ini="-x", environ="-x"), "-x/--maxfail")


@pytest.mark.parametrize(
    ("typed", "expected"), [([], False), (["-q"], False), (["-k", "a"], True), (["-m", "a"], True), (["tests"], True)]
)
def test_who_names_tests_selects(parsed: Any, typed: list[str], expected: bool) -> None:
    assert selects(parsed(*typed)) is expected
