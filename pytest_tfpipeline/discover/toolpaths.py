"""Files that the configurations of tflint, checkov and ruff name: plugins, checks of one's own, what they extend."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

_CONFIGURATIONS = (".tflint.hcl", ".checkov.yaml", ".checkov.yml", "ruff.toml", ".ruff.toml")
_QUOTED = re.compile(r"^[ \t]*([\w-]+)[ \t]*=[ \t]*(\[[^\]]*\]|[^\n]*)", re.MULTILINE)
_STRING = re.compile(r"[\"']([^\"'\n]*)[\"']")
_NO_PATH = re.compile(r"version|preset|source|format|signing_key|select|ignore|target|style|required")
_KEY = re.compile(r"^([\w-]+):")
_FILES = re.compile(r"extern|var-file|baseline|config|dir|file|path")
_WORD = re.compile(r"[\w.@-]+(?:/[\w.@-]+)*/?")


def tool_paths(top: Path, files: Sequence[str], places: Iterable[str]) -> dict[str, dict[str, str]]:
    """By directory, the paths that a configuration at or above it may name, and why. Whatever looks like a path of the
    repository counts as one."""
    named = {file: _named(top, file, files) for file in files if posixpath.basename(file) in _CONFIGURATIONS}
    found: dict[str, dict[str, str]] = {}
    for place in places:
        for file, paths in named.items():
            folder = posixpath.dirname(file)
            if not folder or f"{place}/".startswith(f"{folder}/"):
                found.setdefault(place, {}).update(dict.fromkeys(paths, f"{file} names it"))
    return found


def _named(top: Path, file: str, files: Sequence[str]) -> list[str]:
    try:
        text = (top / file).read_text("utf-8", "replace")
    except OSError:
        return []
    words = set(_yaml_words(text) if file.endswith(("yaml", "yml")) else _quoted_words(text))
    known = {*files, *(above for each in files for above in _above(each))}
    places = (posixpath.dirname(file), "")
    paths = {posixpath.normpath(posixpath.join(place, word)) for word in words for place in places}
    return sorted(path for path in paths if ("/" in path or path in known) and not path.startswith(("..", "/")))


def _quoted_words(text: str) -> Iterator[str]:
    """What is said by keys that name files; the names of plugins and rules are no paths."""
    for key, value in _QUOTED.findall(text):
        if not _NO_PATH.search(key):
            yield from (word for quoted in _STRING.findall(value) for word in _WORD.findall(quoted))


def _yaml_words(text: str) -> Iterator[str]:
    """Values of keys that name files, and whatever has a slash in it."""
    key = ""
    for line in text.splitlines():
        if found := _KEY.match(line):
            key = found[1]
        for word in _WORD.findall(line.partition(":")[2] if found else line):
            if "/" in word or _FILES.search(key):
                yield word


def _above(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]
