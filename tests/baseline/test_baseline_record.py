"""What becomes of the file in a run that makes it, and what another run says of it; with checks that are made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from pytest_tfpipeline.checks.baseline import mark_known, of_resource
from pytest_tfpipeline.config.baseline import read_baseline, render_baseline
from pytest_tfpipeline.config.keys import Config
from pytest_tfpipeline.context import Context, open_context
from pytest_tfpipeline.errors import ConfigurationError, UsageError
from pytest_tfpipeline.gate.known import let_through
from pytest_tfpipeline.gate.reasons import Code, Reason
from pytest_tfpipeline.gate.result import BaselineResult, Recorded
from pytest_tfpipeline.model import (
    Check,
    CheckKind,
    EnvironmentRun,
    Finding,
    Outcome,
    Record,
    Repository,
    Root,
    Run,
    Severity,
)
from pytest_tfpipeline.pipeline.baseline import Known, baseline_result, keep_known, read_known, record_baseline
from pytest_tfpipeline.policies.baseline import Difference
from pytest_tfpipeline.reports.baseline import baseline_notes, recorded_notes

FILE = ".tfpipeline-baseline.json"
CORE, ETL = "core", "etl"


def finding(name: str, rule: str = "CKV_1", **changes: Any) -> Finding:
    excerpt = f'  1 | resource "a" "{name}" {{'
    return replace(Finding(rule, Severity.ERROR, f"no {rule}", f"a.{name}", f"core/{name}.tf", 1, excerpt), **changes)


@dataclass
class World:
    """A repository of two roots; a run of it performs the `policy` checks that it is told about."""

    path: Path
    context: Context | None = None
    records: list[Record] = field(default_factory=list)
    environments: tuple[EnvironmentRun, ...] = ()

    @property
    def top(self) -> Path:
        return self.path / "repository"

    @property
    def file(self) -> Path:
        return self.top / FILE

    def begin(self, *, recording: bool = False, limit: Path | None = None, roots: Sequence[str] = (CORE, ETL)) -> Known:
        self.top.mkdir(exist_ok=True)
        work = self.path / f"work-{len(list(self.path.iterdir()))}"
        known = read_known(self.top, Config(), limit, recording=recording)
        repository = Repository(str(self.top), roots=tuple(Root(one, one, f"{one}/main.tf") for one in roots))
        run = Run(
            "1",
            "check",
            repository,
            str(self.path),
            str(work),
            environments=self.environments,
            baseline=known.use,
            policed=tuple((root, name) for root in roots for name in (None, "staging")),
        )
        keep_known(run, known)
        self.context, self.records = open_context(run), []
        return known

    def police(self, root: str, *findings: Finding, environment: str | None = None) -> tuple[Finding, ...]:
        """Perform a check that finds these; gives them as they are marked."""
        assert self.context is not None
        check = Check(f"{root}/main.tf::policy[{environment}]", CheckKind.POLICY, root, environment)
        marked = mark_known(self.context, check, "policy", findings, of_resource, Severity.ERROR)
        failed = any(not one.known for one in marked)
        outcome = Outcome.FAILED if failed else Outcome.PASSED
        self.records.append(Record(check.id, check.kind, outcome, root, environment, findings=marked))
        return marked

    def record(self, *objections: Reason, say: Any = str) -> Recorded:
        assert self.context is not None
        return record_baseline(self.context, self.records, objections, say)

    def result(self) -> BaselineResult:
        assert self.context is not None
        found = baseline_result(self.context, self.records)
        assert found is not None
        return found

    def make(self, *findings: Finding) -> None:
        """A baseline with these findings of `core`, and one of `etl`."""
        self.begin(recording=True)
        self.police(CORE, *findings)
        self.police(ETL, finding("e"))
        assert not self.record().refused

    def rules(self) -> list[tuple[str, str | None, str | None]]:
        return [(one.dir, one.environment, one.address) for one in read_baseline(self.file, FILE)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_without_a_file_nothing_is_known_and_nothing_is_kept(world: World) -> None:
    assert world.begin().use is None
    (found,) = world.police(CORE, finding("a"))
    assert not found.known
    assert world.context is not None
    assert baseline_result(world.context, world.records) is None


def test_what_was_recorded_is_let_through_and_what_is_new_is_not(world: World) -> None:
    world.make(finding("a"), finding("b"))
    world.begin()
    marked = world.police(CORE, finding("a", line=9), finding("c"), finding("b"))
    assert [one.known for one in marked] == [True, False, True]
    assert [bool(one.excerpt) for one in marked] == [False, True, False]
    assert let_through(world.records) == world.result().known == 2
    assert world.result().left == ()


def test_what_is_gone_is_said_and_taken_out(world: World) -> None:
    world.make(finding("a"), finding("b"))
    world.begin()
    world.police(CORE, finding("a"))
    result = world.result()
    assert [(one.address, one.count) for one in result.left] == [("a.b", 1)]
    told = list(baseline_notes(result, judged=False))
    assert told == [
        f"1 known finding was let through: {FILE} has them",
        f"1 known finding of {FILE} is found no more, `pytest --tf-baseline` takes it out: CKV_1 a.b",
    ]
    world.begin(recording=True)
    world.police(CORE, finding("a"))
    recorded = world.record()
    assert recorded.change is not None
    assert (recorded.change.added, recorded.change.kept, len(recorded.change.removed)) == ((), 2, 1)
    assert world.rules() == [(CORE, None, "a.a"), (ETL, None, "a.e")]


def test_a_second_recording_changes_not_a_byte(world: World) -> None:
    world.make(finding("b"), finding("a"), finding("a"))
    before = world.file.read_bytes()
    world.make(finding("a", line=7), finding("a"), finding("b"))
    assert world.file.read_bytes() == before


def test_entries_of_checks_that_were_not_run_stay_and_those_of_what_is_not_there_go(world: World) -> None:
    world.make(finding("a"))
    world.begin(recording=True)
    world.police(CORE, finding("a"), environment="staging")
    assert world.record().unjudged == 2
    assert world.rules() == [(CORE, None, "a.a"), (CORE, "staging", "a.a"), (ETL, None, "a.e")]
    world.begin(roots=(CORE,))
    assert [one.dir for one in world.result().left] == [ETL]
    world.begin(recording=True, roots=(CORE,))
    world.police(CORE)
    world.record()
    assert world.rules() == [(CORE, "staging", "a.a")]


@pytest.mark.parametrize("code", [Code.INTERRUPTED, Code.WORKER_CRASHED, Code.COLLECTION_ERROR, Code.INTERNAL_ERROR])
def test_nothing_is_written_where_the_run_broke_off(world: World, code: Code) -> None:
    world.begin(recording=True)
    world.police(CORE, finding("a"))
    recorded = world.record(Reason(code, "said"))
    assert recorded.refused == ("said",)
    assert not world.file.exists()
    assert list(recorded_notes(recorded, FILE)) == [f"{FILE} was not written: 1 in the way", "  said"]


@pytest.mark.parametrize(
    "record",
    [
        Record("x::policy", CheckKind.POLICY, Outcome.ERROR, CORE, text="checkov ended\nwith an error"),
        Record("x::policy[staging]", CheckKind.POLICY, Outcome.SKIPPED, CORE, "staging", summary="checkov ended"),
        Record("x::fmt", CheckKind.FMT, Outcome.FAILED, CORE, summary="checkov ended"),
        Record("x::lint", CheckKind.LINT, Outcome.UNKNOWN, CORE, summary="checkov ended"),
    ],
    ids=lambda record: record.outcome,
)
def test_where_a_check_could_not_judge_what_is_known_of_it_stays_and_the_rest_is_written(
    world: World, record: Record
) -> None:
    world.make(finding("a"))
    world.begin(recording=True)
    world.police(ETL, finding("new"))
    world.records.append(record)
    recorded = world.record()
    assert recorded.partly == ((record.check, "checkov ended"),)
    assert world.rules() == [(CORE, None, "a.a"), (ETL, None, "a.new")]
    assert list(recorded_notes(recorded, FILE))[-2:] == [
        "these could not judge everything: nothing of theirs was taken out, and they fail until they can",
        f"  {record.check}: checkov ended",
    ]


def test_many_checks_with_one_thing_in_their_way_are_a_line() -> None:
    partly = (("a::policy", "x"), *((f"{name}::lint", "no plugin") for name in "abc"))
    assert list(recorded_notes(Recorded(Difference((), 0, (), 0), partly=partly), FILE))[-2:] == [
        "  a::lint and 2 more: no plugin",
        "  a::policy: x",
    ]


def test_nothing_is_written_where_no_check_could_judge(world: World) -> None:
    world.make(finding("a"))
    before = world.file.read_bytes()
    world.begin(recording=True)
    world.records.append(Record("x", CheckKind.POLICY, Outcome.ERROR, CORE, text="checkov ended\nwith an error"))
    assert world.record().refused == (
        "no fmt, lint or policy check was run, or none could judge",
        "x: checkov ended",
    )
    assert world.file.read_bytes() == before


@pytest.mark.parametrize("rule", ["tflint-error", "checkov-parse", "invalid-syntax", "TFP001"])
def test_a_tool_that_could_not_read_everything_takes_nothing_out(world: World, rule: str) -> None:
    world.make(finding("a"), finding("b"), finding("b"))
    world.begin()
    broken = finding("x", rule)
    assert [one.known for one in world.police(CORE, finding("b"), broken)] == [True, False]
    assert world.result().left == ()  # nobody knows whether they are gone
    world.begin(recording=True)
    assert [one.known for one in world.police(CORE, finding("b"), finding("c"), broken)] == [True, True, False]
    recorded = world.record()
    assert not recorded.refused
    assert len(recorded.partly) == 1
    assert recorded.unjudged == 3
    assert world.rules() == [(CORE, None, "a.a"), (CORE, None, "a.b"), (CORE, None, "a.c"), (ETL, None, "a.e")]
    assert [one.count for one in read_baseline(world.file, FILE)] == [1, 2, 1, 1]


def test_a_protected_destroy_is_never_known_and_is_in_nobodys_way(world: World) -> None:
    world.begin(recording=True)
    marked = world.police(CORE, finding("a"), finding("b", "protected-destroy"))
    assert [one.known for one in marked] == [True, False]
    assert not world.record().refused
    assert world.rules() == [(CORE, None, "a.a")]


def test_a_finding_about_a_whole_module_is_known_wherever_tflint_points_at(world: World) -> None:
    rule = "terraform_required_providers"
    world.make(finding("a", rule, address=None))
    world.begin()
    (found,) = world.police(CORE, finding("a", rule, address=None, file="core/x.tf", excerpt="  7 | x"))
    assert found.known
    assert found.file == "core/x.tf"


def test_a_waived_finding_needs_no_entry(world: World) -> None:
    world.begin(recording=True)
    world.police(CORE, finding("a"), finding("b", severity=Severity.NOTICE))
    world.record()
    assert world.rules() == [(CORE, None, "a.a")]


def test_a_deferred_plan_keeps_its_entries(world: World) -> None:
    world.begin(recording=True)
    world.police(CORE, finding("a"), environment="staging")
    world.record()
    world.begin(recording=True)
    world.police(ETL)
    world.records.append(Record("x", CheckKind.POLICY, Outcome.DEFERRED, CORE, "staging"))
    assert not world.record().refused
    assert world.rules() == [(CORE, "staging", "a.a")]


def test_a_run_without_any_such_check_writes_nothing(world: World) -> None:
    world.begin(recording=True)
    world.records.append(Record("x", CheckKind.PLAN, Outcome.PASSED, CORE, "staging"))
    assert world.record().refused == ("no fmt, lint or policy check was run, or none could judge",)


def test_a_file_that_changed_meanwhile_is_left_alone(world: World) -> None:
    world.make(finding("a"))
    world.begin(recording=True)
    world.police(CORE)
    world.file.write_text(render_baseline([]))
    assert world.record().refused == ("it was changed while the run was going on",)


def test_a_clean_repository_gets_no_file_and_one_that_became_clean_an_empty_one(world: World) -> None:
    world.begin(recording=True)
    world.police(CORE)
    world.record()
    assert not world.file.exists()
    world.make(finding("a"))
    world.begin(recording=True)
    world.police(CORE)
    world.police(ETL)
    recorded = world.record()
    assert world.rules() == []
    assert f"nothing is let through any more: {FILE} can be deleted" in recorded_notes(recorded, FILE)


def test_no_secret_gets_into_the_file(world: World) -> None:
    world.begin(recording=True)
    world.police(CORE, finding("hunter2"), finding("b", text="password hunter2 is weak"))
    recorded = world.record(say=lambda text: text.replace("hunter2", "***"))
    assert recorded.secret == 1
    assert "hunter2" not in world.file.read_text()
    assert "password *** is weak" in world.file.read_text()


def test_the_user_can_read_the_file_and_its_mode_stays(world: World) -> None:
    world.make(finding("a"))
    assert world.file.stat().st_mode & 0o777 == 0o644
    world.file.chmod(0o664)
    world.make(finding("b"))
    assert world.file.stat().st_mode & 0o777 == 0o664


def test_a_moved_file_is_said_to_be_moved(world: World) -> None:
    world.make(finding("a"))
    world.begin()
    world.police(CORE, finding("a", file="core/moved.tf"))
    assert world.result().moved == 1
    assert "if files were moved" in list(baseline_notes(world.result(), judged=False))[-1]


def test_what_was_added_kept_and_removed_is_said_and_stays_short(world: World) -> None:
    world.make(*(finding(str(index), f"CKV_{index % 7}") for index in range(1255)))
    world.begin(recording=True)
    world.police(CORE, *(finding(str(index), f"CKV_{index % 7}") for index in range(5, 1260)))
    told = list(recorded_notes(world.record(), FILE))
    assert told[0] == f"{FILE}: 1,256 known findings; 5 added, 1,251 kept, 5 removed"
    assert told[1:4] == [
        "  added: core policy: 5 (CKV_2 1, CKV_3 1, CKV_4 1, ...)",
        "  removed: core policy: 5 (CKV_0 1, CKV_1 1, CKV_2 1, ...)",
        "1 known finding of checks that were not run, or could not judge, stay as they are",
    ]
    assert len(told) == 5


def test_an_environment_that_borrows_has_the_lenders_baseline(world: World) -> None:
    world.begin(recording=True)
    world.police(CORE, finding("a"), environment="staging")
    world.record()
    world.environments = (EnvironmentRun("staging"), EnvironmentRun("pr-12", lent_by="staging"))
    world.begin()
    assert [one.known for one in world.police(CORE, finding("a"), environment="pr-12")] == [True]
    world.police(CORE, environment="staging")
    assert world.result().left == ()  # one of the two still has it
    world.begin(recording=True)
    world.police(CORE, finding("a"), finding("b"), environment="pr-12")
    world.police(CORE, finding("a"), finding("a"), environment="staging")
    world.record()
    assert world.rules() == [(CORE, "staging", "a.a"), (CORE, "staging", "a.b")]
    assert [one.count for one in read_baseline(world.file, FILE)] == [2, 1]


def test_a_job_that_runs_the_shipped_rules_alone_says_nothing_of_what_is_gone(world: World) -> None:
    world.make(finding("a"))
    world.begin()
    assert world.context is not None
    world.context = open_context(replace(world.context.run, settings={"shipped_only": True}))
    world.police(CORE)
    assert world.result().left == ()


# what the operator says


def test_the_operators_file_is_a_limit(world: World, tmp_path: Path) -> None:
    world.make(finding("a"), finding("b"))
    limit = tmp_path / "limit.json"
    limit.write_text(render_baseline(one for one in read_baseline(world.file, FILE) if one.address != "a.b"))
    known = world.begin(limit=limit)
    assert known.notes == (f"the operator file lets 2 of the 3 known findings of {FILE} count",)
    assert [one.known for one in world.police(CORE, finding("a"), finding("b"))] == [True, False]
    assert known.use is not None
    assert known.use.digest != world.begin().use.digest  # type: ignore[union-attr]
    world.file.write_bytes(limit.read_bytes())
    assert world.begin(limit=limit).use.digest == world.begin().use.digest  # type: ignore[union-attr]


def test_where_the_operator_allows_none_no_file_is_read_or_made(world: World) -> None:
    world.make(finding("a"))
    none = Config().model_copy(update={"baseline": None})
    assert read_known(world.top, none, None, recording=False) == Known()
    with pytest.raises(UsageError, match="lets no baseline count"):
        read_known(world.top, none, None, recording=True)


def test_a_named_file_must_be_there_and_lie_in_the_repository(world: World) -> None:
    world.begin()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_known(world.top, Config(baseline="no.json"), None, recording=False)
    assert read_known(world.top, Config(baseline="no.json"), None, recording=True).use is not None
    (world.top / "out").symlink_to(world.path)
    with pytest.raises(ConfigurationError, match="leads out of the repository"):
        read_known(world.top, Config(baseline="out/known.json"), None, recording=True)
