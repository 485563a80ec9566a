"""What `terraform test -json` says, line by line, as data. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pytest_tfpipeline.terraform.diagnostics import Diagnostic, parse_line


@dataclass(slots=True)
class RunEvents:
    """What was said of one run block. `status` is terraform's word (pass, fail, error, skip), "" if it never ended."""

    name: str
    status: str = ""
    seconds: float = 0.0
    diagnostics: list[Diagnostic] = field(default_factory=list)
    #: Addresses of what could not be destroyed afterwards.
    left: list[str] = field(default_factory=list)
    started: datetime | None = None


@dataclass(slots=True)
class TestEvents:
    """What was said of one file. `runs` are in their order; `diagnostics` those that belong to no run block."""

    #: pytest would take it for a class of tests.
    __test__ = False

    runs: dict[str, RunEvents] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    #: Whether terraform found the file at all.
    found: bool = False
    #: Addresses of what an interrupt left, by run block ("" where terraform does not say).
    interrupted: dict[str, list[str]] = field(default_factory=dict)


def events_of(lines: Iterable[str], file: str) -> TestEvents:
    """What the lines say of `file`, which is relative to the directory that terraform ran in."""
    events = TestEvents()
    for line in lines:
        message = parse_line(line)
        if message is not None:
            _take(events, message, file)
    return events


def _take(events: TestEvents, message: dict[str, Any], file: str) -> None:
    kind = message.get("type")
    if kind == "test_abstract":
        names = (message.get(kind) or {}).get(file)
        events.found = names is not None
        events.runs |= {str(name): RunEvents(str(name)) for name in names or ()}
    elif kind == "test_run":
        _progress(_run(events, message), message, message[kind])
    elif kind == "diagnostic" and isinstance(message.get(kind), dict):
        named = message.get("@testrun")
        (events if named is None else _run(events, message)).diagnostics.append(message[kind])
    elif kind == "test_cleanup":
        _run(events, message).left += [str(one.get("instance")) for one in _listed(message[kind], "failed_resources")]
    elif kind == "test_interrupt":
        _interrupt(events, message[kind])


def _run(events: TestEvents, message: dict[str, Any]) -> RunEvents:
    name = str(message.get("@testrun") or "")
    return events.runs.setdefault(name, RunEvents(name))


def _progress(run: RunEvents, message: dict[str, Any], told: dict[str, Any]) -> None:
    now = datetime.fromisoformat(str(message["@timestamp"]))
    if told.get("progress") == "starting":
        run.started = now
    if told.get("progress", "complete") == "complete":
        run.status = str(told.get("status", ""))
        run.seconds = 0.0 if run.started is None else max(0.0, (now - run.started).total_seconds())


def _interrupt(events: TestEvents, told: dict[str, Any]) -> None:
    by_run = {"": _listed(told, "state"), **{str(name): listed for name, listed in (told.get("states") or {}).items()}}
    for name, listed in by_run.items():
        if listed:
            events.interrupted.setdefault(name, []).extend(str(one.get("instance")) for one in listed)


def _listed(table: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return [one for one in table.get(key) or () if isinstance(one, dict)]
