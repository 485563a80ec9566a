"""Which root's state a `terraform_remote_state` reads, as far as the texts tell. Pure.

Settings are compared as written. A part that is known only later (`${...}`, or `{env}` in the configuration) is a
wildcard; the decisive setting (the key or path of the state) must be there on both sides and share literal text.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

#: The setting that says which state of a backend it is; a backend that is not here is not matched.
DECISIVE = {
    "azurerm": "key",
    "consul": "path",
    "cos": "key",
    "gcs": "prefix",
    "http": "address",
    "kubernetes": "secret_suffix",
    "local": "path",
    "oci": "key",
    "oss": "key",
    "pg": "schema_name",
    "remote": "workspaces.name",
    "s3": "key",
}
#: The setting below which a backend keeps the states of workspaces: two roots may differ in that alone.
WORKSPACE_PREFIX = {"s3": "workspace_key_prefix"}
#: Settings that must not contradict each other where both are written out.
_PLACE = (
    *("bucket", "container_name", "storage_account_name", "prefix", "workspace_key_prefix", "organization"),
    *("hostname", "namespace", "conn_str"),
)
_LATER = re.compile(r"[$%]\{(?:[^{}]|\{[^{}]*\})*\}|\{(?:env|name|parts\[-?\d+\])\}")
_PATH_MODULE = re.compile(r"^\$\{path\.(?:module|root|cwd)\}/")
_WORKSPACE_STATE = re.compile(r"terraform\.tfstate\.d/[^/]+/")
_WILD = "\0"
#: Longer patterns are only compared, not matched.
_LONG = 600


@dataclass(frozen=True, slots=True)
class State:
    """A root's state, or what a remote state reads: the backend's type and its settings as written.

    `dir` is where relative local paths start; `environment` the only one it belongs to, where its place says so.
    """

    dir: str
    backend: str
    config: Mapping[str, str] = field(default_factory=dict)
    environment: str | None = None


class States:
    """The states of all roots, ready to be asked whose a remote state reads."""

    def __init__(self, states: Iterable[State]) -> None:
        self._by_pattern: defaultdict[tuple[str, str], list[State]] = defaultdict(list)
        self._patterns: defaultdict[str, dict[str, None]] = defaultdict(dict)
        for state in states:
            kind, pattern = _kind(state.backend), _decisive(state)
            self._by_pattern[kind, pattern].append(state)
            self._patterns[kind][pattern] = None
        self._wild = {kind: [text for text in texts if _WILD in text] for kind, texts in self._patterns.items()}

    def read_by(self, reading: State) -> tuple[str, ...]:
        """The directories of the roots whose state that could be: one is an answer, several are not.

        An exact match beats those by wildcard, then one in the reader's own environment.
        """
        kind, wanted = _kind(reading.backend), _decisive(reading)
        if not wanted.strip(_WILD + "/"):
            return ()
        found = self._agreeing(kind, (wanted,), reading)
        if not found:
            others = self._patterns.get(kind, {}) if _WILD in wanted else self._wild.get(kind, ())
            fitting = (text for text in others if text.strip(_WILD + "/") and _overlap(wanted, text))
            found = self._agreeing(kind, fitting, reading)
        if len(found) > 1 and reading.environment:
            found = [state for state in found if state.environment == reading.environment] or found
        return tuple(sorted(state.dir for state in found))

    def _agreeing(self, kind: str, patterns: Iterable[str], reading: State) -> list[State]:
        candidates = (state for pattern in patterns for state in self._by_pattern.get((kind, pattern), ()))
        return [state for state in candidates if _same_place(reading, state)]


def _same_place(reading: State, state: State) -> bool:
    shared = [name for name in _PLACE if reading.config.get(name) and state.config.get(name)]
    return all(_overlap(_pattern(reading.config[name]), _pattern(state.config[name])) for name in shared)


def _kind(backend: str) -> str:
    return "remote" if backend == "cloud" else backend


def _decisive(state: State) -> str:
    """The decisive setting as a pattern; "" where it is not written."""
    text = state.config.get(DECISIVE.get(_kind(state.backend), ""), "")
    if state.backend != "local":
        return _pattern(text)
    path = _WORKSPACE_STATE.sub("", _PATH_MODULE.sub("", text or "terraform.tfstate"))
    return _pattern(posixpath.normpath(posixpath.join(state.dir, path)))


def is_literal(text: str) -> bool:
    """Whether nothing in a setting is known only later."""
    return not _LATER.search(text)


@cache
def _pattern(text: str) -> str:
    return _LATER.sub(_WILD, text)


def _overlap(one: str, other: str) -> bool:
    """Whether some text fits both patterns; a wildcard stands for at least one character, and not for a `/`."""
    if _WILD not in one + other or len(one) + len(other) > _LONG:
        return one == other
    return _fits(one, other)


@cache
def _fits(one: str, other: str) -> bool:
    if not one or not other:
        return one == other
    if one[0] != _WILD and other[0] != _WILD:
        return one[0] == other[0] and _fits(one[1:], other[1:])
    if one[0] != _WILD:
        one, other = other, one
    if other[0] == _WILD:
        return _fits(one[1:], other[1:]) or _fits(one, other[1:]) or _fits(one[1:], other)
    return other[0] != "/" and (_fits(one[1:], other[1:]) or _fits(one, other[1:]))
