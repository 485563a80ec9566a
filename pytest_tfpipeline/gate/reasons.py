"""Why a gate is closed: a closed list of codes, one or more for each row of the gate's table in the documentation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Code(StrEnum):
    """A reason's code: other programs may act on it. A code is never renamed, and none is used for two things.

    In the order in which reasons are shown: what explains others comes first.
    """

    WRONG_IDENTITY = "wrong-identity"
    INTERRUPTED = "interrupted"
    CHECK_FAILED = "check-failed"
    CHECK_ERROR = "check-error"
    CHECK_SKIPPED = "check-skipped"
    CHECK_UNKNOWN = "check-unknown"
    CHECK_MISSING = "check-missing"
    CHECK_UNEXPECTED = "check-unexpected"
    SUITE_SKIPPED = "suite-skipped"
    RECORDS_DISAGREE = "records-disagree"
    NARROWED = "narrowed"
    WORKER_CRASHED = "worker-crashed"
    NOTHING_TO_CHECK = "nothing-to-check"
    TREE_CHANGED = "tree-changed"
    TREE_DIRTY = "tree-dirty"
    IGNORED_INPUT = "ignored-input"
    TOOL_CHANGED = "tool-changed"
    PLAN_CHANGED = "plan-changed"
    PLAN_INCOMPLETE = "plan-incomplete"
    PROTECTED_DESTROY = "protected-destroy"
    PROVIDER_REFUSED = "provider-refused"
    WAIVER_EXPIRED = "waiver-expired"
    WAIVER_UNUSED = "waiver-unused"
    ISOLATION = "isolation"
    PRIOR_MISSING = "prior-missing"
    PRIOR_INVALID = "prior-invalid"
    ROLLBACK = "rollback"
    PLANS_DIFFER = "plans-differ"
    STATE_MOVED = "state-moved"
    OUTPUT_TEST_FAILED = "output-test-failed"
    APPROVAL_MISSING = "approval-missing"
    APPROVAL_INVALID = "approval-invalid"
    COLLECTION_ERROR = "collection-error"
    INTERNAL_ERROR = "internal-error"


#: What each code means, for the documentation and for whoever reads evidence.
MEANING: dict[Code, str] = {
    Code.WRONG_IDENTITY: "The credentials in use belong to another account than `identity` says, or nobody knows.",
    Code.INTERRUPTED: "The run was interrupted.",
    Code.CHECK_FAILED: "A check failed, in any root, module or suite that belongs to the environment.",
    Code.CHECK_ERROR: "A check could not be carried out: a tool, the set-up of a test or the teardown broke.",
    Code.CHECK_SKIPPED: "A check or a policy test was skipped or expected to fail.",
    Code.CHECK_UNKNOWN: 'A policy test marked `unknown="fail"` used a value that is known only after apply.',
    Code.CHECK_MISSING: "An expected check or a collected test has no record: it was deselected, dropped or not run.",
    Code.CHECK_UNEXPECTED: "A record claims to be a check that is not expected, or is deferred without a reason.",
    Code.SUITE_SKIPPED: 'A test inside a Python suite, or an ordinary test, was skipped and `skips = "fail"` is set.',
    Code.RECORDS_DISAGREE: "Two records of one check say different things.",
    Code.NARROWED: "An option that narrows or reorders the run was given (`-k`, `-m`, `--lf`, a path, `-x`, ...).",
    Code.WORKER_CRASHED: "A pytest-xdist worker died.",
    Code.NOTHING_TO_CHECK: "No root belongs to the environment, or nothing was collected.",
    Code.TREE_CHANGED: "A file of the repository or of the private copy changed between plan and apply.",
    Code.TREE_DIRTY: "The work tree has uncommitted changes and the environment is not emulated.",
    Code.IGNORED_INPUT: "Not in the commit: what terraform or pytest would read, a lock of providers, or rules.",
    Code.TOOL_CHANGED: "terraform, or another tool that the run used, changed between plan and apply.",
    Code.PLAN_CHANGED: "A saved plan is missing, is not the one that was recorded, or belongs to another root.",
    Code.PLAN_INCOMPLETE: "A plan is incomplete (`-target`), errored, or cannot be read by the controller.",
    Code.PROTECTED_DESTROY: "A plan deletes or replaces a protected resource that `--allow-destroy` does not name.",
    Code.PROVIDER_REFUSED: "A root uses a provider that the operator file does not allow.",
    Code.WAIVER_EXPIRED: "A waiver has expired.",
    Code.WAIVER_UNUSED: "A waiver waives nothing, although everything it covers was judged.",
    Code.ISOLATION: 'With `isolation = "jobs"`, a run that checks may not apply, and an apply needs a check job.',
    Code.PRIOR_MISSING: "There is no evidence of the environment that `after` names.",
    Code.PRIOR_INVALID: "That evidence is not signed, incomplete, emulated, superseded, or of another commit.",
    Code.ROLLBACK: "The last applied commit is not an ancestor of this one, and `--tf-rollback` was not given.",
    Code.PLANS_DIFFER: "The plans are not those that the check job proved, or that were approved.",
    Code.STATE_MOVED: "The state has moved since the plan was made.",
    Code.OUTPUT_TEST_FAILED: "A test that uses `tf_outputs` failed after the apply of an earlier environment.",
    Code.APPROVAL_MISSING: "The environment wants an approval, and there is none yet.",
    Code.APPROVAL_INVALID: "The approval is for other plans or another environment, expired, or of nobody allowed.",
    Code.COLLECTION_ERROR: "pytest could not collect a file.",
    Code.INTERNAL_ERROR: "pytest or a plugin broke.",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that stands against an apply; `check` is the node id it is about, where there is one."""

    code: Code
    text: str
    check: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The gate's answer for one environment. `open` is true exactly when there is no reason against it.

    `notes` are things that do not close the gate but that whoever answers for the apply should know.
    """

    environment: str
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()
    #: How many findings were let through because the baseline knows them.
    known: int = 0

    @property
    def open(self) -> bool:
        """Whether the environment may be applied."""
        return not self.reasons
