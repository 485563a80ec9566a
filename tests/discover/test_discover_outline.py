"""The outline must skip exactly what terraform's own lexer skips."""

from __future__ import annotations

import pytest

from pytest_tfpipeline.discover.outline import OutlineError, outline

TRICKY = {
    "nested interpolation": 'a = "${foo("}", { b = "${c}" })} \\" }"',
    "escaped interpolation": 'a = "$${ { %%{"',
    "dollar at the end": 'a = "$"',
    "directives": 'a = "%{ if x == "}" }b%{ endif }"',
    "here-document": 'a = <<EOT\n} " { ${ \nEOT',
    "indented here-document": 'a = <<-EOT\n    "}\n    EOT',
    "here-document whose end is in a line": "a = <<EOT\nEOTX\n EOT x\nEOT",
    "comments": 'a = [ # }"\n  1, // ]\n  2 /* } \n " */\n]',
    "comment behind": 'a = 1 # "',
    "division": "a = 4 / 2",
    "lines in brackets": "a = foo(\n  1,\n  { b = 2 }\n)",
    "one line": "a { b = 1 }",
    "bare label": "a b {\n}",
    "conditional": 'a = b == c ? "{" : "}"',
}


@pytest.mark.parametrize("text", TRICKY.values(), ids=TRICKY.keys())
def test_what_follows_is_found(text: str) -> None:
    whole = f"first {{\n{text}\n}}\nlast {{}}\n"
    found = outline(whole)
    assert [block.kind for block in found] == ["first", "last"]
    assert found[1].line == whole.count("\n")
    assert list(found[0].arguments) == (["a"] if text.startswith("a =") else [])


@pytest.mark.parametrize(
    "text", ["a {", "a {]}", "a = <<E\n", 'a = "', "}", "a b", '"a" {}', "a = (", "a { b = }", "a = ="]
)
def test_errors(text: str) -> None:
    with pytest.raises(OutlineError):
        outline(text)


def test_deep_nesting_ends() -> None:
    with pytest.raises(OutlineError):
        outline("a = " + "[" * 100_000)
    with pytest.raises(OutlineError):
        outline("a {\n" * 100_000)


def test_a_long_open_string_takes_no_time() -> None:
    with pytest.raises(OutlineError):
        outline('a = "' + "x$y%z" * 200_000)
