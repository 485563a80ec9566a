"""What is wrong somewhere, what was known to be, and what is accepted."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is; only `ERROR` and, where configured, `WARNING` fail a check."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Finding:
    """One problem: what, where, and what to do.

    `rule` is the field's own name for it (`terraform_unused_declarations`, `CKV_AWS_18`, `terraform-validate`).
    `text` ends with what to do where the tool says so; `excerpt` is the source around `line`, ready to print.
    """

    rule: str
    severity: Severity
    text: str
    address: str | None = None
    file: str | None = None
    line: int | None = None
    excerpt: str = ""
    #: The baseline has it: it was there before, and does not fail its check.
    known: bool = False


@dataclass(frozen=True, slots=True)
class KnownFinding:
    """An entry of the baseline: a finding that was there before, `count` times.

    `check` is `fmt`, `lint`, `ruff` (the lint of a Python suite) or `policy`, `environment` that of a plan. `content`
    are digests of what the finding is about: one, and of an unformatted file one for each line. `text` is for people.
    """

    check: str
    dir: str
    rule: str
    content: tuple[str, ...]
    environment: str | None = None
    file: str | None = None
    address: str | None = None
    count: int = 1
    text: str = ""


@dataclass(frozen=True, slots=True)
class KnownFindings:
    """Entries of the baseline, as they are kept in the run's store."""

    entries: tuple[KnownFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """What one check found, held against the baseline's entries about it.

    `new` are findings that it has not, and `left` those of its entries that were not found any more. `found` is
    everything, in a run that makes a baseline. Of a check that could judge only a part (`partial`) nobody knows what is
    gone, and nothing is left.
    """

    check: str
    dir: str
    environment: str | None
    found: tuple[KnownFinding, ...] = ()
    new: tuple[KnownFinding, ...] = ()
    left: tuple[KnownFinding, ...] = ()
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Baseline:
    """The baseline of a run: `file` relative to the repository, and the SHA-256 of that file, "" if it is not there.

    `digest` is over the entries that count, which an operator may have limited. `recording`: this run makes it.
    """

    file: str
    sha256: str = ""
    digest: str = ""
    entries: int = 0
    recording: bool = False


@dataclass(frozen=True, slots=True)
class Waiver:
    """A finding that is accepted for a time. `address` is a pattern (see `policies.waivers`), `place` says where it is.

    `expires` is the last day on which it counts, ISO 8601. Without an environment it is about every `policy` check.
    """

    rule: str
    address: str
    owner: str
    reason: str
    expires: str
    environment: str | None = None
    place: str = ""
