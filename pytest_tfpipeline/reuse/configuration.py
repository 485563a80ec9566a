"""What Terraform's configuration depends on beside its own files, read from its text: too much does no harm.

terraform, tflint and checkov follow local modules; functions read files while a configuration is validated or linted.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_tfpipeline.reuse.tree import Tree, Unknowable

LOCK_FILE = ".terraform.lock.hcl"
#: Endings of what terraform and OpenTofu read.
_TEXTS = (".tf", ".tofu", ".tf.json", ".tofu.json", ".hcl", ".tftest.json", ".tofutest.json", ".tfvars", ".tfvars.json")
#: A path of the repository, as the source of a local module is one.
_RELATIVE = re.compile(r'"(\.\.?(?:/[^"$%\n]*)?)"')
_FUNCTION = re.compile(r"\b(?:file\w*|templatefile|abspath|pathexpand)\s*\(")
_OF_PROVIDERS = re.compile(r"\bprovider::(?!terraform::)")
#: The beginning of a path outside of the repository, up to the first value in it.
_ABSOLUTE = re.compile(r'"([/~][^"$\n]+)("|\$)')
#: To the next block, since there may be braces before its source.
_MODULE = re.compile(
    r'^[ \t]*module[ \t]+"[^"\n]*"[ \t]*\{(.*?)(?=^[ \t]*(?:module|resource|data|variable|output|locals|terraform'
    r"|provider|moved|import|removed|check|ephemeral|run|action|list)\b[^=\n]*\{|\Z)",
    re.MULTILINE | re.DOTALL,
)
_MODULE_JSON = re.compile(r'"module"\s*:')
_SOURCE = re.compile(
    r'^[ \t]*source[ \t]*=[ \t]*(?![ \t]|"\.\.?(?:/[^"$\n]*)?"[ \t]*\}?[ \t]*(?:[#/].*)?$)'
    r'(?P<quote>"?)[^"$\n]*(?P<value>\$?)',
    re.MULTILINE,
)
_PROVIDERS = re.compile(
    r'^[ \t]*(?:resource|data|ephemeral|action|list)[ \t]+(?![ \t]|"?terraform_)|\brequired_providers\b'
    r'|^[ \t]*provider(?:_meta)?[ \t]+(?![ \t]|"?terraform"?[ \t]*\{)',
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Of a directory and the local modules below it: `directories`, and the SHA-256 of each of their files.

    `reads`: functions in it read files. `remote`: it may call modules that are not in the tree. `providers`: it may
    need others than the one that is part of terraform.
    """

    directories: tuple[str, ...]
    files: dict[str, str]
    reads: bool
    remote: bool
    providers: bool


@dataclass(frozen=True, slots=True)
class _Text:
    paths: tuple[str, ...]
    reads: bool
    remote: bool
    providers: bool
    outside: tuple[str, ...]


class Configurations:
    """Reads each file of a tree once."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._texts: dict[str, _Text] = {}

    def of(self, directory: str) -> Configuration:
        """Raises Unknowable where a function may read what is not in the tree."""
        directories = tuple(sorted(self._closure(directory)))
        names = [name for one in directories for name in self._files(one)]
        texts = [self._text(name) for name in names if name.endswith(_TEXTS)]
        reads = any(text.reads for text in texts)
        outside = [path for text in texts for path in text.outside if reads and _is_there(path)]
        if outside:
            raise Unknowable(f"a function may read {outside[0]}, which is not in the repository")
        remote, providers = any(text.remote for text in texts), any(text.providers for text in texts)
        return Configuration(directories, self._tree.digests(names), reads, remote, providers)

    def _closure(self, directory: str) -> set[str]:
        found, left = {directory}, [directory]
        while left:
            for path in self._paths(left.pop()):
                if path not in found and self._tree.place(path) == "directory":
                    found.add(path)
                    left.append(path)
        return found

    def _paths(self, directory: str) -> Iterator[str]:
        """A path in a test is relative to the directory that it tests."""
        for name in self._files(directory):
            if name.endswith(_TEXTS):
                for path in self._text(name).paths:
                    for base in {directory, posixpath.dirname(name) or "."}:
                        yield posixpath.normpath(posixpath.join(base, path))

    def _files(self, directory: str) -> tuple[str, ...]:
        tests = posixpath.normpath(posixpath.join(directory, "tests"))
        native = (name for name in self._tree.files(tests) if name.endswith((".hcl", "test.json")))
        return (*self._tree.files(directory), *native)

    def _text(self, name: str) -> _Text:
        if name not in self._texts:
            self._texts[name] = _read(name, self._tree.content(name).decode("utf-8", "replace"))
        return self._texts[name]


def _read(name: str, text: str) -> _Text:
    if _OF_PROVIDERS.search(text):
        raise Unknowable(f"{name} calls functions of a provider")
    is_json = name.endswith(".json")
    return _Text(
        paths=tuple(_RELATIVE.findall(text)),
        reads=_FUNCTION.search(text) is not None,
        remote=_MODULE_JSON.search(text) is not None if is_json else _calls_elsewhere(name, text),
        providers=is_json or _PROVIDERS.search(text) is not None,
        outside=tuple(_outside(text)),
    )


def _calls_elsewhere(name: str, text: str) -> bool:
    found = [source for block in _MODULE.finditer(text) for source in _SOURCE.finditer(block[1])]
    if any(source["value"] or not source["quote"] for source in found):
        raise Unknowable(f"{name} calls a module whose place is computed")
    return bool(found)


def _outside(text: str) -> Iterator[str]:
    """Of a path that ends in a value, the directory that it is in."""
    for path, end in _ABSOLUTE.findall(text):
        yield path if end == '"' else posixpath.dirname(path)


def _is_there(path: str) -> bool:
    try:
        return path not in ("/", "~") and Path(path).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False
