"""What a run came to, as one object: the terminal, the Markdown summary and the evidence all say it from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_tfpipeline.gate.reasons import Verdict
from pytest_tfpipeline.gate.waves import Result
from pytest_tfpipeline.model import EnvironmentRun, KnownFinding, PlanResult, Record, Tool
from pytest_tfpipeline.policies.baseline import Difference

if TYPE_CHECKING:
    from pytest_tfpipeline.gate.approval import Approval
    from pytest_tfpipeline.gate.digest import AddressChange

#: pytest's own exit code for an interrupt.
INTERRUPTED = 2


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would be applied: the digest of the whole set, and by root that of its plan and those of its changes."""

    digest: str
    plans: Mapping[str, str] = field(default_factory=dict)
    changes: Mapping[str, tuple[AddressChange, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EnvironmentResult:
    """One environment of the run. `result` is None where nothing was applied.

    `verdict` is None in a run that cannot apply; there, `claim` says whether every check passed. `waits` is the digest
    that an approval is missing for, and `broken_outputs` names the tests that failed on the outputs after the apply.
    """

    environment: EnvironmentRun
    plans: tuple[PlanResult, ...] = ()
    verdict: Verdict | None = None
    result: Result | None = None
    identity: str | None = None
    proposal: Proposal | None = None
    approval: Approval | None = None
    #: Of plans that could only be made in a later wave.
    later_approvals: tuple[Approval, ...] = ()
    waits: str | None = None
    broken_outputs: tuple[str, ...] = ()
    claim: Verdict | None = None
    #: It was asked for, and is left to a job that has its credentials.
    elsewhere: bool = False

    @property
    def complete(self) -> bool:
        """Whether everything was applied, and the tests on its outputs agree."""
        return self.result is not None and self.result.complete and not self.broken_outputs and self.waits is None


@dataclass(frozen=True, slots=True)
class Source:
    """What was judged: the repository's name, the commit and whether the work tree was that commit."""

    repository: str
    commit: str | None
    ref: str | None
    tree_clean: bool | None


@dataclass(frozen=True, slots=True)
class BaselineResult:
    """What the baseline did in a run: how many findings it let through, and those of its entries that are gone.

    `digest` is over the entries that counted. `moved` counts new findings that are also gone from another place.
    """

    file: str
    digest: str
    known: int = 0
    left: tuple[KnownFinding, ...] = ()
    moved: int = 0


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of the baseline's file in a run that makes it: the change, or why it was `refused`.

    `total` is what it has now, `unjudged` how many of these are of checks that were not run, and `secret` counts
    findings that were left out because a secret stands in their address. `partly` names the checks that could not judge
    everything, and why: what was known of them is kept.
    """

    change: Difference | None = None
    total: int = 0
    unjudged: int = 0
    secret: int = 0
    partly: tuple[tuple[str, str], ...] = ()
    refused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunResult:
    """A whole run. `started` is in UTC, ISO 8601; `command` is the command line as typed, without secrets."""

    id: str
    mode: str
    started: str
    seconds: float
    source: Source
    command: tuple[str, ...]
    workers: int
    exit_code: int
    tools: tuple[Tool, ...] = ()
    environments: tuple[EnvironmentResult, ...] = ()
    records: tuple[Record, ...] = ()
    missing: tuple[str, ...] = ()
    #: Things that were said once: ignored variables, tests that were not collected, where providers came from.
    notes: tuple[str, ...] = ()
    #: What waits for an approval, as it was shown, in Markdown.
    waiting: str = ""
    #: "process", or "jobs" where check and apply are separate ones.
    isolation: str = "process"
    #: The group that the run was restricted to, the commit that changes were counted from, and the directories that
    #: were therefore not judged.
    group: str | None = None
    changed_since: str | None = None
    not_judged: tuple[str, ...] = ()
    baseline: BaselineResult | None = None

    @property
    def interrupted(self) -> bool:
        """Whether it ended before its time."""
        return self.exit_code == INTERRUPTED
