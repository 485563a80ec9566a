"""What terraform says where it cannot say it as JSON (`init` before 1.9), as the diagnostics that JSON has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_START = re.compile(r"^(Error|Warning): ", re.MULTILINE)
_PLACE = re.compile(r"^\s*on (?P<file>\S+) line (?P<line>\d+).*\n(?:\s*\d+: (?P<code>.*)\n)?", re.MULTILINE)
#: terraform breaks its paragraphs at 78 columns.
_BROKEN = re.compile(r"(?<=\S)\n(?=\S)")


def diagnostics_of_text(text: str) -> tuple[dict[str, Any], ...]:
    """Severity, summary, detail and, where it is said, file, line and source line of each error and warning."""
    return tuple(_diagnostics(text))


def _diagnostics(text: str) -> Iterator[dict[str, Any]]:
    starts = [*_START.finditer(text)]
    for index, start in enumerate(starts):
        end = starts[index + 1].start() if index + 1 < len(starts) else len(text)
        summary, _, body = text[start.end() : end].partition("\n")
        place = _PLACE.search(body)
        detail = body[place.end() :] if place else body
        said = {"summary": summary.strip(), "detail": _BROKEN.sub(" ", detail.strip())}
        yield {"severity": start[1].lower(), **said, **(_where(place) if place else {})}


def _where(place: re.Match[str]) -> dict[str, Any]:
    line, code = int(place["line"]), place["code"] or ""
    snippet = {
        "start_line": line,
        "code": code,
        "highlight_start_offset": len(code.encode()) - len(code.lstrip().encode()),
        "highlight_end_offset": len(code.encode()),
    }
    where: dict[str, Any] = {"range": {"filename": place["file"], "start": {"line": line}}}
    return {**where, "snippet": snippet} if code else where
