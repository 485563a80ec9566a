"""Evidence as a typed document: what `gate/evidence.py` writes, read back and believed in nothing but its shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from pytest_tfpipeline.errors import ProofError
from pytest_tfpipeline.model import CheckKind, Outcome, PlanStatus, Severity
from pytest_tfpipeline.proof.checksum import SCHEMA_VERSION, checksum
from pytest_tfpipeline.proof.strict import read_document

_TAKE_AGAIN = "take the file as the run wrote it, unchanged"
_PROBLEMS_SHOWN = 3
_SHOWN = 80

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Commit = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
Seconds = Annotated[float, Field(ge=0, le=1e9)]
Count = Annotated[int, Field(ge=0)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class RunPart(_Part):
    """The run itself. `started` is when it began; `commit` and `tree_clean` are null where git could not say."""

    id: str
    started: AwareDatetime
    seconds: Seconds
    repository: str
    commit: Commit | None
    ref: str | None
    tree_clean: bool | None
    command: tuple[str, ...]
    isolation: Literal["process", "jobs"]
    group: str | None = None
    changed_since: Commit | None = None
    not_judged: tuple[str, ...] = ()
    workers: Count
    exit_code: Annotated[int, Field(ge=0, le=255)]


class ToolPart(_Part):
    """A program that the run used."""

    version: str
    path: str
    sha256: str


class ReasonPart(_Part):
    """What stood against the apply; `code` is from the closed list of the documentation."""

    code: Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z]+)*$")]
    text: str
    check: str | None = None


class VerdictPart(_Part):
    """The gate's answer."""

    open: bool
    reasons: tuple[ReasonPart, ...]
    known: Count = 0


class ChangePart(_Part):
    """One resource that a plan touches; `digest` is over all that would be done to it."""

    address: str
    type: str
    actions: tuple[str, ...]
    digest: Digest


class PlanPart(_Part):
    """A root's plan; `digest` is over what it means, `file_sha256` over the file that was saved."""

    root: str
    status: PlanStatus
    digest: Digest | None = None
    file_sha256: str | None = None
    deferred: bool
    behind: tuple[str, ...] = ()
    add: Count
    change: Count
    replace: Count
    destroy: Count
    imported: Annotated[Count, Field(alias="import")]
    forget: Count
    has_changes: bool
    changes: tuple[ChangePart, ...] = ()


class ApprovalPart(_Part):
    """Who approved the plans with this digest, how, and when."""

    kind: str
    digest: Digest
    by: tuple[str, ...]
    at: AwareDatetime
    expires: AwareDatetime | None = None


class AppliedPart(_Part):
    """What became of one root."""

    root: str
    wave: Count
    outcome: Literal["applied", "failed", "unchanged"]
    seconds: Seconds
    error: str | None = None


class LeftPart(_Part):
    """A root that should have been applied and was not."""

    root: str
    why: str


class EnvironmentPart(_Part):
    """One environment of the run. `verdict` is null where it was not judged."""

    name: str
    emulated: bool
    identity: str | None = None
    verdict: VerdictPart | None
    plan_set_digest: Digest | None = None
    plans: tuple[PlanPart, ...]
    approval: ApprovalPart | None = None
    later_approvals: tuple[ApprovalPart, ...] = ()
    applied: tuple[AppliedPart, ...]
    left: tuple[LeftPart, ...]


class FindingPart(_Part):
    """One problem in a check's record."""

    rule: str
    severity: Severity
    address: str | None
    file: str | None
    line: int | None
    text: str
    known: bool = False


class BaselinePart(_Part):
    """Findings that were there before: `known` of them were let through, `gone` entries are found no more. `digest` is
    over the entries that counted."""

    file: str
    digest: Digest
    known: Count
    gone: Count


class CheckPart(_Part):
    """A check's record; `check` is null where an expected one has none."""

    id: str
    check: CheckKind | None
    root: str | None
    environment: str | None
    outcome: Outcome
    seconds: Seconds
    reused: bool
    findings: tuple[FindingPart, ...]


class Evidence(_Part):
    """What a run says that it proved. `digest` is a checksum over the rest: it finds damage, not forgery."""

    schema_version: Literal[1]
    run: RunPart
    tools: dict[str, ToolPart]
    environments: tuple[EnvironmentPart, ...]
    baseline: BaselinePart | None = None
    checks: tuple[CheckPart, ...]
    digest: Digest

    def environment(self, name: str) -> EnvironmentPart | None:
        """What it says of an environment, if it does."""
        return next((one for one in self.environments if one.name == name), None)

    @property
    def ended(self) -> float:
        """When the run was over, in seconds since 1970."""
        return self.run.started.timestamp() + self.run.seconds


def read_evidence(path: Path) -> Evidence:
    """The evidence in a file. Raises ProofError for what is not plain JSON, not evidence of a version that this
    package knows, or does not match its own checksum."""
    return evidence_of(read_document(path), str(path))


def evidence_of(value: Any, where: str) -> Evidence:
    """A JSON value (see `strict.parse_document`) as evidence; `where` names it in messages."""
    _refuse_other_versions(value, where)
    if value.get("digest") != checksum(value):
        what = "its checksum does not match: it was damaged or edited after it was written"
        raise ProofError(what, where=where, mend=_TAKE_AGAIN)
    try:
        evidence = Evidence.model_validate_json(json.dumps(value))
    except ValidationError as error:
        raise ProofError(f"is not evidence: {_said(error)}", where=where, mend=_TAKE_AGAIN) from None
    names = [one.name for one in evidence.environments]
    if len(set(names)) < len(names):
        raise ProofError("is not evidence: it names an environment twice", where=where, mend=_TAKE_AGAIN)
    return evidence


def _refuse_other_versions(value: Any, where: str) -> None:
    def refuse(what: str, mend: str) -> NoReturn:
        raise ProofError(what, where=where, mend=mend)

    version = value.get("schema_version") if isinstance(value, dict) else None
    if type(version) is not int:
        refuse("is not evidence: it has no `schema_version`", "name the evidence.json of a run")
    if version > SCHEMA_VERSION:
        refuse("was made by a newer pytest-tfpipeline", "update pytest-tfpipeline here")
    if version < SCHEMA_VERSION:
        refuse(f"has the schema version {str(version)[:_SHOWN]}, which there never was", _TAKE_AGAIN)


def _said(error: ValidationError) -> str:
    """The first problems, each with its place."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    said = {"extra_forbidden": "unknown key", "missing": "is missing"}
    shown = [
        f"{_place(each['loc'])}: {said.get(each['type'], each['msg'])[:_SHOWN]}" for each in problems[:_PROBLEMS_SHOWN]
    ]
    more = len(problems) - len(shown)
    return "; ".join(shown) + (f"; and {more} more" if more > 0 else "")


def _place(where: tuple[int | str, ...]) -> str:
    return ".".join(map(str, where))[:_SHOWN]
