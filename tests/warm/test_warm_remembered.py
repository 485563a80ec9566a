"""What is kept within a call of checkov is what would be worked out again, and nobody alters it for others."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.warm.remembered import built_once, evaluated_once, resolved_once


class Evaluator:
    """Counts what it is asked. `NAME = N` gives a name to a number, as checkov's own evaluator takes it."""

    def __init__(self) -> None:
        self.symbols: dict[str, Any] = {"length": len}
        self.asked: list[str] = []

    def __call__(self, text: Any, keep_interpolations: bool = True) -> Any:
        self.asked.append(text)
        self.symbols["print"] = object()  # bound anew each time
        if isinstance(text, str) and " = " in text:
            name, _, value = text.partition(" = ")
            self.symbols[name] = int(value)
        if text == "[1]" or not isinstance(text, str):
            return [1]
        return self.symbols.get(text, text if keep_interpolations else f"without {text}")


@pytest.fixture
def evaluator() -> Evaluator:
    return Evaluator()


@pytest.fixture
def once(evaluator: Evaluator) -> Callable[..., Any]:
    return evaluated_once(evaluator, evaluator.symbols)


def test_a_text_is_evaluated_once(evaluator: Evaluator, once: Callable[..., Any]) -> None:
    assert [once("a"), once("a"), once("b"), once("a")] == ["a", "a", "b", "a"]
    assert evaluator.asked == ["a", "b"]


def test_with_interpolations_and_without_are_two_answers(once: Callable[..., Any]) -> None:
    assert [once("a"), once("a", False), once("a"), once("a", keep_interpolations=False)] == [
        "a",
        "without a",
        "a",
        "without a",
    ]


def test_whoever_alters_a_value_alters_his_own(once: Callable[..., Any]) -> None:
    once("[1]").append(2)
    once("[1]").append(3)
    assert once("[1]") == [1]


def test_a_text_that_names_something_ends_it(evaluator: Evaluator, once: Callable[..., Any]) -> None:
    assert once("size") == "size"
    once("size = 5")
    assert once("size") == 5, "the name has a meaning now"
    once("size = 6")
    assert once("size") == 6, "and another one later"
    assert evaluator.asked == ["size", "size = 5", "size", "size = 6", "size"]


@pytest.mark.parametrize("asked", ["timestamp()", 5, None, ["a"]])
def test_the_clock_and_what_is_no_text_are_evaluated_each_time(
    evaluator: Evaluator, once: Callable[..., Any], asked: Any
) -> None:
    once(asked)
    once(asked)
    assert evaluator.asked == [asked, asked]


def test_an_error_is_not_remembered() -> None:
    def fails(text: str, keep_interpolations: bool) -> Any:
        raise ValueError(text)

    once = evaluated_once(fails, {})
    for _ in range(2):
        with pytest.raises(ValueError, match="a"):
            once("a")


def test_a_link_is_followed_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def resolve(path: Any, **settings: Any) -> str:
        asked.append(str(path))
        return os.path.realpath(path, **settings)

    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to("there")
    once = resolved_once(resolve)
    link = str(tmp_path / "link")
    assert once(link) == once(link) == str((tmp_path / "there").resolve())
    assert asked == [link]
    with pytest.raises(OSError, match="nothing"):
        once(str(tmp_path / "nothing"), strict=True)


def test_a_relative_path_is_of_the_directory_of_the_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    once = resolved_once(os.path.realpath)
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        found.append(once("main.tf"))
    assert found == [str(tmp_path.resolve() / name / "main.tf") for name in ("one", "two")]


class Grammar:
    """As a caller of ply brings it."""


class Other(Grammar):
    """Another grammar."""


class Parser:
    """As ply gives it."""

    def __init__(self, **settings: Any) -> None:
        self.settings = settings
        self.stack: list[str] | None = None


def test_a_grammar_is_built_once_and_every_parser_is_its_own() -> None:
    built: list[dict[str, Any]] = []

    def build(**settings: Any) -> Parser:
        built.append(settings)
        return Parser(**settings)

    once = built_once(build)
    first, second = (once(module=Grammar(), start="path", debug=False) for _ in range(2))
    first.stack = ["a"]
    assert second.stack is None
    assert len(built) == 1
    for settings in (
        {"module": Other(), "start": "path"},
        {"module": Grammar(), "start": "step"},
        {"module": Grammar(), "start": "path", "debug": True},
        {"start": "path"},
    ):
        assert once(**settings).settings == settings
