"""What an older terraform does not know, by name: its own message only says what it did not expect."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.version import Version

from pytest_tfpipeline.model import Tool


@dataclass(frozen=True, slots=True)
class Feature:
    """`pattern` is what a program without it says; `since` the first version of each program that has it."""

    name: str
    pattern: re.Pattern[str]
    since: dict[str, str]


def _block(kind: str, name: str, **since: str) -> Feature:
    return Feature(name, re.compile(rf'Blocks\s+of\s+type\s+"{kind}"\s+are\s+not\s+expected'), since)


def _argument(name: str, what: str, **since: str) -> Feature:
    return Feature(what, re.compile(rf'(?:argument\s+named|[Aa]rgument)\s+"{name}"\s+is\s+not\s+expected'), since)


def _functions(*names: str, **since: str) -> Feature:
    named = " and ".join(f"`{name}`" for name in names)
    return Feature(named, re.compile(rf'no\s+function\s+named\s+"(?:{"|".join(names)})"'), since)


FEATURES = (
    _block("check", "`check` blocks", terraform="1.5", tofu="1.6"),
    _block("import", "`import` blocks", terraform="1.5", tofu="1.6"),
    _block("removed", "`removed` blocks", terraform="1.7", tofu="1.7"),
    _block("ephemeral", "ephemeral resources", terraform="1.10", tofu="1.11"),
    _block("encryption", "`encryption` blocks", tofu="1.7"),
    Feature(
        "`terraform_data`",
        re.compile(r'does\s+not\s+support\s+resource\s+type\s+"terraform_data"'),
        {"terraform": "1.4", "tofu": "1.6"},
    ),
    Feature(
        "optional attributes of an object's type",
        re.compile(r"[Oo]ptional\s+(?:object\s+type\s+)?attributes\s+(?:are|is)\s+experimental"),
        {"terraform": "1.3", "tofu": "1.6"},
    ),
    Feature("functions of providers", re.compile(r"\bprovider::\w+::"), {"terraform": "1.8", "tofu": "1.7"}),
    _argument("ephemeral", "`ephemeral` values", terraform="1.10", tofu="1.11"),
    _argument("use_lockfile", "locks in S3 (`use_lockfile`)", terraform="1.10", tofu="1.10"),
    _functions("startswith", "endswith", "timecmp", terraform="1.3", tofu="1.6"),
    _functions("strcontains", "plantimestamp", terraform="1.5", tofu="1.6"),
    _functions("issensitive", terraform="1.8", tofu="1.7"),
    _functions("templatestring", terraform="1.9", tofu="1.7"),
    _functions("ephemeralasnull", terraform="1.10", tofu="1.11"),
    _functions("base64gunzip", "cidrcontains", "urldecode", tofu="1.7"),
)


def lacking(tool: Tool, text: str) -> str:
    """What to do where the text says that the program lacks something that a newer one, or the other one, has; ""
    where it does not."""
    found = next((one for one in FEATURES if one.pattern.search(text)), None)
    if found is None:
        return ""
    since = found.since.get(tool.name)
    if since is None:
        return f'{tool.name} has no {found.name}: OpenTofu has. `terraform = "tofu"` under [tool.tfpipeline.tools].'
    if Version(tool.version) >= Version(since):
        return ""
    return (
        f"{tool.name} {tool.version} does not know {found.name}, which are there since {since}: "
        "take a newer one, or do without."
    )
