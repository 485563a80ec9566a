"""What is expected of a run, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pytest_tfpipeline.model.findings import Finding


class CheckKind(StrEnum):
    """The kinds of check."""

    FMT = "fmt"
    LINT = "lint"
    VALIDATE = "validate"
    POLICY = "policy"
    PLAN = "plan"
    UNIT = "unit"
    #: A file of native tests (`.tftest.hcl`); its item is called `test[FILE]`.
    TFTEST = "tftest"
    #: An ordinary pytest test that asks for `tf_plan` or `tf_configuration`.
    POLICY_TEST = "policy_test"
    #: Any other pytest test of the run.
    TEST = "test"

    @property
    def word(self) -> str:
        """The item's name, but for what is in brackets; with `tf_` before it, its marker."""
        return "test" if self is CheckKind.TFTEST else self.value


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"
    MISSING = "missing"
    DEFERRED = "deferred"


@dataclass(frozen=True, slots=True)
class Check:
    """One expected check: `id` is its node id relative to the repository, and unique."""

    id: str
    kind: CheckKind
    dir: str
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One test of a Python suite, or one run block of a native test, as its own runner reported it.

    `id` is relative to the suite; where it does not begin with a file of the suite, it is a name from a JUnit file.
    `output` is what it printed and logged, by the names that pytest gives such sections.
    """

    id: str
    outcome: Outcome
    seconds: float = 0.0
    text: str = ""
    output: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Record:
    """A check's result. `text` is what a failing item prints; `summary` is one line for a passing one."""

    check: str
    kind: CheckKind
    outcome: Outcome
    dir: str | None = None
    environment: str | None = None
    seconds: float = 0.0
    reused: bool = False
    findings: tuple[Finding, ...] = ()
    summary: str = ""
    text: str = ""
    cases: tuple[CaseResult, ...] = ()
