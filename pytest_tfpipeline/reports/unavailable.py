"""What this machine does not have, told apart from what is wrong in the repository: a line each, however many roots
want it. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from pytest_tfpipeline.given import said
from pytest_tfpipeline.model import Finding, Record

#: Rules of findings that say so (`terraform/mends.py`).
RULES = ("no-provider", "no-module", "terraform-version")
#: Lines; the rest is counted.
SHOWN = 12
_DIRECTORIES = 3

_PROVIDER = re.compile(r"\bprovider ([\w.-]+(?:/[\w.-]+)+): (.*)")
_CONSTRAINT = re.compile(r"constraints? (.+)$|previously-selected version (\S+)")
_SOURCE = re.compile(r'\bmodule "([^"]+)".*? from (?:"([^"]+)"|(\S+?):?(?=\s|$))', re.DOTALL)
_PROGRAM = re.compile(r"^(\S+ .{1,80}?) is asked for")


def unavailable(records: Iterable[Record]) -> list[str]:
    """A sentence for each provider, module and version that could not be had, most wanted first."""
    wanted: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for record in records:
        for finding in record.findings:
            name = _name(finding)
            if name is not None:
                wanted[name][record.dir or "."] = None
    most = sorted(wanted.items(), key=lambda each: (-len(each[1]), each[0]))
    lines = [f"cannot be had here: {name}, wanted by {_some(sorted(dirs))}" for name, dirs in most[:SHOWN]]
    more = len(most) - len(lines)
    return [*lines, f"{more} more cannot be had here; evidence.json names them"] if more else lines


def _name(finding: Finding) -> str | None:
    if finding.rule not in RULES:
        return None
    provider = _PROVIDER.search(finding.text)
    if provider:
        version = _CONSTRAINT.search(provider[2])
        return " ".join(filter(None, (f"provider {provider[1]}", *(version.groups() if version else ()))))
    source = _SOURCE.search(finding.text)
    if source:
        return f"module {source[2]}" if source[2] else f'module "{source[1]}" of {source[3]}'
    program = _PROGRAM.search(finding.text)
    return program[1] if program else None


def _some(dirs: list[str]) -> str:
    names = [*map(said, dirs)]
    more = f" and {len(names) - _DIRECTORIES} more" if len(names) > _DIRECTORIES else ""
    return f"{', '.join(names[:_DIRECTORIES])}{more}"
