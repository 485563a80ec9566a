"""A pytest-xdist worker: it gets the finished description of the run, and tells what it collected."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_tfpipeline import codec
from pytest_tfpipeline.context import open_context
from pytest_tfpipeline.model import Record, Run
from pytest_tfpipeline.plugin import fixtures
from pytest_tfpipeline.plugin.cases import CaseItem
from pytest_tfpipeline.plugin.collection import Collection, add_anchors
from pytest_tfpipeline.plugin.conftests import watch_conftests
from pytest_tfpipeline.plugin.fixtures import NOWHERE
from pytest_tfpipeline.plugin.going_on import go_on
from pytest_tfpipeline.plugin.place import top_of
from pytest_tfpipeline.plugin.reporting import Reporting
from pytest_tfpipeline.plugin.state import STATE, WIRE_KEY, Phase, State


def join(config: pytest.Config) -> None:
    """Take up the controller's description; without one there is nothing to do here."""
    text = config.workerinput.get(WIRE_KEY)  # type: ignore[attr-defined]
    if text is None:
        return
    handed = json.loads(text)
    run = codec.loads(Run, handed["run"])
    go_on(config, run)  # a worker reads the ini file by itself, `-x` included
    only = None if handed["only"] is None else frozenset((root, env) for root, env in handed["only"])
    phase = Phase(only, handed["wave"], handed["outputs"])
    state = State(run, open_context(run), top_of(config.rootpath), phase)
    state.reused = {name: codec.loads(Record, text) for name, text in handed["reused"].items()}
    config.stash[STATE] = state
    add_anchors(config, state)
    config.pluginmanager.register(fixtures, "tfpipeline-fixtures")
    config.pluginmanager.register(Collection(state, config), "tfpipeline-collection")
    config.pluginmanager.register(Reporting(), "tfpipeline-reporting")
    watch_conftests(config, state)
    config.pluginmanager.register(Witness(config, state), "tfpipeline-witness")


def hand_over(run: Run, phase: Phase, reused: Mapping[str, Record]) -> str:
    """What `join` takes: one string, as pytest-xdist is slow with nested objects and refuses many types."""
    only = None if phase.only is None else sorted(phase.only)
    kept = {name: codec.dumps(record) for name, record in reused.items()}
    handed = {
        "run": codec.dumps(replace(run, timings={})),
        "only": only,
        "wave": phase.wave,
        "outputs": phase.outputs,
        "reused": kept,
    }
    return json.dumps(handed)


class Witness:
    """Remembers every test that was collected, so that one that is dropped afterwards is missed.

    In a later phase, where nearly everything is dropped, it says nothing: whoever starts one knows what it wants.
    """

    def __init__(self, config: pytest.Config, state: State) -> None:
        self._config = config
        self._state = state
        self._collected: list[str] = []
        self._skipped: list[str] = []

    @property
    def answer(self) -> dict[str, list[str]]:
        """Tests that were collected and are not among the run's items, those that there is no plan or no apply for,
        and as JSON those that wait for an apply."""
        state = self._state
        if state.phase.only is not None:
            return {}
        return {
            "dropped": self._dropped,
            "skipped": self._skipped,
            "unplanned": sorted(state.unplanned),
            "unapplied": sorted(state.unapplied),
            "held": [codec.dumps(check) for check in state.held.values()],
        }

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Before anybody can take it away."""
        if not isinstance(item, CaseItem):  # a part of a suite, which the run can do without
            self._collected.append(item.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that skips itself takes its policy tests with it before anybody could collect them."""
        if report.skipped and asks_for_plans(Path(self._config.rootpath, report.nodeid)):
            self._skipped.append(report.nodeid)

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Say why a directory cannot be collected in the same words in every worker: pytest-xdist tells what it has not
        heard yet."""
        report = yield
        if report.failed and isinstance(collector, pytest.Directory):
            text = report.longreprtext
            report.longrepr = f"{text.rstrip().rpartition(chr(10))[2].removeprefix('E').strip()}\n{text}"
        return report

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> Generator[None, object, object]:
        """A usage error in a worker is swallowed by pytest-xdist: it is sent to the controller instead."""
        output = getattr(self._config, "workeroutput", {})
        try:
            return (yield)
        except pytest.UsageError as error:
            told = str(error) + _what_pasted_ids_want(self._config, self._state)
            output[f"{WIRE_KEY}_usage"] = told
            raise pytest.UsageError(told) from error
        finally:
            state = self._state
            kept = {item.nodeid for item in (*session.items, *state.held_items)}
            self._dropped = [nodeid for nodeid in self._collected if nodeid not in kept and NOWHERE not in nodeid]
            output[WIRE_KEY] = json.dumps(self.answer)


def asks_for_plans(module: Path) -> bool:
    """Whether the module may have policy tests; one that cannot be read may have anything."""
    try:
        text = module.read_bytes()
    except OSError:
        return True
    return any(name in text for name in (b"tf_plan", b"tf_configuration", b"tf_outputs", b"tf_policy"))


def _what_pasted_ids_want(config: pytest.Config, state: State) -> str:
    """A call that was named and is not there, because there is no plan or no apply for it: what it needs."""
    named = {str(arg).partition("[")[0] for arg in config.args if "[" in str(arg)}
    pairs = ((state.unapplied, "an apply before it: --apply-env ENV"), (state.unplanned, "a plan: --tf-plan ENV"))
    return "".join(
        f"\n{nodeid} needs {what}"
        for found, what in pairs
        for nodeid in sorted(found)
        if any(nodeid.endswith(name.split("/")[-1]) for name in named)
    )
