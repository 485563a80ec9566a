"""Did-you-mean."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def closest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known word that `word` was most likely meant to be, or None; the case of letters does not count.

    `cutoff` is how alike they must be, from 0 (not at all) to 1 (the same), as in difflib.
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean `staging`?`, or nothing where no known word is close."""
    found = closest(word, known)
    return f"; did you mean `{found}`?" if found and found != word else ""
