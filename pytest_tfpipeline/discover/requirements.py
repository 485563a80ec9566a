"""Which versions of providers a configuration file asks for, without a full parse."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_tfpipeline.discover.outline import outline
from pytest_tfpipeline.discover.providers import REGISTRY, whole_name

#: `version` of a provider block is how Terraform 0.12 had it, and still counts.
_SAYS = re.compile(r"required_providers|\bprovider\b[\s\S]*\bversion\b")
_PAIR = re.compile(r'(?<![\w-])"?(source|version)"?\s*[=:]\s*"([^"\n]*)"')
_WORD = re.compile(r"\b(?:source|version)\b")
_PLAIN = re.compile(r'"([^"\\$%\n]*)"')
_NOT_PLAIN = re.compile(r"[\\$%#(]|//|/\*|<<")


def constraints(name: str, text: str, registry: str = REGISTRY) -> Iterator[tuple[str, str]]:
    """A provider's whole name, and a constraint on its version ("" for any), for everything that the file `name` says.

    Raises ValueError for what is written in a way that only terraform itself should read.
    """
    if not _SAYS.search(text):
        return
    if name.endswith(".json"):
        raise ValueError("it is JSON")
    for block in outline(text):
        if block.kind == "provider" and "version" in block.arguments:
            raise ValueError("a provider block with a version")
        for required in block.inside("required_providers") if block.kind == "terraform" else ():
            if required.blocks:
                raise ValueError("a block in `required_providers`")
            for local, raw in required.arguments.items():
                yield _said(local, raw, registry)


def _said(local: str, raw: str, registry: str) -> tuple[str, str]:
    plain = _PLAIN.fullmatch(raw)
    if plain is not None:  # as Terraform 0.12 had it
        return whole_name(local, registry), plain[1]
    pairs = _PAIR.findall(raw)
    if _NOT_PLAIN.search(raw) or not raw.startswith("{") or len(_WORD.findall(raw)) != len(pairs):
        raise ValueError(f"what {local} asks for is not plain")
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(f"{local} asks twice")
    return whole_name(found.get("source", local), registry), found.get("version", "")
