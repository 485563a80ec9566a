"""`{env}`, `{name}` and `{parts[-2]}` in configured texts, and `${NAME}` in variables.

`{{` and `}}` stand for one brace, `$${` for a literal `${`. What a placeholder may be is checked when the
configuration is read; whether `{parts[3]}` is there depends on the root and is checked against the repository.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pytest_tfpipeline.config.suggest import did_you_mean

_TOKEN = re.compile(r"\$\$\{|\$\{(?P<variable>[^{}]*)\}|\{\{|\}\}|\{(?P<placeholder>[^{}]*)\}|(?P<stray>[{}])")
_PARTS = re.compile(r"parts\[(-?[0-9]{1,3})\]")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class PlaceholderError(ValueError):
    """A placeholder that cannot be replaced; the text says which, and what there is instead."""


@dataclass(frozen=True, slots=True)
class Place:
    """What the placeholders stand for: a root's directory and name, and an environment.

    `environ` is the process environment that `${NAME}` reads, or None where it is not allowed.
    """

    dir: str
    name: str | None = None
    env: str | None = None
    environ: Mapping[str, str] | None = None

    @property
    def parts(self) -> tuple[str, ...]:
        """The components of the directory: `("terraform", "core")`; none for the repository's top."""
        return tuple(part for part in self.dir.split("/") if part not in ("", "."))


def check_template(text: str, allowed: tuple[str, ...], *, variables: bool = False) -> None:
    """Raise PlaceholderError where `text` has anything else in braces than `allowed` (`env`, `name`, `parts`)."""
    for token in _TOKEN.finditer(text):
        _check_token(token, allowed, variables)


def expand(text: str, place: Place) -> str:
    """`text` with every placeholder replaced; PlaceholderError where one has no value, KeyError never."""
    return _TOKEN.sub(lambda token: _value(token, place), text)


def expand_all(value: object, place: Place) -> object:
    """The same over strings in nested lists and tables; keys stay as they are."""
    if isinstance(value, str):
        return expand(value, place)
    if isinstance(value, list | tuple):
        return type(value)(expand_all(item, place) for item in value)
    if isinstance(value, dict):
        return {key: expand_all(item, place) for key, item in value.items()}
    return value


def variable_names(value: object) -> tuple[str, ...]:
    """The names of every `${NAME}` in nested lists and tables, in order, each once."""
    return tuple(dict.fromkeys(_variable_names(value)))


def _variable_names(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield from (token["variable"] for token in _TOKEN.finditer(value) if token["variable"] is not None)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _variable_names(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _variable_names(item)


def _check_token(token: re.Match[str], allowed: tuple[str, ...], variables: bool) -> None:
    if token["stray"]:
        raise PlaceholderError(f"a single `{token['stray']}`; write it twice to mean the character")
    if token["variable"] is not None:
        if not variables:
            raise PlaceholderError(f"`{token[0]}` reads the environment, which only `vars` can do")
        if not _VARIABLE.fullmatch(token["variable"]):
            raise PlaceholderError(f"`{token[0]}` does not name an environment variable; `$${{` is a literal `${{`")
    if token["placeholder"] is not None:
        _check_placeholder(token["placeholder"], allowed)


def _check_placeholder(placeholder: str, allowed: tuple[str, ...]) -> None:
    kind = "parts" if _PARTS.fullmatch(placeholder) else placeholder
    if kind in allowed and (kind != "parts" or kind != placeholder):
        return
    known = [f"{{{name}}}" if name != "parts" else "{parts[-1]}" for name in allowed]
    hint = did_you_mean(f"{{{placeholder}}}", known)
    raise PlaceholderError(f"unknown placeholder `{{{placeholder}}}`{hint} (known here: {', '.join(known)})")


def _value(token: re.Match[str], place: Place) -> str:
    if token["variable"] is not None:
        return _environ_value(token["variable"], place)
    if token["placeholder"] is not None:
        return _placeholder_value(token["placeholder"], place)
    return {"$${": "${", "{{": "{", "}}": "}"}.get(token[0], token[0])


def _environ_value(name: str, place: Place) -> str:
    value = None if place.environ is None else place.environ.get(name)
    if value is None:
        raise PlaceholderError(f"the environment variable `{name}` is not set")
    return value


def _placeholder_value(placeholder: str, place: Place) -> str:
    index = _PARTS.fullmatch(placeholder)
    if index:
        return _part(int(index[1]), place)
    value = {"env": place.env, "name": place.name}.get(placeholder)
    if value is None:
        raise PlaceholderError(f"`{{{placeholder}}}` has no value here")
    return value


def _part(index: int, place: Place) -> str:
    parts = place.parts
    if not -len(parts) <= index < len(parts):
        raise PlaceholderError(f"`{{parts[{index}]}}`: `{place.dir}` has {len(parts)} parts")
    return parts[index]
