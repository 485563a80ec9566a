"""The outline of an HCL text: which blocks and arguments there are, and where, without evaluating expressions.

A full parse of a real repository takes many seconds; discovery needs block headers and a few plain arguments. This
pass finds them by skipping over strings, here-documents, comments and brackets, so that python-hcl2 gets only the few
expressions that are not plain.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_BLANK = re.compile(r"(?:\s++|#[^\n]*+|//[^\n]*+|/\*[\s\S]*?\*/)*+")
_NAME = re.compile(r"[^\W\d][\w-]*+")
_ASSIGN = re.compile(r"[ \t]*+=(?!=)[ \t]*+")
_LABEL = re.compile(r'[ \t]*+(?:"((?:[^"\\\n]|\\.)*+)"|([^\W\d][\w-]*+))')
_OPEN = re.compile(r"[ \t]*+\{")
_PLAIN_STRING = re.compile(r'"(?:[^"\\$%\n]++|\\.|\$\$\{|%%\{|\$(?!\{)|%(?!\{))*+"')
_IN_TEMPLATE = re.compile(r'["\\\n]|\$\$\{|%%\{|\$\{|%\{')
_HEREDOC = re.compile(r"<<-?[ \t]*([^\W\d][\w.-]*)[ \t]*\r?\n(?:.*\n)*?[ \t]*\1[ \t]*(?=\r?(?:\n|\Z))")
_IN_BRACKETS = re.compile(r'["{}()\[\]#]|//|/\*|<<-?(?=[^\W\d])')
_IN_EXPRESSION = re.compile(r'["{}()\[\]#\n]|//|/\*|<<-?(?=[^\W\d])')
_COMMENT = re.compile(r"#[^\n]*+|//[^\n]*+|/\*[\s\S]*?\*/")
_CLOSING = {"{": "}", "(": ")", "[": "]"}
_ENDS_EXPRESSION = ("\n", "#", "//", "}")
_CANNOT_END = tuple("=*/%,.:?&|<>!+-")
_CANNOT_START = tuple("=*/%,.:?&|>)]}")


class OutlineError(ValueError):
    """The text is not HCL as far as its outline goes; `line` counts from 1."""

    def __init__(self, text: str, line: int) -> None:
        super().__init__(text)
        self.line = line


@dataclass(frozen=True, slots=True)
class OutlineBlock:
    """A block: `start` and `end` are the offsets of its text, `line` counts from 1, `arguments` are raw texts."""

    kind: str
    labels: tuple[str, ...]
    line: int
    start: int
    end: int
    arguments: dict[str, str] = field(default_factory=dict)
    blocks: tuple[OutlineBlock, ...] = ()

    def inside(self, kind: str) -> Iterator[OutlineBlock]:
        """The nested blocks of that kind, in order."""
        return (block for block in self.blocks if block.kind == kind)


def outline(text: str) -> tuple[OutlineBlock, ...]:
    """The top-level blocks of `text`. Raises OutlineError where it is not HCL."""
    scanner = _Scanner(text)
    try:
        _, blocks, _ = scanner.body(0, top=True)
    except RecursionError:
        raise OutlineError("nested too deeply", 1) from None
    return blocks


def arguments(text: str) -> dict[str, str]:
    """The top-level arguments of `text`, as raw texts: what a var file assigns. Raises OutlineError."""
    try:
        found, _, _ = _Scanner(text).body(0, top=True)
    except RecursionError:
        raise OutlineError("nested too deeply", 1) from None
    return found


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._line = 1
        self._counted = 0

    def body(self, at: int, *, top: bool) -> tuple[dict[str, str], tuple[OutlineBlock, ...], int]:
        """Arguments, blocks, and the offset behind the closing brace (or the end of the text)."""
        arguments: dict[str, str] = {}
        blocks: list[OutlineBlock] = []
        while True:
            at = self._blank(at)
            if at >= len(self._text):
                if top:
                    return arguments, tuple(blocks), at
                raise self._error("a block is not closed", at)
            if self._text[at] == "}" and not top:
                return arguments, tuple(blocks), at + 1
            name = _NAME.match(self._text, at)
            if name is None:
                raise self._error("expected an argument or a block", at)
            assign = _ASSIGN.match(self._text, name.end())
            if assign:
                at = self._expression(assign.end())
                arguments[name[0]] = self._text[assign.end() : at].strip()
            else:
                block = self._block(name)
                blocks.append(block)
                at = block.end

    def _block(self, name: re.Match[str]) -> OutlineBlock:
        labels: list[str] = []
        at = name.end()
        while label := _LABEL.match(self._text, at):
            labels.append(label[1] if label[1] is not None else label[2])
            at = label.end()
        opening = _OPEN.match(self._text, at)
        if opening is None:
            raise self._error(f"expected `=` or `{{` after `{name[0]}`", name.start())
        line = self._line_of(name.start())
        arguments, blocks, end = self.body(opening.end(), top=False)
        return OutlineBlock(name[0], tuple(labels), line, name.start(), end, arguments, blocks)

    def _blank(self, at: int) -> int:
        match = _BLANK.match(self._text, at)
        return at if match is None else match.end()

    def _expression(self, at: int) -> int:
        """The offset where the expression that starts at `at` ends: a line's end, a comment, or the block's end."""
        start = at
        while found := _IN_EXPRESSION.search(self._text, at):
            mark = found[0]
            if mark in _ENDS_EXPRESSION:
                at = found.start()
                break
            at = self._past(found)
        else:
            at = len(self._text)
        raw = self._text[start:at].strip()
        if not raw or raw.startswith(_CANNOT_START):
            raise self._error("expected a value after `=`", start)
        if raw.endswith(_CANNOT_END) and not raw.endswith("*/"):
            raise self._error("an expression ends too early", start)
        return at

    def _close(self, at: int, closing: str) -> int:
        """The offset behind the bracket that closes the one before `at`."""
        opened = at - 1
        while found := _IN_BRACKETS.search(self._text, at):
            if found[0] == closing:
                return found.end()
            at = self._past(found)
        raise self._error("a bracket is not closed", opened)

    def _past(self, found: re.Match[str]) -> int:
        """The offset behind the string, comment, here-document or bracketed part that starts with that mark."""
        mark = found[0]
        if mark in _CLOSING:
            return self._close(found.end(), _CLOSING[mark])
        if mark == '"':
            plain = _PLAIN_STRING.match(self._text, found.start())
            return plain.end() if plain else self._template(found.end())
        if mark.startswith("<<"):
            heredoc = _HEREDOC.match(self._text, found.start())
            if heredoc is None:
                raise self._error("a here-document has no end", found.start())
            return heredoc.end()
        comment = _COMMENT.match(self._text, found.start())
        if comment is None:
            raise self._error(f"unexpected `{mark}`", found.start())
        return comment.end()

    def _template(self, at: int) -> int:
        """The offset behind a string with interpolations, whose inside starts at `at`."""
        opened = at - 1
        while found := _IN_TEMPLATE.search(self._text, at):
            mark = found[0]
            if mark == '"':
                return found.end()
            if mark == "\n":
                break
            if mark == "\\":
                at = found.end() + 1
            elif mark in ("${", "%{"):
                at = self._close(found.end(), "}")
            else:
                at = found.end()
        raise self._error("a string is not closed", opened)

    def _line_of(self, at: int) -> int:
        # Blocks come in order, so newlines are counted once.
        if at < self._counted:
            return self._text.count("\n", 0, at) + 1
        self._line += self._text.count("\n", self._counted, at)
        self._counted = at
        return self._line

    def _error(self, text: str, at: int) -> OutlineError:
        return OutlineError(text, self._text.count("\n", 0, at) + 1)
