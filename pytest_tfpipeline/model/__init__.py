"""The nouns of the pipeline, as frozen data.

Data flows one way: configuration -> repository -> expected checks -> records -> verdict -> applied -> evidence ->
reports. Nothing here does anything; everything here can be written as JSON and read back (`pytest_tfpipeline.codec`).

Paths named `dir` or `file` are POSIX, relative to the repository's top (`.` is the top itself); paths named
`*_path` are absolute.
"""

from __future__ import annotations

from pytest_tfpipeline.model.checks import CaseResult, Check, CheckKind, Outcome, Record
from pytest_tfpipeline.model.findings import Baseline, Compared, Finding, KnownFinding, KnownFindings, Severity, Waiver
from pytest_tfpipeline.model.plans import Changes, PlanResult, PlanStatus, Target
from pytest_tfpipeline.model.repository import (
    Directory,
    Kind,
    Module,
    Question,
    RemoteState,
    Repository,
    Root,
    Suite,
    Variable,
)
from pytest_tfpipeline.model.run import Changed, Deciding, EnvironmentRun, Run, Tool

__all__ = [
    "Baseline",
    "CaseResult",
    "Changed",
    "Changes",
    "Check",
    "CheckKind",
    "Compared",
    "Deciding",
    "Directory",
    "EnvironmentRun",
    "Finding",
    "Kind",
    "KnownFinding",
    "KnownFindings",
    "Module",
    "Outcome",
    "PlanResult",
    "PlanStatus",
    "Question",
    "Record",
    "RemoteState",
    "Repository",
    "Root",
    "Run",
    "Severity",
    "Suite",
    "Target",
    "Tool",
    "Variable",
    "Waiver",
]
