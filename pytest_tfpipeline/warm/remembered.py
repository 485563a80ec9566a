"""What checkov works out again and again, always the same: kept, so that it is worked out once.

Loaded by server.py in checkov's own interpreter: it uses the standard library alone, and is given what it wraps.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from typing import Any

#: The most texts that are kept for one call; checkov itself gives up on texts of over 10,000 characters.
_MOST = 200_000
#: What a text comes to, but for functions and the like.
_KEPT = (str, int, float, bool, list, dict)
#: Bound anew by each evaluation, to no other meaning.
_PRINT = "print"
#: Evaluates to something else each time.
_CLOCK = "timestamp"


def evaluated_once(evaluate: Callable[..., Any], symbols: dict[str, Any]) -> Callable[..., Any]:
    """checkov's `evaluate_terraform`, which evaluates a text once.

    Whoever asks gets a value of their own. An evaluation that names anything in `symbols`, its table of names, can
    give later texts another meaning: from then on nothing is remembered.
    """
    known = dict(symbols)
    kept: dict[tuple[str, bool], tuple[Any]] = {}
    changed = False

    def remembering(text: Any, keep_interpolations: bool = True) -> Any:
        nonlocal changed
        if changed or type(text) is not str or _CLOCK in text:
            return evaluate(text, keep_interpolations)
        found = kept.get((text, keep_interpolations))
        if found is not None:
            return copy.deepcopy(found[0])
        value = evaluate(text, keep_interpolations)
        changed = changed or not _same(symbols, known)
        if not changed and type(value) in _KEPT and len(kept) < _MOST:
            kept[text, keep_interpolations] = (copy.deepcopy(value),)
        return value

    return remembering


def _same(symbols: dict[str, Any], known: dict[str, Any]) -> bool:
    if len(symbols) != len(known) and set(symbols) - set(known) != {_PRINT}:
        return False
    return all(value is known.get(name) or name == _PRINT for name, value in symbols.items())


def resolved_once(resolve: Callable[..., str]) -> Callable[..., str]:
    """`os.path.realpath`, which follows the links of an absolute path once: no tree changes while it is policed."""
    kept: dict[str, str] = {}

    def remembering(path: Any, **settings: Any) -> str:
        if settings or type(path) is not str or not path.startswith(os.sep):
            return resolve(path, **settings)
        if path not in kept:
            kept[path] = resolve(path)
        return kept[path]

    return remembering


def built_once(build: Callable[..., Any]) -> Callable[..., Any]:
    """`ply.yacc.yacc`, which makes the tables of a grammar once; the grammar is a class, and where it starts.

    A parser has the state of what it parses: everybody gets one of their own.
    """
    kept: dict[tuple[type, str], Any] = {}

    def remembering(*positional: Any, **settings: Any) -> Any:
        module, start = settings.get("module"), settings.get("start")
        if positional or module is None or start is None or settings.get("debug"):
            return build(*positional, **settings)
        key = type(module), start
        if key not in kept:
            kept[key] = build(**settings)
        return copy.copy(kept[key])

    return remembering
