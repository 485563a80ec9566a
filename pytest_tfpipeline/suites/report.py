"""What a suite's tests said: the events of the reporting plugin, or a JUnit file, as cases."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from pytest_tfpipeline.model import CaseResult, Outcome

_MISSING_MODULE = re.compile(r"^\s*(?:E\s+)?ModuleNotFoundError: No module named '([^']+)'", re.MULTILINE)
_OUTCOMES = {
    "passed": Outcome.PASSED,
    "skipped": Outcome.SKIPPED,
    "failed": Outcome.FAILED,
    "error": Outcome.ERROR,
}


@dataclass(frozen=True, slots=True)
class Report:
    """All that is known about one run of a suite's tests."""

    cases: tuple[CaseResult, ...] = ()
    #: Ids of the tests that were collected; under xdist in the suite itself they are not known.
    collected: tuple[str, ...] = ()
    #: (id, text) of what could not be collected.
    problems: tuple[tuple[str, str], ...] = ()
    #: Tests that started and did not end.
    running: tuple[str, ...] = ()
    #: The test file that was being imported when nothing more was heard; "" once all were.
    looking: str = ""
    deselected: int = 0
    #: pytest's exit status as it ended by itself; None if it did not.
    finished: int | None = None

    @property
    def lost(self) -> tuple[str, ...]:
        """Collected tests without a result."""
        known = {case.id for case in self.cases}
        return tuple(each for each in self.collected if each not in known)


def read_events(path: Path) -> Report:
    """The report from the plugin's file; a line that was cut off by a crash is left out."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return Report()
    events = [event for line in lines if (event := _event(line)) is not None]
    cases = {event["id"]: _case(event) for event in _named(events, "result")}
    started = dict.fromkeys(event["id"] for event in _named(events, "running"))
    finish, looking = _named(events, "finish"), _named(events, "looking")
    gathered = any(event["event"] == "running" or event.get("ids") for event in events)
    return Report(
        cases=tuple(cases.values()),
        collected=tuple(each for event in _named(events, "collected") for each in event["ids"]),
        problems=tuple((event["id"], event["text"]) for event in _named(events, "problem")),
        running=tuple(each for each in started if each not in cases),
        looking=looking[-1]["id"] if looking and not gathered else "",
        deselected=sum(event["count"] for event in _named(events, "deselected")),
        finished=finish[-1]["code"] if finish else None,
    )


def read_junit(paths: Iterable[Path], directory: Path) -> tuple[CaseResult, ...]:
    """The cases of JUnit files; a file that is not one has none.

    Where a case names a file of the suite in `directory`, its id is the one that pytest would give it.
    """
    cases = []
    for path in paths:
        try:
            root = ET.parse(path).getroot()  # noqa: S314 - the suite's own file, read after its own code ran
        except (OSError, ET.ParseError):
            continue
        cases += [_junit_case(element, directory) for element in root.iter("testcase")]
    return tuple(cases)


def missing_modules(texts: Iterable[str]) -> tuple[str, ...]:
    """Names of modules whose import failed, from tracebacks and messages, each once."""
    return tuple(dict.fromkeys(name for text in texts for name in _MISSING_MODULE.findall(text)))


def _event(line: str) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None


def _named(events: Iterable[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event"] == name]


def _case(event: dict[str, Any]) -> CaseResult:
    """A test that stopped at an import is not a failed assertion: its environment lacks something."""
    outcome, text = _OUTCOMES[event["outcome"]], str(event["text"])
    if outcome is Outcome.FAILED and missing_modules([text]):
        outcome = Outcome.ERROR
    output = tuple((str(name), str(content)) for name, content in event.get("output", ()))
    return CaseResult(event["id"], outcome, round(float(event["seconds"]), 3), text, output)


def _junit_case(element: ET.Element, directory: Path) -> CaseResult:
    name = _junit_id(element, directory)
    output = tuple(
        (f"Captured {stream}", text)
        for stream, tag in (("stdout", "system-out"), ("stderr", "system-err"))
        if (text := (element.findtext(tag) or "").strip())
    )
    for tag, outcome in (("error", Outcome.ERROR), ("failure", Outcome.FAILED), ("skipped", Outcome.SKIPPED)):
        found = element.find(tag)
        if found is not None:
            text = "\n".join(part for part in (found.get("message", ""), (found.text or "").strip()) if part)
            return CaseResult(name, outcome, _seconds(element), text, output)
    return CaseResult(name, Outcome.PASSED, _seconds(element), "", output)


def _junit_id(element: ET.Element, directory: Path) -> str:
    """`tests/test_it.py::TestIt::test_a` where `file`, or `classname` read as a module, is a file of the suite."""
    name, told, words = element.get("name", ""), element.get("file", ""), element.get("classname", "").split(".")
    for count in range(len(words), 0, -1):
        path = "/".join(words[:count]) + ".py"
        if told.endswith(path) or (not told and (directory / path).is_file()):
            file = path if (directory / path).is_file() else told
            return "::".join((file, *words[count:], name)) if (directory / file).is_file() else _foreign(words, name)
    return _foreign(words, name)


def _foreign(words: list[str], name: str) -> str:
    return "::".join(part for part in (".".join(words), name) if part)


def _seconds(element: ET.Element) -> float:
    try:
        return float(element.get("time", "0").replace(",", ""))
    except ValueError:
        return 0.0
