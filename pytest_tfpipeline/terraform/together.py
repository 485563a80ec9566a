"""Findings that say the same of several providers, as one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pytest_tfpipeline.model import Finding

_RULE = "no-provider"
_SAID = re.compile(
    r"(?P<head>[^\n]*)\n(?P<before>[^:]*?\bprovider) (?P<name>[\w.-]+(?:/[\w.-]+)+)(?P<after>: .*)\n"
    r"(?P<last>-> [^\n]*)",
    re.DOTALL,
)


def providers_together(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """For people: of one root's providers that cannot be had one finding, at the first's place, with a line for each
    reason that names all providers. Everything else stays as it is."""
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for index, finding in enumerate(findings):
        said = _SAID.fullmatch(finding.text) if finding.rule == _RULE else None
        alike = replace(finding, text=f"{said['head']}\n{said['last']}") if said else None
        groups.setdefault((alike,) if alike else (None, index), []).append(finding)
    return tuple(_one(group) for group in groups.values())


def _one(group: Sequence[Finding]) -> Finding:
    said = [found for each in group if (found := _SAID.fullmatch(each.text))]
    if len(group) == 1:
        return group[0]
    names: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for one in said:
        names[one["before"], one["after"]][one["name"]] = None
    lines = (_line(before, [*some], after) for (before, after), some in names.items())
    return replace(group[0], text="\n".join((said[0]["head"], *lines, said[0]["last"])))


def _line(before: str, names: Sequence[str], after: str) -> str:
    if len(names) == 1:
        return f"{before} {names[0]}{after}"
    return f"{before}s {', '.join(names[:-1])} and {names[-1]}{after}"
