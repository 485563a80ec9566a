"""Numbers of a plan as terraform wrote them: it knows more digits than a double does."""

from __future__ import annotations

#: Beyond these Python refuses to make an integer of a text (`sys.int_info.default_max_str_digits` is 4300).
_MOST_DIGITS = 4000


class ExactFloat(float):
    """A number that a double only comes near to; `text` is all of it. Everywhere else it is that double."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> ExactFloat:
        made = super().__new__(cls, text)
        made.text = text
        return made


def exact_float(text: str) -> float:
    """For `json.loads(parse_float=...)`: a float, or an `ExactFloat` where something would be lost."""
    value = float(text)
    return value if repr(value) == text else ExactFloat(text)


def exact_int(text: str) -> int | float:
    """For `json.loads(parse_int=...)`: an integer, or an `ExactFloat` where it is longer than Python takes."""
    return int(text) if len(text) <= _MOST_DIGITS else ExactFloat(text)
