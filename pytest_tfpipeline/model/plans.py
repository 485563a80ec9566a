"""What terraform is asked to plan, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from pytest_tfpipeline.model.findings import Finding


class PlanStatus(StrEnum):
    """What came of planning one root in one environment."""

    PLANNED = "planned"
    DEFERRED = "deferred"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Target:
    """One root in one environment: all that terraform needs to be told, with every `{...}` expanded."""

    root: str
    environment: str
    var_files: tuple[str, ...] = ()
    #: The strongest variables, written to a JSON var file (mode 0600), never to a command line.
    vars: dict[str, Any] = field(default_factory=dict)
    #: Overrides the root's backend by a local one in the private copy.
    backend_local: bool = False
    #: Var-file-like paths (relative to the repository) or `key=value` pairs for `-backend-config`.
    backend_config: tuple[str, ...] = ()
    workspace: str | None = None
    #: Added to the processes' environment; `plan_env` and `apply_env` are the environment's, by phase.
    env: dict[str, str] = field(default_factory=dict)
    plan_env: dict[str, str] = field(default_factory=dict)
    apply_env: dict[str, str] = field(default_factory=dict)
    prepare: tuple[tuple[str, ...], ...] = ()
    after_apply: tuple[tuple[str, ...], ...] = ()
    parallelism: int | None = None
    lock_timeout: str = "0s"
    #: Seconds by phase: init, validate, plan, show, apply, prepare, after_apply.
    timeouts: dict[str, float] = field(default_factory=dict)
    #: Directories of the roots whose state this one reads, or that were declared with `after`.
    after: tuple[str, ...] = ()
    apply: bool = False
    emulated: bool = False
    #: Why it cannot be planned (a var file that is not there, a `${NAME}` that is not set): findings of the plan.
    problems: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """How many resources a plan touches, by what happens to them. A replacement counts as `replace` alone."""

    add: int = 0
    change: int = 0
    replace: int = 0
    destroy: int = 0
    import_: int = 0
    forget: int = 0
    #: Only the address in the state changes.
    move: int = 0
    #: Outputs that change, by name.
    outputs: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        """Whether applying would do anything at all, outputs included."""
        counts = (self.add, self.change, self.replace, self.destroy, self.import_, self.forget, self.move)
        return any(counts) or bool(self.outputs)


@dataclass(frozen=True, slots=True)
class PlanResult:
    """What came of planning a target, as kept in the run's store by whoever planned it.

    A worker's word: the controller reads the saved plan itself before it applies anything.
    """

    root: str
    environment: str
    status: PlanStatus
    #: The roots that must be applied first; only when deferred.
    behind: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    plan_path: str | None = None
    plan_sha256: str | None = None
    #: `terraform show -json` of it (mode 0600: it holds secrets).
    json_path: str | None = None
    #: SHA-256 over the files of the private copy that the plan could read.
    inputs_sha256: str | None = None
    state_exists: bool = False
    state_lineage: str = ""
    state_serial: int = 0
    changes: Changes = Changes()
    seconds: float = 0.0
