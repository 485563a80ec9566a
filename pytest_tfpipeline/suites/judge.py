"""How a suite ended: one pure function from what its process and its tests said to an outcome and a text.

pytest's exit codes (docs.pytest.org, "Exit codes"): 0 all passed, 1 tests failed, 2 interrupted, 3 internal error,
4 usage error, 5 nothing collected. Anything that is not plainly a pass or a failed test is an error.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_tfpipeline.model import CaseResult, Outcome
from pytest_tfpipeline.process import Outcome as Ended
from pytest_tfpipeline.suites.report import Report, missing_modules

_SHOWN_CASES = 20
_SHOWN_LINES = 60
_PREPARE = "name it in the suite's requirements, or name a requirements file or a command in its [[suite]]"
_EMPTY = (
    "no test was collected: an empty suite is not a passed one (where it may be, say `empty = true` in its [[suite]])"
)
#: pytest-cov's last word where too little is covered, and the last line of its table.
_UNCOVERED = re.compile(r"^.*(?:Required test coverage of|Coverage failure:).*$", re.MULTILINE)
#: A line of a traceback, and the files that are not the suite's.
_FRAME = re.compile(r'\s*File "([^"]+)", line \d+')
_INSTALLED = re.compile(r"/(?:site|dist)-packages/|/lib(?:64)?/python3|^<frozen ")
_TOTAL = re.compile(r"^TOTAL\s.*?(\d+(?:\.\d+)?%)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome, why (for a person, "" for a pass), and one line for a pass."""

    outcome: Outcome
    text: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a suite was asked for: `only` some tests (none: all), and whether it may have none."""

    only: tuple[str, ...] = ()
    empty: bool = False
    #: Patterns of the JUnit files that must be there.
    junit: tuple[str, ...] = ()


def parts_of(cases: Sequence[CaseResult], wanted: str) -> tuple[CaseResult, ...]:
    """The wanted test and its parameters, or what is in the wanted class, file or directory. Where there is none of
    that name, those that a decorator made of it (`test_a_0` of `test_a`)."""
    inside = (f"{wanted}[", f"{wanted}::", f"{wanted.rstrip('/')}/")
    found = tuple(case for case in cases if case.id == wanted or case.id.startswith(inside))
    return found or tuple(case for case in cases if "::" in wanted and case.id.startswith(f"{wanted}_"))


def judge_pytest(ended: Ended, report: Report, expected: Expected = Expected()) -> Judgement:
    """For a suite run by its own pytest with the reporting plugin in it."""
    output = _tail(f"{ended.stdout}\n{ended.stderr}")
    if stopped := _stopped(ended, report):
        return Judgement(Outcome.ERROR, f"{stopped}\n{_told(_bad(report.cases)) or output}")
    return (
        _unprepared(ended, report, output)
        or _uncollected(ended, report, expected, output)
        or _failed(ended, report, output)
        or Judgement(Outcome.PASSED, summary=_count(report) + _covered(ended.stdout))
    )


def judge_command(ended: Ended, report: Report, command: Sequence[str], expected: Expected = Expected()) -> Judgement:
    """For a suite with a command of its own: the exit code decides, and what its tests said can only make it worse."""
    shown = " ".join(command)
    bad = _bad(report.cases)
    told = _told(bad) or _tail(f"{ended.stdout}\n{ended.stderr}")
    if ended.timed_out or ended.code is None or ended.code < 0:
        return Judgement(Outcome.ERROR, f"{_abrupt(ended, report)}: {shown}\n{told}")
    if missing := missing_modules([told]) if ended.code and not bad else ():
        return Judgement(Outcome.ERROR, _not_prepared(missing, report, bad, told))
    if expected.only and not bad and report.cases:
        return Judgement(Outcome.PASSED, summary=_count(report))
    if expected.only and not report.cases:
        return Judgement(
            Outcome.ERROR, f"not found: {_names(expected.only)} is not among the tests of `{shown}`\n{told}"
        )
    if ended.code != 0 or bad:
        return Judgement(Outcome.FAILED, f"`{shown}` ended with {ended.code}; {_count(report)}\n{told}")
    if expected.junit and not report.cases:
        wrote = f"`{shown}` ended with 0 and wrote none of {', '.join(expected.junit)} with a test in it"
        return Judgement(Outcome.ERROR, f"{wrote}\n{told}")
    return Judgement(Outcome.PASSED, summary=_count(report) if report.cases else f"`{shown}` ended with 0")


def _unprepared(ended: Ended, report: Report, output: str) -> Judgement | None:
    """Where something was not there to be imported; a test that failed says more than that."""
    bad = _bad(report.cases)
    texts = [text for _, text in report.problems] + [case.text for case in bad] + ([output] if not bad else [])
    missing = missing_modules(texts)
    if not missing or ended.code == 0 or any(case.outcome is Outcome.FAILED for case in bad):
        return None
    return Judgement(Outcome.ERROR, _not_prepared(missing, report, bad, output))


def _uncollected(ended: Ended, report: Report, expected: Expected, output: str) -> Judgement | None:
    """Where not all the tests, or none, could be found."""
    absent = [one for one in expected.only if not parts_of(report.cases, one)]
    if report.problems:
        short = "; ".join(f"{each or 'a conftest.py'} ({_reason(text)})" for each, text in report.problems[:5])
        text = "\n\n".join(f"{each}\n{_cut(_without_frames(text))}" for each, text in report.problems)
        told = _told(_bad(report.cases))
        return Judgement(Outcome.ERROR, f"not every test could be collected: {short}\n{text}\n{told}".rstrip())
    if ended.code == 4:
        return Judgement(Outcome.ERROR, f"pytest could not start (exit code 4)\n{output}")
    if absent and not report.cases:
        return Judgement(Outcome.ERROR, f"not found: {_names(absent)}\n{output}")
    if ended.code == 5 and expected.empty:
        return Judgement(Outcome.PASSED, summary="no tests, as declared")
    if ended.code == 5:
        return Judgement(Outcome.ERROR, f"{_EMPTY}\n{output}")
    return None


def _failed(ended: Ended, report: Report, output: str) -> Judgement | None:
    """Where the tests ran and did not all pass, or pytest and its tests contradict each other."""
    bad = _bad(report.cases)
    lost = f"; {len(report.lost)} collected tests were not run: {_names(report.lost)}" if report.lost else ""
    if ended.code == 1 and bad:
        worst = Outcome.FAILED if any(case.outcome is Outcome.FAILED for case in bad) else Outcome.ERROR
        return Judgement(worst, f"{_count(report)}{lost}\n{_told(bad)}")
    if uncovered := _UNCOVERED.search(f"{ended.stdout}\n{ended.stderr}") if ended.code == 1 else None:
        return Judgement(Outcome.FAILED, f"{_count(report)}; {uncovered[0].strip()}")
    if ended.code != 0 or bad or not report.cases:
        return Judgement(Outcome.ERROR, f"pytest ended with {ended.code}, and its tests say otherwise\n{output}")
    if lost:
        return Judgement(Outcome.ERROR, lost.removeprefix("; "))
    return None


def _covered(stdout: str) -> str:
    """What pytest-cov measured, from the last line of its table."""
    found = _TOTAL.findall(stdout)
    return f", {found[-1]} covered" if found else ""


def _stopped(ended: Ended, report: Report) -> str:
    """Why the process cannot be believed to have run all its tests; "" where it ended by itself."""
    if ended.timed_out or ended.code is None or ended.code < 0:
        return _abrupt(ended, report)
    if "unexpected SystemExit" in ended.stdout + ended.stderr:
        return f"sys.exit() was called outside of a test{_during(report)}"
    if report.finished is None and (report.collected or report.looking):
        return f"the test process ended with {ended.code} before pytest was done{_during(report)}"
    if report.finished is not None and report.finished != ended.code:
        return f"the test process ended with {ended.code} although pytest said {report.finished}"
    if ended.code in (2, 3) and not report.problems:
        return f"pytest was interrupted or broke (exit code {ended.code}){_during(report)}"
    return ""


def _abrupt(ended: Ended, report: Report) -> str:
    if ended.timed_out:
        return f"no end within {ended.limit or ended.seconds:.0f} s{_during(report)}"
    if ended.code is None:
        return f"it could not be started: {ended.error}"
    return f"the test process was killed by signal {-ended.code}{_during(report)}"


def _during(report: Report) -> str:
    if report.running:
        return f", while it ran {_names(report.running)}"
    return f", while it imported {report.looking}" if report.looking else ""


def _not_prepared(missing: Sequence[str], report: Report, bad: Sequence[CaseResult], output: str) -> str:
    modules = ", ".join(missing)
    where = "\n\n".join(f"{each}\n{_cut(text)}" for each, text in report.problems[:3]) or _told(bad[:3]) or output
    return f"environment not prepared: No module named {modules}\n{where}\n-> {_PREPARE}"


def _bad(cases: Sequence[CaseResult]) -> list[CaseResult]:
    return [case for case in cases if case.outcome in (Outcome.FAILED, Outcome.ERROR)]


def _told(bad: Sequence[CaseResult]) -> str:
    shown = [f"{case.id}: {case.outcome}\n{_cut(case.text)}" for case in bad[:_SHOWN_CASES]]
    left = [f"... and {len(bad) - _SHOWN_CASES} more"] if len(bad) > _SHOWN_CASES else []
    return "\n\n".join((*shown, *left))


def _count(report: Report) -> str:
    counts = Counter(case.outcome for case in report.cases)
    words = [f"{count} {outcome}" for outcome, count in sorted(counts.items())]
    words += [f"{report.deselected} deselected"] if report.deselected else []
    return ", ".join(words) or "no test was reported"


def _without_frames(text: str) -> str:
    """Of a file that is no Python, the place in it: the way of pytest to it says nothing."""
    marked = [line for line in text.splitlines() if line.startswith("E  ")]
    return "\n".join(marked) if marked and "SyntaxError" in marked[-1] else text


def _reason(text: str) -> str:
    """The last line of a traceback, without pytest's mark."""
    lines = [line.removeprefix("E").strip() for line in text.splitlines() if line.strip()]
    marked = [line.removeprefix("E").strip() for line in text.splitlines() if line.startswith("E  ")]
    return (marked or lines or ["no reason was given"])[-1]


def _names(ids: Sequence[str]) -> str:
    return ", ".join(ids[:5]) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")


def _cut(text: str) -> str:
    lines = text.splitlines()
    kept = lines if len(lines) <= _SHOWN_LINES else ["...", *lines[-_SHOWN_LINES:]]
    return "\n".join(f"    {line}".rstrip() for line in kept)


def _tail(text: str) -> str:
    lines = _without_others_frames(text.splitlines())
    return "\n".join(f"    {line.rstrip()}" for line in lines if line.strip()).rstrip()[-6000:]


def _without_others_frames(lines: Iterable[str]) -> Iterator[str]:
    """What is left of a traceback that nobody caught, and of a crash's, without pytest's own way to the suite."""
    theirs = True
    for line in lines:
        bare = line.removeprefix("INTERNALERROR>").removeprefix(" ") if line.startswith("INTERNALERROR>") else line
        frame = _FRAME.match(bare)
        if frame:
            theirs = not _INSTALLED.search(frame[1])
        elif not bare.startswith("  "):
            theirs = True
        if theirs:
            yield bare
