"""How a suite ended: one pure function from what its process and its tests said to an outcome and a text.

pytest's exit codes (docs.pytest.org, "Exit codes"): 0 all passed, 1 tests failed, 2 interrupted, 3 internal error,
4 usage error, 5 nothing collected. Anything that is not plainly a pass or a failed test is an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_tfpipeline.model import CaseResult, Outcome
from pytest_tfpipeline.process import Outcome as Ended
from pytest_tfpipeline.suites.report import Report, missing_modules

_SHOWN_CASES = 20
_SHOWN_LINES = 60
_PREPARE = "name it in the suite's requirements, or name a requirements file or a command in [[tool.tfpipeline.suite]]"


@dataclass(frozen=True, slots=True)
class Judgement:
    """The outcome, why (for a person, "" for a pass), and one line for a pass."""

    outcome: Outcome
    text: str = ""
    summary: str = ""


def judge_pytest(ended: Ended, report: Report) -> Judgement:
    """For a suite run by its own pytest with the reporting plugin in it."""
    bad = _bad(report.cases)
    output = _tail(f"{ended.stdout}\n{ended.stderr}")
    texts = [text for _, text in report.problems] + [case.text for case in bad] + ([output] if not bad else [])
    missing = missing_modules(texts)
    if stopped := _stopped(ended, report):
        return Judgement(Outcome.ERROR, f"{stopped}\n{_told(bad) or output}")
    if missing and not any(case.outcome is Outcome.FAILED for case in bad) and ended.code != 0:
        return Judgement(Outcome.ERROR, _not_prepared(missing, report, bad, output))
    if report.problems:
        text = "\n\n".join(f"{each}\n{_cut(text)}" for each, text in report.problems)
        return Judgement(Outcome.ERROR, f"not every test could be collected\n{text}\n{_told(bad)}".rstrip())
    if ended.code == 1 and bad:
        worst = Outcome.FAILED if any(case.outcome is Outcome.FAILED for case in bad) else Outcome.ERROR
        return Judgement(worst, f"{_count(report)}\n{_told(bad)}")
    if ended.code == 4:
        return Judgement(Outcome.ERROR, f"pytest could not start (exit code 4)\n{output}")
    if ended.code == 5:
        return Judgement(Outcome.ERROR, f"no test was collected: an empty suite is not a passed one\n{output}")
    if ended.code != 0 or bad or not report.cases:
        return Judgement(Outcome.ERROR, f"pytest ended with {ended.code}, and its tests say otherwise\n{output}")
    if report.lost:
        return Judgement(Outcome.ERROR, f"{len(report.lost)} collected tests were not run: {_names(report.lost)}")
    return Judgement(Outcome.PASSED, summary=_count(report))


def judge_command(ended: Ended, report: Report, command: Sequence[str]) -> Judgement:
    """For a suite with a command of its own: the exit code decides, and what its tests said can only make it worse."""
    shown = " ".join(command)
    bad = _bad(report.cases)
    told = _told(bad) or _tail(f"{ended.stdout}\n{ended.stderr}")
    if ended.timed_out or ended.code is None or ended.code < 0:
        return Judgement(Outcome.ERROR, f"{_abrupt(ended, report)}: {shown}\n{told}")
    if missing := missing_modules([told]) if ended.code and not bad else ():
        return Judgement(Outcome.ERROR, _not_prepared(missing, report, bad, told))
    if ended.code != 0 or bad:
        return Judgement(Outcome.FAILED, f"`{shown}` ended with {ended.code}; {_count(report)}\n{told}")
    return Judgement(Outcome.PASSED, summary=_count(report) if report.cases else f"`{shown}` ended with 0")


def _stopped(ended: Ended, report: Report) -> str:
    """Why the process cannot be believed to have run all its tests; "" where it ended by itself."""
    if ended.timed_out or ended.code is None or ended.code < 0:
        return _abrupt(ended, report)
    if report.finished is None and report.collected:
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
    return f", while it ran {_names(report.running)}" if report.running else ""


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


def _names(ids: Sequence[str]) -> str:
    return ", ".join(ids[:5]) + (f" and {len(ids) - 5} more" if len(ids) > 5 else "")


def _cut(text: str) -> str:
    lines = text.splitlines()
    kept = lines if len(lines) <= _SHOWN_LINES else ["...", *lines[-_SHOWN_LINES:]]
    return "\n".join(f"    {line}".rstrip() for line in kept)


def _tail(text: str) -> str:
    return "\n".join(f"    {line.rstrip()}" for line in text.splitlines() if line.strip()).rstrip()[-6000:]
