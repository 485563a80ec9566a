"""Patterns, placeholders, durations and suggestions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_tfpipeline.config.durations import seconds
from pytest_tfpipeline.config.patterns import matches
from pytest_tfpipeline.config.placeholders import Place, PlaceholderError, expand, expand_all, variable_names
from pytest_tfpipeline.config.suggest import closest

PLACE = Place("terraform/live/core", "core", "staging", {"URL": "https://x", "BRACES": "{env}"})


names = st.text("ab.-_ é", min_size=1).filter(lambda part: part not in (".", ".."))


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("terraform/*", "terraform/core", True),
        ("terraform/*", "terraform/live/core", False),
        ("terraform/*", "terraform", False),
        ("terraform/**", "terraform/live/core", True),
        ("terraform/**", "terraform", True),
        ("**", ".", True),
        ("**/core", "core", True),
        ("**/core", "a/b/core", True),
        ("**/core", "a/b/score", False),
        ("a/**/b", "a/b", True),
        ("a/**/**/b", "a/x/y/b", True),
        (".", ".", True),
        ("*", ".", False),
        ("./terraform/", "terraform", True),
        ("env[12]", "env2", True),
        ("env[!12]", "env2", False),
        ("e?v", "env", True),
        ("a+b (c)", "a+b (c)", True),
        ("ünï/*", "ünï/x", True),
    ],
)
def test_patterns_over_directories(pattern: str, path: str, expected: bool) -> None:
    assert matches(pattern, path) is expected


@settings(deadline=None)
@given(path=st.lists(names, min_size=1, max_size=4))
def test_a_path_without_wildcards_matches_itself_and_what_spans_everything(path: list[str]) -> None:
    text = "/".join(path)
    assert matches(text, text)
    assert matches("**", text)
    assert not matches(f"{text}/x", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{name}/{env}.tfstate", "core/staging.tfstate"),
        ("{parts[0]}-{parts[-2]}", "terraform-live"),
        ("{{env}} {{}}", "{env} {}"),
        ("${URL}/api", "https://x/api"),
        ("$${URL}", "${URL}"),
        ("$5 and $", "$5 and $"),
        ("${BRACES}", "{env}"),
    ],
)
def test_placeholders_are_replaced_once(text: str, expected: str) -> None:
    assert expand(text, PLACE) == expected


@pytest.mark.parametrize("text", ["{parts[3]}", "{parts[-4]}", "${GONE}"])
def test_a_placeholder_without_a_value_is_an_error(text: str) -> None:
    with pytest.raises(PlaceholderError):
        expand(text, PLACE)


def test_the_top_has_no_parts() -> None:
    with pytest.raises(PlaceholderError, match=r"`.` has 0 parts"):
        expand("{parts[-1]}", Place(".", "top", "staging"))


def test_nested_values_are_replaced_and_other_types_kept() -> None:
    value = {"a": ["{env}", 1, {"{name}": "{name}"}], "b": True, "c": None}
    assert expand_all(value, PLACE) == {"a": ["staging", 1, {"{name}": "core"}], "b": True, "c": None}


def test_variable_names_are_found_anywhere_but_where_escaped() -> None:
    assert variable_names({"a": ["${X}", {"b": "${Y}${X}"}], "c": "$${Z}", "d": 1}) == ("X", "Y")


@settings(deadline=None)
@given(st.text())
def test_any_text_without_braces_stays_as_it_is(text: str) -> None:
    plain = text.replace("{", "").replace("}", "")
    assert expand(plain, PLACE) == plain


@pytest.mark.parametrize(("text", "expected"), [("90s", 90), ("20m", 1200), ("2h", 7200), ("1h30m", 5400), ("0s", 0)])
def test_durations_are_seconds(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "20", "m", "1d", "30m1h", "-5m", "1.5h", "5 m", "5m\n", "٣m"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        seconds(text)


def test_suggestions_do_not_mind_the_case_of_letters() -> None:
    assert closest("Stagin", ["production", "staging"]) == "staging"
    assert closest("xyz", ["production", "staging"]) is None
