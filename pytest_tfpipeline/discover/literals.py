"""The strings of an HCL text, with the functions that they are handed to: what may be a path, or a part of it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""\#[^\n]*|//[^\n]*|/\*.*?\*/                  # comments
    |<<-?[ \t]*(?P<heredoc>[\w.-]+)[ \t]*\r?\n       # the beginning of a here-document
    |"|\$\{|%\{|[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*|[(){}\[\]]""",
    re.VERBOSE | re.DOTALL,
)
_IN_STRING = re.compile(r'\\.|\$\$\{|%%\{|\$\{|%\{|"', re.DOTALL)
_IN_TEXT = re.compile(r"\$\$\{|%%\{|\$\{|%\{")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_PATH = re.compile(r"path\.(module|root|cwd)")


class UnreadableText(ValueError):
    """The text is not HCL as far as its strings go."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A string. `base` is `module`, `root` or `cwd` where it begins with that part of `path`, `?` where it begins with
    anything else that is computed, and "" where it begins as it is written.

    `head` is its text up to the next computed part, and `rest` are the written texts behind that one; `whole` says that
    nothing more was computed. `within` are the functions around it, the innermost last.
    """

    base: str
    head: str
    rest: tuple[str, ...] = ()
    whole: bool = True
    within: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """Every string of a text; `bare` are the uses of `path.*` by themselves, and `functions` all that are called."""

    literals: tuple[Literal, ...] = ()
    bare: tuple[Literal, ...] = ()
    functions: frozenset[str] = frozenset()
    blocks: frozenset[str] = frozenset()


def read_text(text: str) -> Text:
    """The strings of an HCL text. Raises UnreadableText."""
    scanner = _Scanner(text)
    try:
        scanner.expression(0, "", ())
    except RecursionError:
        raise UnreadableText("nested too deeply") from None
    return scanner.found()


def read_json(text: str) -> Text:
    """The strings of a JSON text, each of which is a template. Raises UnreadableText."""
    try:
        strings = list(_strings(json.loads(text)))
    except (ValueError, RecursionError):
        raise UnreadableText("not JSON") from None
    read = [_read_template(each) for each in strings]
    return Text(
        tuple(one for each in read for one in each.literals),
        tuple(one for each in read for one in each.bare),
        frozenset(name for each in read for name in each.functions),
        frozenset(strings),
    )


def _read_template(text: str) -> Text:
    """The text of one string, in which a quote is a quote."""
    scanner = _Scanner(text)
    scanner.template(0, "", ())
    return scanner.found()


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._literals: list[Literal] = []
        self._bare: list[Literal] = []
        self._functions: set[str] = set()
        self._words: set[str] = set()

    def found(self) -> Text:
        """What was seen."""
        labels = {one.head for one in self._literals if one.base == "" and one.whole}
        return Text(
            tuple(self._literals), tuple(self._bare), frozenset(self._functions), frozenset(self._words | labels)
        )

    def expression(self, at: int, closing: str, within: tuple[str, ...]) -> int:
        """Read up to `closing`, and give the offset behind it; without one, to the end."""
        name, name_end = "", -1
        while token := _TOKEN.search(self._text, at):
            mark, at = token[0], token.end()
            if mark == closing:
                return at
            if mark == '"':
                at = self._string(at, within)
            elif token["heredoc"]:
                at = self._heredoc(at, token["heredoc"], within)
            elif mark in _CLOSING:
                inner = (*within, name) if mark == "(" and name_end == token.start() else within
                self._functions.update(inner[len(within) :])
                at = self.expression(at, _CLOSING[mark], inner)
            elif mark[0].isalpha() or mark[0] == "_":
                name, name_end = mark, at
                self._word(mark, within)
            elif mark in (")", "]", "}"):
                raise UnreadableText(f"unexpected {mark}")
        if closing:
            raise UnreadableText(f"a {closing} is missing")
        return len(self._text)

    def _word(self, word: str, within: tuple[str, ...]) -> None:
        self._words.add(word)
        if found := _PATH.fullmatch(word):
            self._bare.append(Literal(found[1], "", within=within))

    def _string(self, at: int, within: tuple[str, ...]) -> int:
        return self.template(at, '"', within)

    def _heredoc(self, at: int, word: str, within: tuple[str, ...]) -> int:
        end = re.compile(rf"^[ \t]*{re.escape(word)}[ \t]*\r?$", re.MULTILINE).search(self._text, at)
        if end is None:
            raise UnreadableText("a here-document has no end")
        inner = _Scanner(self._text[at : end.start()])
        inner.template(0, "", within)
        self._literals += inner._literals
        self._bare += inner._bare
        self._functions |= inner._functions
        return end.end()

    def template(self, at: int, closing: str, within: tuple[str, ...]) -> int:
        """Read a string whose inside begins at `at`, and give the offset behind it; without `closing`, to the end."""
        marks = _IN_STRING if closing else _IN_TEXT
        parts: list[str | None] = []
        bases: list[str] = []
        start = at
        while token := marks.search(self._text, at):
            mark, at = token[0], token.end()
            if mark == closing:
                parts.append(self._text[start : token.start()])
                self._literals.append(_literal(parts, bases, within))
                return at
            if mark in ("${", "%{"):
                parts += [self._text[start : token.start()], None]
                at = self._computed(at, bases, within)
                start = at
        if closing:
            raise UnreadableText("a string is not closed")
        parts.append(self._text[start:])
        self._literals.append(_literal(parts, bases, within))
        return len(self._text)

    def _computed(self, at: int, bases: list[str], within: tuple[str, ...]) -> int:
        """A part of a template that is computed: `path.module` alone says where the string begins."""
        plain = re.compile(r"~?\s*path\.(module|root|cwd)\s*~?\}").match(self._text, at)
        bases.append(plain[1] if plain else "?")
        return plain.end() if plain else self.expression(at, "}", within)


def _literal(parts: list[str | None], bases: list[str], within: tuple[str, ...]) -> Literal:
    """Of `parts`, None stands for what is computed; `bases` says of each of those what it is."""
    if len(parts) > 1 and parts[0] == "":
        texts = [part for part in parts[2:] if part is not None]
        return Literal(bases[0], texts[0], tuple(texts[1:]), len(bases) == 1, within)
    texts = [part for part in parts if part is not None]
    return Literal("", texts[0], tuple(texts[1:]), not bases, within)
