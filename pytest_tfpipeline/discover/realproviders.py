"""Which providers a run block of a native test would really use: those of its configuration that are not mocked.

A configuration is followed through the modules that it calls, each of which has names of its own for providers.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_tfpipeline.discover.hcl import Block
from pytest_tfpipeline.discover.nativetests import RunBlock, TestFile, stem_of
from pytest_tfpipeline.discover.providers import blocks_in, declared, implied

#: Providers that reach no account: they compute, read, or write files where terraform works.
WITHOUT_CLOUD = frozenset(
    {"archive", "cloudinit", "external", "http", "local", "null", "random", "template", "time", "tls"}
)
_REFERENCE = re.compile(r"[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)?")


@dataclass(frozen=True, slots=True)
class _Use:
    """A provider as one module calls it (`aws`, `aws.west`), and its whole name."""

    reference: str
    source: str


@dataclass(frozen=True, slots=True)
class Modules:
    """The modules that init found: their directories by key (`network.subnets`), as `modules.json` has them; and
    whether OpenTofu reads them."""

    top: Path
    directories: Mapping[str, str]
    tofu: bool = False

    def uses(self, key: str = "") -> frozenset[_Use]:
        """The providers of that module and of those that it calls, by the names that it has for them itself. Its own
        `provider` blocks do not count: terraform configures none that nothing uses.

        Raises DiscoveryError where a file cannot be parsed.
        """
        blocks = blocks_in(self.top, self.directories[key], tofu=self.tofu)
        names = {local: source for local, (source, _) in declared(blocks).items()}
        using = [block for block in blocks if block.kind != "provider"]
        found = {_Use(reference, source) for reference, source, _ in implied(using, names)}
        for block in (block for block in blocks if block.kind == "module"):
            inner = ".".join(part for part in (key, *block.labels) if part)
            if inner in self.directories:
                found |= {_handed(use, block, names) for use in self._inner_uses(inner)}
        return frozenset(found)

    def _inner_uses(self, key: str) -> frozenset[_Use]:
        """The same for a called module; what it configures by itself has a name that no other module can give."""
        blocks = [
            block for block in blocks_in(self.top, self.directories[key], tofu=self.tofu) if block.kind == "provider"
        ]
        own = {reference for reference, _, _ in implied(blocks, {})}
        return frozenset(
            _Use(f".{use.reference}", use.source) if use.reference in own else use for use in self.uses(key)
        )

    def key_of(self, file: str, run: RunBlock) -> str:
        """The key of what the run block runs: the configuration itself, or a module of its own. `file` is relative to
        the tested directory. OpenTofu takes no other ending than `.tftest.hcl` off the file's name."""
        if not run.module:
            return ""
        name = posixpath.normpath(file)
        keys = [".".join(("test", *stem.split("/"), run.name)) for stem in (stem_of(name), name)]
        return next((key for key in keys if key in self.directories), keys[0])


def real_providers(modules: Modules, file: str, tests: TestFile, run: RunBlock) -> tuple[str, ...]:
    """Whole names of the providers that the run block would really use and that reach something, sorted.

    Raises DiscoveryError where a file cannot be parsed, KeyError where init did not find the module.
    """
    uses = modules.uses(modules.key_of(file, run))
    return tuple(sorted({use.source for use in uses if _reaches(use.source) and not _is_mocked(use, tests, run)}))


def _is_mocked(use: _Use, tests: TestFile, run: RunBlock) -> bool:
    if run.providers is None:
        return use.reference in tests.mocks
    return run.providers.get(use.reference) in tests.mocks


def _reaches(source: str) -> bool:
    _, namespace, name = source.split("/")
    return not (namespace == "builtin" or (namespace == "hashicorp" and name in WITHOUT_CLOUD))


def _handed(use: _Use, call: Block, names: Mapping[str, str]) -> _Use:
    """What a called module uses, by the caller's name for it."""
    given = dict(_pairs(call.body.get("providers")))
    if use.reference in given:
        return _Use(given[use.reference], use.source)
    if "." in use.reference:  # nobody handed it on: it is the module's own
        return _Use(f".{use.reference}", use.source)
    local = next((name for name, source in names.items() if source == use.source), use.source.rpartition("/")[2])
    return _Use(local, use.source)


def _pairs(value: object) -> Iterator[tuple[str, str]]:
    for table in value if isinstance(value, list) else [value]:
        for key, item in table.items() if isinstance(table, dict) else ():
            yield _reference(str(key)), _reference(str(item))


def _reference(text: str) -> str:
    found = _REFERENCE.search(text)
    return found[0] if found else text
