"""Which providers a configuration asks for, before anything of it is run: declared ones and those that are implied.

`terraform init` installs providers, and a plan runs them, with the credentials of the plan: whoever wants a say must
have it before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_tfpipeline.discover.engines import configuration
from pytest_tfpipeline.discover.hcl import Block, HclError, parse_blocks
from pytest_tfpipeline.errors import DiscoveryError

REGISTRY, TOFU_REGISTRY, _NAMESPACE = "registry.terraform.io", "registry.opentofu.org", "hashicorp"
#: It is terraform itself.
_BUILTIN = "terraform.io/builtin/terraform"
#: Blocks whose type says which provider they are of.
_TYPED = ("resource", "data", "ephemeral", "list", "action")
_NAMED = re.compile(r"^\$?\{?\s*([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)?)")


@dataclass(frozen=True, slots=True)
class Asked:
    """A provider's whole name (`registry.terraform.io/hashicorp/aws`), and the file and line that ask for it."""

    name: str
    file: str
    line: int


def asked_for(top: Path, directory: str, *, tofu: bool = False) -> tuple[Asked, ...]:
    """What the files of that one directory ask for, where terraform runs it or OpenTofu. Raises DiscoveryError where a
    file cannot be read: what it would ask for, nobody can know."""
    blocks = blocks_in(top, directory, tofu=tofu)
    registry = TOFU_REGISTRY if tofu else REGISTRY
    known = declared(blocks, registry)
    names = {local: source for local, (source, _) in known.items()}
    found = [Asked(source, block.file, block.line) for source, block in known.values()]
    found += [Asked(source, block.file, block.line) for _, source, block in implied(blocks, names, registry)]
    return tuple(one for one in dict.fromkeys(found) if one.name != _BUILTIN)


def blocks_in(top: Path, directory: str, *, tofu: bool = False) -> tuple[Block, ...]:
    """Every block of that one directory's files, parsed; raises DiscoveryError as `asked_for` does."""
    return tuple(block for path in _files(top / directory, tofu=tofu) for block in _blocks(top, path))


def declared(blocks: Iterable[Block], registry: str = REGISTRY) -> dict[str, tuple[str, Block]]:
    """The whole name by local name, from `required_providers`, with the block that says it."""
    found = {}
    for block in blocks:
        for settings in _listed(block.body.get("required_providers")) if block.kind == "terraform" else ():
            for local, said in settings.items():
                source = next(iter(_listed(said)), {}).get("source", local)
                found[local] = (whole_name(str(source), registry), block)
    return found


def implied(
    blocks: Iterable[Block], names: Mapping[str, str], registry: str = REGISTRY
) -> Iterator[tuple[str, str, Block]]:
    """What blocks use: as it is called there (`aws`, `aws.west`), its whole name, and the block. `names` are the
    whole names by local name."""
    for reference, block in _references(blocks):
        local = reference.partition(".")[0]
        yield reference, whole_name(names.get(local, local), registry), block


def whole_name(source: str, registry: str = REGISTRY) -> str:
    """`aws` and `hashicorp/aws` with their registry and namespace."""
    parts = source.lower().split("/")
    if parts == ["terraform"]:
        return _BUILTIN
    return "/".join([*([registry, _NAMESPACE][: 3 - len(parts)]), *parts])


def _files(folder: Path, *, tofu: bool) -> list[Path]:
    names = [path.name for path in folder.iterdir() if path.is_file()]
    return [folder / name for name in configuration(names, tofu=tofu)]


def _blocks(top: Path, path: Path) -> tuple[Block, ...]:
    file = path.relative_to(top).as_posix()
    why = "nobody can say which providers it asks for"
    try:
        return parse_blocks(path, file)
    except HclError as error:
        where = f"{file}:{error.line}" if error.line else file
        raise DiscoveryError(f"cannot be parsed, so {why}: {error}", where=where, mend="correct the syntax") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DiscoveryError(f"cannot be read, so {why}: {error}", where=file, mend="save it as UTF-8 text") from None


def _references(blocks: Iterable[Block]) -> Iterator[tuple[str, Block]]:
    for block in blocks:
        if block.kind == "provider" and block.labels:
            alias = block.body.get("alias")
            yield f"{block.labels[0]}.{alias}" if alias else block.labels[0], block
        if block.kind in _TYPED and block.labels:
            yield _reference(block.labels[0], block.body), block
        if block.kind == "import" and "provider" in block.body:
            yield _reference("", block.body), block
        for data in _listed(block.body.get("data")) if block.kind == "check" else ():
            for kind, named in data.items():
                yield _reference(kind, next(iter(_bodies(named)), {})), block


def _reference(kind: str, body: Mapping[str, Any]) -> str:
    """The provider that is named, else the first word of the type."""
    said = _NAMED.match(str(body["provider"])) if body.get("provider") else None
    return said[1] if said else kind.split("_")[0]


def _listed(value: object) -> list[dict[str, Any]]:
    """Nested blocks, which are tables or arrays of them."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def _bodies(value: object) -> Iterator[dict[str, Any]]:
    """The bodies of labelled blocks, by name."""
    for named in _listed(value):
        for body in named.values():
            yield from _listed(body)
